# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For scenarios with a native driver.  native_boot() is for those that have it in the
# initramfs, where it has the two devices first: the commands that `cxl-vfio` prints have the
# initramfs give them to this driver instead.  One is bound by a udev rule, one by driverctl.

native_in_use=$(dev) native_idle=$(dev 1)
# From the second boot on the host uses the network interface of the first device, as long
# as it has one, before any unit may take the device away
interface_up=/etc/systemd/system/interface-up.service

# Did the native driver have a device in this boot?
native_had() { dmesg | grep -q "t2native $1: the native driver has the device"; }
never_native() { ! native_had "$1"; }
# The boot after unbind --persist
native_again() { # bdf...
	local bdf

	for bdf in "$@"; do
		check "after unbind --persist and a reboot the native driver has device ${bdf:5:2}" \
			equal "$(driver_of "$bdf")" t2native
		check "after unbind --persist and a reboot device ${bdf:5:2} has no override" \
			equal "$(cat "$PCI/devices/$bdf/driver_override")" "(null)"
	done
}

native_boot() { # number command-as-regex command-after-unbind
	local bdf recipe

	case $1 in
	1)
		for bdf in "$native_in_use" "$native_idle"; do
			check "before: the native driver has device ${bdf:5:2}" equal "$(driver_of "$bdf")" t2native
		done
		check "bind --persist takes a device from the native driver, with driverctl" cxl-vfio bind --persist "$native_idle"
		mv /usr/sbin/driverctl /usr/sbin/driverctl.off
		check "bind --persist takes a device from the native driver" cxl-vfio bind --persist "$native_in_use"
		mv /usr/sbin/driverctl.off /usr/sbin/driverctl
		cat > $interface_up <<-END
			[Unit]
			DefaultDependencies=no
			After=systemd-udevd.service
			Before=basic.target
			[Service]
			Type=oneshot
			ExecStart=/bin/sh -c 'udevadm settle; for net in /sys/bus/pci/devices/$native_in_use/net/*; do [ ! -e "\$net" ] || ip link set "\$\${net##*/}" up; done'
			[Install]
			WantedBy=basic.target
		END
		systemctl enable ${interface_up##*/}
		;;
	2)
		for bdf in "$native_in_use" "$native_idle"; do
			check "without the commands the native driver has device ${bdf:5:2} first" native_had "$bdf"
		done
		check "without the commands the native driver keeps a device that is in use" \
			equal "$(driver_of "$native_in_use")" t2native
		check "the unit says why it did not bind the device" \
			says 'its network interface .* is up' systemctl status --no-pager -l "cxl-vfio@$native_in_use.service"
		check "cxl-vfio doctor says that the native driver has the device" \
			says "boot +$native_in_use: t2native has the device although driver_override names $OURS" cxl-vfio doctor
		cxl-vfio doctor | sed -n 's/.*bind the device first and reboot: //p' | head -n 1 > /root/recipe
		recipe=$(cat /root/recipe)
		echo "the commands: $recipe"
		check "cxl-vfio doctor prints the commands for this initramfs" grep -q "$2" /root/recipe
		cxl-vfio bind --persist "$native_idle" > /tmp/bind
		check "cxl-vfio bind --persist prints the same commands" grep -F "reboot: $recipe" /tmp/bind
		check "the commands succeed" bash -ec "$recipe"
		;;
	3)
		for bdf in "$native_in_use" "$native_idle"; do
			check "after the commands device ${bdf:5:2} is bound at boot" equal "$(driver_of "$bdf")" "$OURS"
			check "after the commands the native driver never has device ${bdf:5:2}" never_native "$bdf"
			check "after the commands vfio opens device ${bdf:5:2}" vfio_info "$bdf"
			cxl-vfio unbind --persist "$bdf" > /tmp/unbind
			cat /tmp/unbind
			check "unbind --persist of device ${bdf:5:2} names the command for the initramfs" grep -q "$3\$" /tmp/unbind
		done
		check "the command for the initramfs succeeds" bash -ec "$(sed -n "s/.*: \($3\)\$/\1/p" /tmp/unbind)"
		;;
	4)
		native_again "$native_in_use" "$native_idle"
		;;
	esac
}
