#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the unit tests, in user space with sanitizers: the KUnit tests of the models, and
# tests with cmocka of files that read and write a device.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
. tests/vm/lib/common.sh

out=$TOP/build/unit

# Run one program, report each of its tests, or that it did not come to its end
run() { # program
	local status=0 line lines notes

	CMOCKA_MESSAGE_OUTPUT=TAP "$out/$1" > "$out/$1.log" 2>&1 </dev/null || status=$?
	mapfile -t lines < "$out/$1.log"
	notes=$(grep '^#' "$out/$1.log")
	for line in "${lines[@]}"; do
		case $line in
		"ok "*) result 0 "${line#ok * - }" </dev/null ;;
		"not ok "*) result 1 "${line#not ok * - }" <<< "$notes" ;;
		esac
	done
	if [ $status -ne 0 ] && ! grep -q '^not ok' "$out/$1.log"; then
		result 1 "the program $1 runs to its end" < "$out/$1.log"
	fi
}

need_packages clang libclang-rt-14-dev libcmocka-dev make libc6-dev linux-libc-dev
check "the unit tests build without a warning" silent make -s -C tests/unit O="$out"
for program in $(make -s -C tests/unit list); do
	run "$program"
done
finish
