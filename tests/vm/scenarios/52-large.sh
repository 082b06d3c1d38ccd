# SPDX-License-Identifier: GPL-2.0-only
# 64 GiB of HDM memory: mapped, touched at its ends, unmapped.  make check-full repeats
# this with struct pages.
# t2dev: --decoders=4 --decoder=0,base=5G,size=2G --decoder=1,base=7G,size=256M,committed=1 --decoder=2,base=0x1d0000000,size=512M,committed=1
# t2dev: --decoder=0,base=8G,size=64G
# memmap: 3G$5G,64G$8G
# mem: 72G
# needs: large

bdf=$(dev 1)
try() { # pages
	local free cost

	modprobe cxl-vfio-pci keep_memory=1 "struct_pages=$1"
	free=$(free_memory)
	check "a device with 64 GiB binds with struct_pages=$1" equal "$(bind "$bdf")" 0
	cost=$(cat "$PCI/devices/$bdf/cxl_vfio/struct_pages")
	if [ "$1" = on ]; then
		check "struct pages take as much host memory as sysfs says ($((cost >> 10)) KiB)" \
			within $(((cost >> 10) - 8192)) $((free - $(free_memory))) $(((cost >> 10) + 8192))
	fi
	check "struct_pages=$1: a mapping of 64 GiB works at both ends" large_map "$bdf"
	# Of such a size RANGE SIZE LOW has no bits but its flags
	DEVICE=$bdf LABEL="struct_pages=$1" tap mem_test -t gate_heeds_memory_active
	unbind "$bdf"
	check "struct_pages=$1: unbinding releases the range of 64 GiB" sh -c '! grep -q cxl_vfio_pci /proc/iomem'
	modprobe -r cxl-vfio-pci
}

try off
! full || try on
