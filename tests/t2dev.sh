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

"$out/t2dev-test" "$out/t2dev" tests/t2dev/profiles > "$out/log" 2>&1
status=$?
tap < "$out/log"
[ $status -eq 0 ] || sed 's/^/    /' "$out/log"
check "the tests ran to their end" test $status -eq 0

options() { "$out/t2dev" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p'; }
for option in $(options); do
	case $option in help|version|keep|verbose|io-bar|memory-off|rciep|soft-reset) continue ;; esac
	check "a wrong --$option is refused with a line that names it" \
		sh -c "'$out/t2dev' --socket /nowhere/s --$option= 2>&1 | grep -q -- --$option"
done
check "an unknown option is refused" \
	sh -c "'$out/t2dev' --nothing 2>&1 | grep -q 'unknown option .--nothing., see --help'"

# --help has two lines for each profile: what it is, then its source in parentheses
profiles() { "$out/t2dev" --help | sed -n '/^Profiles/,$s/^  \([a-z0-9-]\+\) .*/\1/p'; }
has_source() { "$out/t2dev" --help | grep -A1 "^  $1 " | grep -q '^ *(.*)$'; }
check "profiles are listed" test "$(profiles | wc -l)" -gt 10
for profile in $(profiles); do
	check "profile $profile: --help has its source" has_source "$profile"
	check "profile $profile: it has a test" grep -q "\"$profile\"" tests/t2dev/test_profiles.c
done
finish
