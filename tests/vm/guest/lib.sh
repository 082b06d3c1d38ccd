# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Functions for scenarios.  A scenario is a script that is sourced after this file; each
# `check` is one test.  Its sentence must make sense alone in a line of the report:
#   [7.3] 92-tool: cxl-vfio bind binds the device ... FAIL

. /src/tests/vm/lib/series.sh
# "7.3.4+deb13-amd64" is of 7.3, "7.3.4+deb13-rt-amd64" of 7.3-rt, "7.3.4-debug" of 7.3-debug,
# "7.3.4-iommufd" of 7.3-iommufd, "7.3.4+deb13-arm64-16k" of 7.3-16k
SERIES=$(uname -r |
	sed -E 's/^([0-9]+\.[0-9]+).*-(rt|debug|iommufd|16k|64k)(-.*)?$/\1-\2/; t; s/^([0-9]+\.[0-9]+).*/\1/')
PCI=/sys/bus/pci
OURS=cxl_vfio_pci

# check "sentence" COMMAND...: the test passes if the command succeeds
check() {
	local sentence=$1 output

	shift
	if output=$("$@" 2>&1); then
		echo "@@ ok $sentence"
	else
		echo "@@ fail $sentence"
		printf '%s\n' "$output" | sed 's/^/    /'
	fi
}

# has ABILITY: does the running kernel's series have it (lib/series.sh)?
has() { series_has "$SERIES" "$1"; }

# The host bridge's component block in a machine with 3 GiB of memory, see lib/boot.sh
host_bridge() { if has x86; then echo 5G; else echo 0x4004000000; fi; }

# Is this make check-full, which runs tests that take long as well?
full() { grep -qw lab.full /proc/cmdline; }

# The number of this boot, in a machine that boots several times
boot_number() { sed -n 's/.*lab\.boot=\([0-9]*\).*/\1/p' /proc/cmdline; }

skip() { echo "@@ skip $*"; }

# says REGEX COMMAND...: for check; does the command print such a line?
says() {
	local regex=$1 output

	shift
	output=$("$@" 2>&1)
	grep -qE "$regex" <<< "$output" && return
	printf '%s\n' "$output"
	return 1
}

# equal A B: for check; fails if both are empty
equal() {
	[ -n "$1" ] && [ "$1" = "$2" ] && return
	echo "is '$1', expected '$2'"
	return 1
}

# Free memory in KiB, with the pages on the lists of each processor
free_memory() {
	echo 3 > /proc/sys/vm/drop_caches
	sleep 0.5
	awk -v page=$(($(getconf PAGESIZE) / 1024)) \
		'$1 == "pages" && $2 == "free" { n += $3 } $1 == "count:" { n += $2 } END { print page * n }' \
		/proc/zoneinfo
}

# within LOW NUMBER HIGH: for check
within() {
	[ "$1" -le "$2" ] && [ "$2" -le "$3" ] && return
	echo "is $2, expected $1 to $3"
	return 1
}

# tap COMMAND...: run a program that reports in TAP; each of its tests is one here, with
# $LABEL in front to tell several runs of a program apart.  The harness limits each of
# its tests, and the machine has a limit
tap() {
	"$@" > /tmp/tap.log 2>&1
	local status=$? name="$1: ${LABEL:+$LABEL: }"

	sed -n -e "s/^ok [0-9]* [a-z0-9_]*\.\(.*\) # SKIP \(.*\)/@@ skip $name\1: \2/p; t" \
		-e "s/^ok [0-9]* [a-z0-9_]*\.\(.*\)/@@ ok $name\1/p" \
		-e "s/^not ok [0-9]* [a-z0-9_]*\.\(.*\)/@@ fail $name\1/p" /tmp/tap.log
	grep -q '^[0-9.]*\.\.[0-9]' /tmp/tap.log || echo "@@ fail ${name}the program runs to its end"
	if [ $status -ne 0 ]; then
		grep -v '^ok\|^#  RUN\|^#   *OK' /tmp/tap.log | sed 's/^/    /'
	fi
}

# The address of the n-th software device (from 0)
dev() {
	local all

	mapfile -t all < <(lspci -Dn -d 1234:c712 | awk '{print $1}' | sort)
	echo "${all[${1:-0}]}"
}

driver_of() {
	local link

	link=$(readlink "$PCI/devices/$1/driver") && echo "${link##*/}"
}

# bind BDF [DRIVER]: by driver_override; prints 0 or the name of the errno
bind() {
	local driver=${2:-$OURS}

	[ -d "/sys/module/$driver" ] || modprobe "${driver//_/-}" || return
	[ -z "$(driver_of "$1")" ] || unbind "$1"
	echo "$driver" > "$PCI/devices/$1/driver_override"
	sysfs_write "$PCI/drivers/$driver/bind" "$1"
}

# Have the first open clear the memory: several GiB take longer than a TAP test may
let_clear() { vfio_info "$1" > /dev/null; }

unbind() {
	echo "$1" > "$PCI/devices/$1/driver/unbind"
	echo > "$PCI/devices/$1/driver_override"
}

# /proc/iomem without PCI resources and cxl-core's claims on ports, which stay
iomem() { grep -v ' : \(0000:.*\|port[0-9]*\)$' /proc/iomem; }

# Unbind devices, restore their options, unload the module: runs after each scenario
release_all() {
	local dir

	for dir in "$PCI/devices/"*; do
		case $(driver_of "${dir##*/}") in
		"$OURS"|vfio-pci) unbind "${dir##*/}" ;;
		esac
	done
	for dir in $(lspci -Dn -d 1234:c712 | awk '{print $1}'); do
		t2ctl "$dir" restore
	done
	modprobe -r cxl-vfio-pci 2>/dev/null
	return 0
}

# What a kernel with the ability "debug" has found in all scenarios of a machine, and does
# not log by itself: leaks, and that lockdep gave up.  It does so at its first report.
check_kernel() {
	has debug || return 0
	check "lockdep is still on at the end" grep -q 'debug_locks: *1$' /proc/lockdep_stats
	check "kmemleak finds no leak" no_leak
}

# An object that was allocated or moved just now may look lost in one scan
no_leak() {
	local leaks=/sys/kernel/debug/kmemleak

	for _ in 1 2; do
		echo scan > $leaks || return
		sleep 6
	done
	echo scan > $leaks || return
	cat $leaks > /tmp/leaks
	head -n 60 /tmp/leaks
	[ ! -s /tmp/leaks ]
}

# The kernel's messages since the last call of log_mark
log_mark() { echo "lab: mark $$" > /dev/kmsg; }
log_since() { klog "lab: mark $$"; }
logged() {
	log_since | grep -qE "$1" && return
	echo "not in the log: $1"
	log_since
	return 1
}
