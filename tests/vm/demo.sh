#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows the driver at work, from bind to unbind: demo.sh [--by-hand] [SERIES]
# Boots a stock kernel and shows the output of guest/demo.sh.  With --by-hand it opens a
# shell in the machine (guest/by-hand.sh) instead, with the packages in the current
# directory but not installed, for at most LAB_TIMEOUT seconds.

set -uo pipefail
here=$(dirname "$0")
. "$here/lib/all.sh"

plan=demo smp=1 timeout=300
if [ "${1:-}" = --by-hand ]; then
	plan=by-hand smp=2 timeout=${LAB_TIMEOUT:-infinity}
	need_packages socat
	shift
fi
series=${1:-$NEWEST}
dir=$BUILD/$series/demo

ready_to_boot "$series" "$dir"
echo > "$dir/devices"
# shellcheck disable=SC2016 # the kernel's syntax
echo '256M$0x100000000' > "$dir/memmap"
! series_has "$series" topology || echo 0x100000000,256M > "$dir/topology"
echo "EPYC-v4,+svm,+npt" > "$dir/cpu"
echo $smp > "$dir/smp"
echo 3G > "$dir/mem"
echo "$timeout" > "$dir/timeout"
echo guest/$plan.sh > "$dir/plan"
[ $plan = demo ] || touch "$dir/shell"
touch "$dir/result.log"

# Connect standard input and output, usually a terminal, to the machine's shell
by_hand() {
	local tty

	tty=$(stty -g 2>/dev/null)
	timeout 600 sh -c "until [ -S '$dir/shell.sock' ]; do sleep 0.2; done"
	socat "STDIO,ignoreeof${tty:+,raw,echo=0}" "UNIX-CONNECT:$dir/shell.sock"
	[ -z "$tty" ] || stty "$tty"
}

note "booting Linux $(kver_of "$series") in QEMU"
boot "$series" "$dir" &
boot_pid=$!
if [ -e "$dir/shell" ]; then
	by_hand
else
	tail -n +1 -s 0.2 -f --pid=$boot_pid "$dir/result.log" | grep --line-buffered -v '^@@'
fi
wait $boot_pid

if ! grep -q '^@@ end 0' "$dir/result.log" || [ -s "$dir/devices.log" ]; then
	cat "$dir/devices.log"
	echo "$plan: FAILED, see $dir"
	exit 1
fi
echo "$plan: all steps done"
