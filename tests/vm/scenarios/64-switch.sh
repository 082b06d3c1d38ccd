# SPDX-License-Identifier: GPL-2.0-only
# A switch between root port and device, and a device of two decoders.
# t2dev: @switch --decoders=2
# memmap: 512M$0x100000000
# topology: 0x100000000,256M
# needs: topology

bdf=$(dev)
path=$(readlink -f "$PCI/devices/$bdf")
switch=$(basename "${path%/*/*}")
log_mark
check "a device below a switch that does not decode its range is bound" equal "$(bind "$bdf")" 0
check "out of the topology, as the log says" \
	logged "not in the kernel's CXL topology: a switch above has no HDM decoder"
DEVICE=$bdf tap mem_test -t gate_heeds_memory_active
unbind "$bdf"

check "firmware commits the switch's decoder" t2fw device "$switch" 0x100000000,256M 0
log_mark
check "then it is bound" equal "$(bind "$bdf")" 0
check "as part of the topology" logged "in the kernel's CXL topology as mem0, memory as region0"
DEVICE=$bdf tap mem_test -t gate_heeds_memory_active
unbind "$bdf"

t2ctl "$bdf" --decoder=1,base=0x110000000,size=256M,committed=1
log_mark
check "a device with two ranges is bound" equal "$(bind "$bdf")" 0
check "out of the topology, as the log says" \
	logged "not in the kernel's CXL topology: cxl-core takes one decoder, the first"
unbind "$bdf"
