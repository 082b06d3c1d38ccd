#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the software device by itself, built with sanitizers.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
. tests/vm/lib/common.sh

need_packages gcc libc6-dev make libcmocka-dev
out=$TOP/build/san
make -s -C tests/t2dev SAN=1 O="$out" "$out/t2dev" "$out/t2dev-test" || die "t2dev does not build"

"$out/t2dev-test" "$out/t2dev" > "$out/log" 2>&1
status=$?
tap < "$out/log"
[ $status -eq 0 ] || sed 's/^/    /' "$out/log"
check "the tests ran to their end" test $status -eq 0

options() { "$out/t2dev" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p'; }
for option in $(options); do
	case $option in help|version|keep|verbose|io-bar|soft-reset) continue ;; esac
	check "a wrong --$option is refused with a line that names it" \
		sh -c "'$out/t2dev' --socket /nowhere/s --$option= 2>&1 | grep -q -- --$option"
done
check "an unknown option is refused" \
	sh -c "'$out/t2dev' --nothing 2>&1 | grep -q 'unknown option .--nothing., see --help'"
finish
