# SPDX-License-Identifier: GPL-2.0-only
# 64 GiB of HDM memory: mapped, touched at its ends, unmapped.  With struct pages as
# well by make check-full.
# t2dev: --decoders=4 --decoder=0,base=5G,size=2G --decoder=1,base=7G,size=256M,committed=1 --decoder=2,base=0x1d0000000,size=512M,committed=1
# t2dev: --decoder=0,base=8G,size=64G
# memmap: 3G$5G,64G$8G
# mem: 72G

bdf=$(dev 1)
try() { # pages
	local free cost

	modprobe cxl-vfio-pci keep_memory=1 "struct_pages=$1"
	free=$(free_memory)
	check "64 GiB can be bound with struct_pages=$1" equal "$(bind "$bdf")" 0
	cost=$(cat "$PCI/devices/$bdf/cxl_vfio/struct_pages")
	if [ "$1" = on ]; then
		check "struct pages cost what sysfs says: $((cost >> 10)) KiB" \
			within $(((cost >> 10) - 8192)) $((free - $(free_memory))) $(((cost >> 10) + 8192))
	fi
	check "mapped and touched at both ends" large_map "$bdf"
	# SIZE LOW of such a range is 0 but for its flags
	DEVICE=$bdf tap mem_test -t gate_heeds_memory_active
	unbind "$bdf"
	check "and given back" sh -c '! grep -q cxl_vfio_pci /proc/iomem'
	modprobe -r cxl-vfio-pci
}

try off
! full || try on
