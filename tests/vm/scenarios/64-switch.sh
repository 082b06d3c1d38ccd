# SPDX-License-Identifier: GPL-2.0-only
# A switch between root port and device, and a device with two decoders.
# t2dev: @switch --decoders=2
# memmap: 512M$0x100000000
# topology: 0x100000000,256M
# topology: window 0x110000000,256M
# needs: topology

bdf=$(dev)
path=$(readlink -f "$PCI/devices/$bdf")
switch=$(basename "${path%/*/*}")
log_mark
check "a device below a switch without a committed decoder binds" equal "$(bind "$bdf")" 0
check "the log says that the switch keeps the device out of the topology" \
	logged "not in the kernel's CXL topology: a switch above has no HDM decoder"
DEVICE=$bdf LABEL="outside the topology" tap mem_test -t gate_heeds_memory_active
unbind "$bdf"

check "t2fw commits the switch's decoder" t2fw device "$switch" 0x100000000,256M 0
log_mark
check "a device below a switch with a committed decoder binds" equal "$(bind "$bdf")" 0
check "the log says that the device below the switch is in the topology" logged "in the kernel's CXL topology as mem0, memory as region0"
DEVICE=$bdf LABEL="in the topology" tap mem_test -t gate_heeds_memory_active
unbind "$bdf"

t2ctl "$bdf" --decoder=1,base=0x110000000,size=256M,committed=1
log_mark
check "a device with two ranges binds" equal "$(bind "$bdf")" 0
check "the log says that two decoders keep the device out of the topology" \
	logged "not in the kernel's CXL topology: cxl-core takes one decoder, the first"
unbind "$bdf"
