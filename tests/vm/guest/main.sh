#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs in the test machine: the scenarios of the plan, one after the other.  Output goes
# to the second serial line; run.sh on the host reads the lines that start with @@.

TTY=/dev/ttyS progs=/src/build/vm/progs shell=/dev/ttyS2
[ "$(uname -m)" != aarch64 ] || TTY=/dev/ttyAMA progs=/src/build/vm-arm64/progs shell=/dev/ttyS0
exec </dev/null >"${TTY}1" 2>&1
stty -F "${TTY}1" -onlcr 2>/dev/null
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$progs
export HOME=/root LC_ALL=C.UTF-8

if [ "$(cat /proc/1/comm)" = systemd ]; then
	# Some unit may fail
	timeout 1800 systemctl is-system-running --wait
else
	mount -t tmpfs tmpfs /tmp
	mount -t tmpfs tmpfs /run
	mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
	ln -sf /proc/self/fd /dev/fd
	mkdir -p /dev/pts && mount -t devpts devpts /dev/pts 2>/dev/null
	hostname lab
fi

# Commit decoders, as firmware does before the kernel starts
firmware() { # file
	local line

	[ -e "$1" ] || return
	while read -r line; do
		# shellcheck disable=SC2086 # one argument a word
		t2fw $line || echo "@@ fail firmware commits decoders: t2fw $line"
	done < "$1"
}

# With KEEP=yes: a shell with the functions of lib.sh, until its user ends it
keep() {
	grep -qw lab.keep /proc/cmdline || return
	stty -F $shell sane
	echo "$1 has ended.  This shell has the functions of guest/lib.sh; 'exit' goes on." > $shell
	setsid --ctty bash --rcfile /src/tests/vm/guest/lib.sh -i <> $shell >&0 2>&0
}

# What the machine changed in its root, for its next boot
save_state() {
	grep -q 'lab[.]boot=' /proc/cmdline || return
	rm -rf /lab/state/upper
	# The share takes no access control lists, which cp would copy
	mkdir /lab/state/upper &&
		tar -C /lab/upper -c . | tar -C /lab/state/upper -x || echo "@@ fail the machine saves what it changed"
}

plan=/src/$(sed 's/.*lab\.plan=\([^ ]*\).*/\1/' /proc/cmdline)
firmware "$(dirname "$plan")/firmware"
while read -r script; do
	name=$(basename "${script%.sh}")
	start=$SECONDS
	echo "@@ scenario $name"
	bash -c '. /src/tests/vm/guest/lib.sh; . "$1"' "$name" "/src/tests/vm/$script"
	echo "@@ end $? $name"
	keep "$name"
	bash -c '. /src/tests/vm/guest/lib.sh; release_all'
	echo "@@ took $((SECONDS - start)) s: $name"
done < "$plan"

echo "@@ scenario machine"
bash -c '. /src/tests/vm/guest/lib.sh; check_kernel'
# dmesg colours what it writes to a terminal, and run.sh then knows none of its lines
dmesg | cat > "${TTY}0"
save_state
echo "@@ finished"
sync
echo o > /proc/sysrq-trigger
# The machine powers off under this script
while :; do :; done
