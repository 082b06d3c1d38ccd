# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Reporting for test scripts that run on the host: a line for each test, the output of
# each failed test, the sum at the end.  A test's sentence must make sense alone.

passed=0 failed=0 part=$(basename "$0" .sh)

# result STATUS "sentence": report one test; stdin has the output to show if it failed
result() {
	local status=$1 output

	shift
	if [ "$status" -eq 0 ]; then
		echo "$part: $* ... ok"
		passed=$((passed + 1))
		return
	fi
	output=$(cat)
	echo "$part: $* ... FAIL"
	printf '%s\n' "$output" | tail -n 40 | sed 's/^/    /'
	failed=$((failed + 1))
}

# check "sentence" COMMAND...: the test passes if the command succeeds
check() {
	local sentence=$1 output status=0

	shift
	output=$("$@" 2>&1 </dev/null) || status=$?
	result "$status" "$sentence" <<< "$output"
}

# silent COMMAND...: for check; the command must succeed without output
silent() {
	local output

	output=$("$@" 2>&1) && [ -z "$output" ] && return
	printf '%s\n' "$output"
	return 1
}

# tap < LOG: report each test of a program's TAP output
tap() {
	local line

	while read -r line; do
		case $line in
		"ok "*) result 0 "${line#ok * - }" </dev/null ;;
		"not ok "*) result 1 "${line#not ok * - }" </dev/null ;;
		esac
	done
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
