#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the commands that README.md lists for `make lab` in the shell of `make lab`, one
# after the other, and checks their output.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh

# Print the commands of README.md between "`make lab` gives" and "exit", one a line
# shellcheck disable=SC2016 # not the shell's backquotes
commands() {
	sed -n '/`make lab` gives/,/^    exit$/p' README.md | sed -n 's/^    //p' |
		sed -e ':a' -e '/\\$/N; s/\\\n */ /; ta' -e 's/  *#.*//'
}

# Read the console to the next prompt, or to power-off, into $seen
await_prompt() {
	local part

	seen=
	while IFS= read -r -d '#' -u 3 part; do
		seen+=$part
		[[ $part != *lab ]] || return 0
	done
	return 1
}

# shows COMMAND PATTERN [NOT]: for check, the output of a command has PATTERN, but not NOT
shows() {
	grep -qE "$2" <<< "${screen[$1]:-}" &&
		{ [ $# -lt 3 ] || ! grep -E "$3" <<< "${screen[$1]}"; } && return
	printf '%s\n' "${screen[$1]:-there is no output of $1}"
	return 1
}

declare -A screen
coproc LAB { LAB_TIMEOUT=3600 make --no-print-directory lab 2>&1; }
# shellcheck disable=SC2153 # the shell sets it
lab_pid=$LAB_PID
# bash closes its own copies of these descriptors when the machine ends
exec 3<&"${LAB[0]}" 4>&"${LAB[1]}"
await_prompt
while IFS= read -r command; do
	printf '%s\n' "$command" >&4
	await_prompt || break
	# Remove escape sequences for the terminal
	seen=$(sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g; s/\r//g' <<< "$seen")
	word=${command%% [-.0-9]*}
	screen[$word]=$seen
done < <(commands)
wait "$lab_pid"
status=$?

check "apt installs the packages" shows "apt install" 'Setting up cxl-vfio-pci-dkms'
check "cxl-vfio list shows the device" shows "cxl-vfio list" '^0000:0d:00.0 .*256 MiB'
check "cxl-vfio bind binds the device" shows "cxl-vfio bind" 'bound to cxl_vfio_pci'
check "cxl-vfio status shows the gate" shows "cxl-vfio status" 'gate +closed'
check "the driver in the guest uses the device" \
	shows qemu-system-x86_64 't2guest: finished' 't2guest: FAIL'
check "cxl-vfio unbind unbinds the device" shows "cxl-vfio unbind" 'unbound'
check "make lab ends with status 0" [ "$status" = 0 ]
finish
