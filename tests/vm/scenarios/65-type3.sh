# SPDX-License-Identifier: GPL-2.0-only
# QEMU's own memory expander, a device that this project did not write.
# t2dev: @type3
# t2dev: --io-bar --decoder=0,base=0x130000000
# t2dev:
# t2dev: @sibling --misbehave=no-mem-capable
# t2dev: @igb
# memmap: 256M$0x100000000,256M$0x130000000

bdf=$(lspci -Dn -d ::0502 | awk '{print $1}')
# Play firmware: commit the decoders of host bridge and device to the window
modprobe cxl_acpi
base=0x$(sed -n 's/^ *\([0-9a-f]*\)-.* : CXL Window 0$/\1/p' /proc/iomem)
check "/proc/iomem has a CXL window" [ "$base" != 0x ]
modprobe -r cxl_acpi
check "t2fw commits the decoder of the host bridge" t2fw commit "$(host_bridge)" 0 "$base,256M" 0
check "t2fw commits the decoder of the memory expander" t2fw device "$bdf" "$base,256M"

if has topology; then
	modprobe cxl-vfio-pci cxl_core=require
	log_mark
	check "cxl_core=require: bind fails with EPERM for a memory expander" equal "$(bind "$bdf")" EPERM
	check "cxl_core=require: the log says that the topology is for cxl_pci" \
		logged "$bdf: cxl_core=require: memory expanders belong to cxl_pci"
	modprobe -r cxl-vfio-pci
fi

if has tools; then
	. /src/tests/vm/guest/verdicts.sh
	modprobe cxl-vfio-pci
	setpci -s "$bdf" COMMAND=2:2
	agree "a memory expander" "$bdf"
fi
log_mark
check "the memory expander binds" equal "$(bind "$bdf")" 0
check "the log names the range of the memory expander" \
	logged "$bdf: HDM decoder 0: \[mem $base-0x[0-9a-f]*\], 256 MiB"
check "a CXL window of the platform confirms the range" \
	sh -c "! klog 'lab: mark $$' | grep 'names no CXL window'"
check "the memory expander is not in the kernel's topology" \
	equal "$(cat "$PCI/devices/$bdf/cxl_vfio/topology")" none
DEVICE=$bdf tap type3_test

# The debug kernel has no driver for hotplug slots
! has debug || return 0

# Hot unplug: the slot is powered off while a user has the device open
hold "$bdf" /tmp/gone > /tmp/hold.log 2>&1 &
user=$!
timeout 600 sh -c 'until grep -q ready /tmp/hold.log; do sleep 0.1; done'
slot=$(grep -l "${bdf%.0}" "$PCI/slots/"*/address)
echo 0 > "${slot%/address}/power" &
power=$!
sleep 2
check "a hot unplug waits for the user of the device" [ -e "$PCI/devices/$bdf" ]
touch /tmp/gone
wait $user
check "the user keeps the memory until it closes the device" equal $? 0
wait $power
check "the device is gone after the user has closed it" [ ! -e "$PCI/devices/$bdf" ]
check "/proc/iomem has no claim of the driver after the hot unplug" sh -c "! grep -q $OURS /proc/iomem"
