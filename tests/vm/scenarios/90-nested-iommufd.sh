# SPDX-License-Identifier: GPL-2.0-only
# The guest of 90-nested.sh with a QEMU that opens the device through iommufd and its
# character device.  iommufd maps no device memory by its address: QEMU gives it the dma-buf
# of each BAR, and takes offsets in the BAR for offsets in the dma-buf.  That of a BAR with
# the component register block at its start or in its middle begins elsewhere or has two
# ranges, and iommufd refuses it; QEMU goes on.
# t2dev: --profile=component-block-last
# t2dev: --profile=component-block-first --decoder=0,base=0x110000000
# t2dev: --profile=component-block-middle --decoder=0,base=0x120000000
# memmap: 768M$0x100000000
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# timeout: 14400
# needs: nested iommufd x86

. /src/tests/vm/guest/nested.sh
load_kvm
modprobe iommufd
check "/dev/iommu exists" [ -c /dev/iommu ]

try() { # name bdf
	check "$1: the device binds" equal "$(bind "$2")" 0
	check "$1: the device has a character device" [ -d "$PCI/devices/$2/vfio-dev" ]
	NESTED_DEVICE=iommufd=iommufd nested_boot "$2" kvm -cpu host -object iommufd,id=iommufd
	nested_report | sed "s/^@@ [a-z]* /&$1: /"
	check "$1: lspci in the guest shows device memory as BAR 4" \
		nested_shows 'Region 4: Memory at .* \(64-bit, prefetchable\) .*\[size=256M\]'
	check "$1: lspci in the guest shows the CXL Device DVSEC" nested_shows 'CXLCap:.*Mem\+'
	check "$1: the gate is closed after QEMU has ended" \
		equal "$(cat "$PCI/devices/$2/cxl_vfio/gate")" closed
	unbind "$2"
}

# The parts of a BAR of 256 KiB before and behind a block of 64 KiB
warning='vfio_container_dma_map[(].*, 0x[0-9a-f]*, 0x[123]0000, .* = -(22|95) '
try "block at the end of its BAR" "$(dev)"
check "block at the end of its BAR: QEMU maps every BAR and prints nothing" \
	sh -c "! grep . $NESTED/qemu.log"
for n in 1 2; do
	[ $n = 1 ] && name="block at the start of its BAR" || name="block in the middle of its BAR"
	try "$name" "$(dev $n)"
	check "$name: QEMU warns of this BAR, which it does not map" \
		equal "$(grep -c 'vfio_container_dma_map' $NESTED/qemu.log)" 1
	check "$name: QEMU prints nothing else" \
		sh -c "! grep -vE '$warning|PCI peer-to-peer transactions on BARs' $NESTED/qemu.log"
done
