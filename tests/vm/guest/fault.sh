# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For scenarios that let allocations and user copies fail: which of them count for
# progs/fault.c, which lets the 1st, 2nd, 3rd ... of them fail.

DEBUGFS=/sys/kernel/debug

# first_and_end PATTERN: the addresses that the functions in /proc/kallsyms of this
# pattern begin at, and that the next function begins at
first_and_end() {
	sort /proc/kallsyms | PATTERN=$1 awk '
		tolower($2) != "t" { next }
		$0 ~ ENVIRON["PATTERN"] { if (!first) first = $1; last = 1; next }
		last { end = $1; last = 0 }
		END { if (first) print "0x" first, "0x" (end ? end : "ffffffffffffffff") }'
}

# Let nothing fail
fault_nothing() {
	local kind

	for kind in failslab fail_page_alloc fail_usercopy; do
		echo 0 > "$DEBUGFS/$kind/probability"
		echo 0 > "$DEBUGFS/$kind/verbose"
		echo 0 > "$DEBUGFS/$kind/stacktrace-depth"
		# With a start and no depth nothing counts
		echo 1 > "$DEBUGFS/$kind/require-start"
		echo 0xffffffffffffffff > "$DEBUGFS/$kind/require-end"
		echo 0 > "$DEBUGFS/$kind/reject-start"
		echo 0 > "$DEBUGFS/$kind/reject-end"
	done
	for kind in failslab fail_page_alloc; do
		echo N > "$DEBUGFS/$kind/ignore-gfp-wait"
	done
	echo N > "$DEBUGFS/fail_page_alloc/ignore-gfp-highmem"
	echo 0 > "$DEBUGFS/fail_page_alloc/min-order"
}

# Let the allocations or copies of a task count, wherever they are made
fault_anywhere() { # failslab|fail_page_alloc|fail_usercopy...
	local kind

	fault_nothing
	for kind in "$@"; do
		echo 0 > "$DEBUGFS/$kind/require-start"
	done
}

# Let those count that the driver's functions, or what they call, make
fault_below_driver() { # failslab|fail_page_alloc|fail_usercopy...
	local kind start end

	fault_nothing
	read -r start end <<< "$(first_and_end "\\[$OURS\\]")"
	for kind in "$@"; do
		echo 32 > "$DEBUGFS/$kind/stacktrace-depth"
		echo "$start" > "$DEBUGFS/$kind/require-start"
		echo "$end" > "$DEBUGFS/$kind/require-end"
	done
}

# Of those that count, leave out what functions of this pattern, or what they call, make
fault_but_below() { # failslab|fail_page_alloc|fail_usercopy pattern
	local start end

	read -r start end <<< "$(first_and_end "$2")"
	echo "$start" > "$DEBUGFS/$1/reject-start"
	echo "$end" > "$DEBUGFS/$1/reject-end"
}

# walk "what counts" OPERATION ERRNO...: one test of progs/fault.c, on the device $bdf
# shellcheck disable=SC2154 # the scenario sets bdf
walk() {
	local what=$1 operation=$2 status=0

	shift 2
	fault "$operation" "$bdf" "$@" > /tmp/fault.log 2>&1 || status=$?
	check "$operation: each $what that fails is borne, or ends the operation cleanly" \
		sh -c "cat /tmp/fault.log; [ $status = 0 ]"
	sed -n "s/^\([0-9]* failures, .*\)/    $operation, $what: \1/p" /tmp/fault.log
}
