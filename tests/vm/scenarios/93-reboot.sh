# SPDX-License-Identifier: GPL-2.0-only
# What bind --persist writes binds devices when systemd boots, and unbind --persist ends
# it.  Of three devices one is left to the unit alone, one to driverctl and one to the udev
# rule.  The native driver is in the root file system, where udev loads it.
# t2dev:
# t2dev: --decoder=0,base=0x110000000
# t2dev: --decoder=0,base=0x120000000
# memmap: 768M$0x100000000
# smp: 2
# boots: 3
# full: yes
# needs: tools newest x86

. /src/tests/vm/guest/native.sh
by_unit=$(dev) by_driverctl=$(dev 1) by_rule=$(dev 2)
wants=/etc/systemd/system/multi-user.target.wants
unit=cxl-vfio@$by_unit.service
rule() { echo "/etc/udev/rules.d/60-cxl-vfio-$1.rules"; }
# The time at which systemd began or ended to start a unit, in microseconds from boot
when() { systemctl show --value -p "$2" "$1"; }
before() { # time unit time unit
	local a b

	a=$(when "$2" "$1") b=$(when "$4" "$3")
	[ "$a" -gt 0 ] && [ "$a" -le "$b" ] && return
	echo "$1 of $2 is '$a', $3 of $4 is '$b'"
	return 1
}

case $(boot_number) in
1)
	for bdf in "$by_unit" "$by_driverctl" "$by_rule"; do
		check "before: udev gives the native driver device ${bdf:5:2}" equal "$(driver_of "$bdf")" t2native
	done
	check "bind --persist with driverctl succeeds" cxl-vfio bind --persist "$by_driverctl"
	mv /usr/sbin/driverctl /usr/sbin/driverctl.off
	check "bind --persist of a second device succeeds" cxl-vfio bind --persist "$by_unit"
	check "bind --persist of a third device succeeds" cxl-vfio bind --persist "$by_rule"
	mv /usr/sbin/driverctl.off /usr/sbin/driverctl
	check "systemd-analyze finds no fault in the unit" systemd-analyze verify --man=no /usr/lib/systemd/system/cxl-vfio@.service
	# The rule is to bind the device also if the module is loaded by then
	echo cxl-vfio-pci > /etc/modules-load.d/cxl-vfio.conf
	rm "$(rule "$by_unit")" "$wants/cxl-vfio@$by_driverctl.service" "$wants/cxl-vfio@$by_rule.service"
	;;
2)
	check "after a reboot a device that the unit alone names is bound" equal "$(driver_of "$by_unit")" "$OURS"
	check "after a reboot a device that driverctl alone names is bound" equal "$(driver_of "$by_driverctl")" "$OURS"
	check "after a reboot a device that the udev rule alone names is bound" equal "$(driver_of "$by_rule")" "$OURS"
	check "the unit is active" systemctl is-active "$unit"
	check "systemd started the unit after it had loaded modules" \
		before ActiveEnterTimestampMonotonic systemd-modules-load.service InactiveExitTimestampMonotonic "$unit"
	check "systemd started libvirtd after the unit had bound the device" \
		before ActiveEnterTimestampMonotonic "$unit" InactiveExitTimestampMonotonic libvirtd.service
	for bdf in "$by_unit" "$by_driverctl" "$by_rule"; do
		check "after a reboot vfio opens device ${bdf:5:2}" vfio_info "$bdf"
		check "unbind --persist of device ${bdf:5:2} succeeds" cxl-vfio unbind --persist "$bdf"
		check "unbind --persist gives the native driver device ${bdf:5:2}" equal "$(driver_of "$bdf")" t2native
	done
	;;
3)
	native_again "$by_unit" "$by_driverctl" "$by_rule"
	;;
esac
