# SPDX-License-Identifier: GPL-2.0-only
# Stock QEMU with KVM gives a device with memory by ranges, and one in the root complex, to
# a stock guest, as 90-nested.sh does with the usual device.
# t2dev: @root --profile=rciep-decoders
# t2dev: --profile=no-locator --decoder=0,base=0x110000000
# memmap: 512M$0x100000000
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# needs: nested ends x86

. /src/tests/vm/guest/nested.sh
load_kvm
pages=off
! has kvm_pins || pages=on
modprobe cxl-vfio-pci struct_pages=$pages

try() { # name bdf
	check "$1: the device binds with struct_pages=$pages" equal "$(bind "$2")" 0
	nested_boot "$2" kvm -cpu host
	nested_report | sed "s/^@@ [a-z]* /&$1: /"
	check "$1: lspci in the guest shows device memory as BAR 4" \
		nested_shows 'Region 4: Memory at .* \(64-bit, prefetchable\) .*\[size=256M\]'
	check "$1: lspci in the guest shows the CXL Device DVSEC" nested_shows 'CXLCap:.*Mem\+'
	check "$1: lspci in the guest shows an endpoint" nested_shows 'Express \(v2\) Endpoint'
	check "$1: QEMU prints nothing but warnings" sh -c "! grep -v ': warning: ' $NESTED/qemu.log"
	check "$1: the gate is closed after QEMU has ended" \
		equal "$(cat "$PCI/devices/$2/cxl_vfio/gate")" closed
	unbind "$2"
}

check "the first device is in the root complex" \
	sh -c "lspci -vs $(dev 0) | grep -q 'Root Complex Integrated Endpoint'"
try rciep-decoders "$(dev 0)"
# A guest takes minutes on the debug kernel
has debug || try no-locator "$(dev 1)"
