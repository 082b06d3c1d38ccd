#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The driver at work, from binding to unbinding: demo.sh [SERIES]
# Boots a stock kernel and shows what guest/demo.sh prints there.

set -uo pipefail
here=$(dirname "$0")
. "$here/lib/all.sh"

series=${1:-7.3}
dir=$BUILD/$series/demo

ready_to_boot "$series" "$dir"
echo > "$dir/devices"
# shellcheck disable=SC2016 # the kernel's syntax
echo '256M$0x100000000' > "$dir/memmap"
[ "$series" != 7.3 ] || echo 0x100000000,256M > "$dir/topology"
echo "EPYC-v4,+svm,+npt" > "$dir/cpu"
echo 1 > "$dir/smp"
echo 3G > "$dir/mem"
echo 300 > "$dir/timeout"
echo guest/demo.sh > "$dir/plan"
touch "$dir/result.log"

note "booting it in QEMU"
boot "$series" "$dir" &
boot_pid=$!
tail -n +1 -s 0.2 -f --pid=$boot_pid "$dir/result.log" | grep --line-buffered -v '^@@'
wait $boot_pid

if ! grep -q '^@@ end 0' "$dir/result.log" || [ -s "$dir/devices.log" ]; then
	cat "$dir/devices.log"
	echo "demo: FAILED, see $dir"
	exit 1
fi
echo "demo: all steps done"
