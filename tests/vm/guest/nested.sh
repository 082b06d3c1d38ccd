# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A virtual machine inside the test machine, with stock QEMU, for scenarios that assign
# the device to it.  Its root is an initramfs made of files of the test machine.

NESTED=/tmp/nested

# Load KVM for the machine's emulated AMD processor; on arm64 the kernel has it built in
load_kvm() {
	has x86 || return 0
	modprobe ccp 2>/dev/null
	modprobe kvm-amd 2>/dev/null || true
}

# Path of the running kernel's image, which differs between packages
nested_kernel() {
	local f kver

	kver=$(uname -r)
	for f in /boot/vmlinuz-"$kver" /usr/lib/modules/"$kver"/vmlinuz*; do
		[ -e "$f" ] && { echo "$f"; return; }
	done
}

# Make the guest's initramfs: lspci with its libraries, busybox, and t2guest.ko, which
# the guest does not load with only-lspci on its command line
nested_make() {
	local dir=$NESTED/root f

	[ ! -e $NESTED/initrd ] || return 0
	mkdir -p $dir/{bin,proc,sys,dev,usr/share/misc}
	cp /bin/busybox $dir/bin/
	for f in $(command -v lspci) $(ldd "$(command -v lspci)" | grep -o '/[^ ]*'); do
		install -D "$f" "$dir$f"
	done
	cp "$(find /lib/modules/"$(uname -r)" -name t2guest.ko)" $dir/
	cat > $dir/init <<-'EOF'
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		export PATH=/bin:/usr/bin:/usr/sbin
		if ! grep -qw only-lspci /proc/cmdline; then
			insmod /t2guest.ko $(tr ' ' '\n' < /proc/cmdline | sed -n 's/^t2guest[.]//p')
			dmesg | grep t2guest
		fi
		# No message of the kernel gets between the lines of lspci
		dmesg -n 1
		echo "guest: lspci"
		lspci -vvv -d 1234:c712
		echo "guest: finished"
		# For cxl-vfio check --guest
		if lspci -vv -d 1234:c712 | grep -q "${want:-Region 4: Memory at .*size=256M}"; then
			echo "cxl-vfio-guest: ok"
		else
			echo "cxl-vfio-guest: FAIL no BAR for the memory"
		fi
		poweroff -f
	EOF
	chmod 755 $dir/init
	(cd $dir && find . | busybox cpio -o -H newc 2>/dev/null) > $NESTED/initrd
}

# QEMU's arguments for kernel, memory and processors.  NESTED_KERNEL is a kernel without
# initramfs that boots instead of the running one
nested_args() {
	local kernel=${NESTED_KERNEL:-$(nested_kernel) -initrd $NESTED/initrd}

	echo "-kernel $kernel -m 512M -smp ${NESTED_SMP:-1}"
}
# QEMU with the board of the machine's architecture
if has x86; then
	NESTED_QEMU="qemu-system-x86_64 -M q35" NESTED_APPEND="console=ttyS0 no_timer_check"
else
	NESTED_QEMU="qemu-system-aarch64 -M virt,gic-version=3" NESTED_APPEND="console=ttyAMA0"
fi
NESTED_APPEND+=" loglevel=4 panic=-1 mitigations=off"
! has no_msi || NESTED_APPEND+=" t2guest.no_msi=1"

# Boot a guest: nested_run ACCEL [MORE...], with the device among the arguments; the guest's
# console goes to $NESTED/console.log.  It has NESTED_TIMEOUT seconds, or 1500, and QEMU
# a minute more to end by itself; a guest that QEMU has stopped as KVM cannot run it any
# more is ended
nested_run() {
	local accel=$1 pid

	shift
	mkdir -p $NESTED
	[ -n "${NESTED_KERNEL:-}" ] || nested_make
	# shellcheck disable=SC2046,SC2086 # one argument a word
	timeout -k 60 "${NESTED_TIMEOUT:-1500}" $NESTED_QEMU -nodefaults -no-user-config -display none -no-reboot \
		-accel "$accel" $(nested_args) -append "$NESTED_APPEND" \
		-serial file:$NESTED/console.log "$@" < /dev/null > $NESTED/qemu.log 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		if grep -qs 'kvm run failed' $NESTED/qemu.log; then
			kill $pid
			break
		fi
		sleep 1
	done
	wait $pid
}

# Boot a guest with the device: nested_boot BDF ACCEL [MORE...], as nested_run(); the device has
# the properties in NESTED_DEVICE as well
nested_boot() {
	local bdf=$1 accel=$2

	nested_run "$accel" -device pcie-root-port,id=rp,chassis=1 \
		-device "vfio-pci,host=$bdf,bus=rp${NESTED_DEVICE:+,$NESTED_DEVICE}" "${@:3}"
}

# Report the guest's results as tests of this scenario
nested_report() {
	tr -d '\r' < $NESTED/console.log | sed -n -e 's/.*t2guest: ok /@@ ok in the guest: /p' \
		-e 's/.*t2guest: FAIL /@@ fail in the guest: /p' -e 's/.*t2guest: finished/@@ ok in the guest: the driver runs to its end/p' |
		sort -u
	! has no_msi || skip "in the guest: interrupts: the host cannot set up any in this machine"
	check "the guest runs to its end" grep -q 'guest: finished' $NESTED/console.log
	grep -q 't2guest: finished' $NESTED/console.log ||
		{ echo "@@ fail in the guest: the driver runs to its end"; tail -n 30 $NESTED/console.log $NESTED/qemu.log | sed 's/^/    /'; }
}

# The output of the guest's lspci
nested_lspci() { tr -d '\r' < $NESTED/console.log | sed -n '/^guest: lspci/,/^guest: finished/{/^guest: /!p}'; }

# nested_shows REGEX: for check, does the guest's lspci print it?
nested_shows() {
	grep -qE "$1" $NESTED/console.log && return
	sed -n '/^[0-9a-f:.]* .*1234:c712/,$p' $NESTED/console.log
	return 1
}
