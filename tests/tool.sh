#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests cxl-vfio on made-up trees of /sys and /proc, with sanitizers, in the lab's root.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
here=tests/vm
. tests/report.sh
. tests/vm/lib/all.sh

prepare "$NEWEST"
mkdir -p build/tools
# shellcheck disable=SC2016 # the root's shell
in_root "$(root_of "$NEWEST")" "$TOP=/src" -- sh -ec '
	cd /src/tools
	flags="-O1 -g -Werror -fsanitize=address,undefined"
	make -s rules O=../build/tools/test.d CFLAGS="$flags"
	gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra $flags -I../include/uapi -o ../build/tools/test \
		../tests/tool/tool_test.c ../build/tools/test.d/*.o ../build/tools/test.d/rules/*.o \
		-lcmocka -lpci -lkmod -ljson-c
	../build/tools/test' > build/tools/test.log 2>&1 </dev/null
status=$?
while read -r name; do
	result 0 "$name" < /dev/null
done < <(sed -n 's/^\[ *OK \] //p' build/tools/test.log)
while read -r name; do
	result 1 "$name" < build/tools/test.log
done < <(sed -n 's/^\[  FAILED  \] \([a-z_]*\)$/\1/p' build/tools/test.log | sort -u)
[ $status -eq 0 ] || [ $failed -gt 0 ] || result 1 "the tests of cxl-vfio run to their end" < build/tools/test.log
finish
