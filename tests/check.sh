#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs parts of the tests, each `make check-PART`, and adds up their results:
# check.sh PART...

cd "$(dirname "$0")/.." || exit 1
mkdir -p build
passed=0 failed=0

for part in "$@"; do
	echo "== $part"
	start=$SECONDS
	make --no-print-directory "check-$part" 2>&1 | tee "build/check-$part.log"
	sum=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "build/check-$part.log" | tail -n 1)
	if [ -z "$sum" ]; then
		echo "$part: make check-$part prints its sum ... FAIL"
		sum="0 passed, 1 failed"
	fi
	passed=$((passed + ${sum%% passed*}))
	sum=${sum#* passed, }
	failed=$((failed + ${sum%% failed*}))
	echo "== $part took $((SECONDS - start)) s"
done
if [ $failed -gt 0 ]; then
	echo "== what failed (the whole output of a part is in build/check-PART.log):"
	for part in "$@"; do
		sed -n "s/.* \.\.\. FAIL$/    $part: &/p" "build/check-$part.log"
	done
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
