# SPDX-License-Identifier: GPL-2.0-only
# Parts of the kernel hold the device's memory: the tool and the driver agree, the tool names
# who has it, and the commands that it prints give the memory back.
# needs: tools newest x86
# mem: 4G
# t2dev:
# t2dev: --decoder=0,base=0x110000000
# memmap: 256M%0x100000000-1+0xefffffff,256M!0x110000000

. /src/tests/vm/guest/verdicts.sh
modprobe cxl-vfio-pci

# Have the tool name the holder, run its commands word for word, and bind
free() { # what bdf holder
	local commands

	setpci -s "$2" COMMAND=2:2
	agree "$1" "$2"
	check "$1: the remedy names $3" grep -q "$3" <(fact remedy)
	commands=$(fact commands)
	check "$1: the tool prints commands" [ -n "$commands" ]
	check "$1: the commands succeed" sh -ec "$commands"
	setpci -s "$2" COMMAND=2:2
	agree "$1, after the commands" "$2"
	check "$1, after the commands: the device binds" equal "$(bind "$2")" 0
	unbind "$2"
}

bdf=$(dev 0)
setpci -s "$bdf" COMMAND=2:2
agree "special purpose memory that nobody uses" "$bdf"
check "dax_hmem loads" modprobe dax_hmem
setpci -s "$bdf" COMMAND=2:2
agree "special purpose memory of a DAX device without a driver" "$bdf"
check "kmem loads" modprobe kmem
timeout 60 sh -c 'until grep -q "System RAM (kmem)" /proc/iomem; do sleep 0.1; done'
check "kmem makes the memory RAM" grep -q 'System RAM (kmem)' /proc/iomem
free "RAM by kmem" "$bdf" kmem
modprobe device_dax
echo dax0.0 > /sys/bus/dax/drivers/device_dax/new_id
[ -e /sys/bus/dax/devices/dax0.0/driver ] || echo dax0.0 > /sys/bus/dax/drivers/device_dax/bind
check "device_dax has the memory" grep -q ' : dax0.0' /proc/iomem
free "device_dax" "$bdf" dax0.0

bdf=$(dev 1)
setpci -s "$bdf" COMMAND=2:2
agree "persistent memory without a driver" "$bdf"
modprobe nd_e820
modprobe nd_pmem
timeout 60 sh -c 'until grep -q " : namespace" /proc/iomem; do sleep 0.1; done'
namespace=$(grep -o 'namespace[0-9.]*$' /proc/iomem)
check "nd_pmem has the memory" [ -n "$namespace" ]
free "nd_pmem" "$bdf" "$namespace"
cat /proc/iomem
