# SPDX-License-Identifier: GPL-2.0-only
# Stock QEMU with KVM gives the device to a stock guest.  On 6.12, whose KVM takes
# references, device memory has struct pages; on 7.3 that is tested in 91-libvirt.sh.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# kernels: 6.12 7.3

. /src/tests/vm/guest/nested.sh
bdf=$(dev)
load_kvm
check "this machine has KVM" [ -c /dev/kvm ]
pages=off
case $(uname -r) in
6.*) pages=on ;;
esac
modprobe cxl-vfio-pci struct_pages=$pages
check "binding works with struct_pages=$pages" equal "$(bind "$bdf")" 0
nested_boot "$bdf" kvm -cpu host
nested_report
check "lspci in the guest shows device memory as a BAR" \
	nested_shows 'Region 4: Memory at .* \(64-bit, prefetchable\) .*\[size=256M\]'
check "and the CXL Device DVSEC" nested_shows 'CXLCap:.*Mem\+'
check "QEMU has no complaint" sh -c "! grep -v ': warning: ' $NESTED/qemu.log"
check "and lets the device go" equal "$(cat "$PCI/devices/$bdf/cxl_vfio/gate")" closed
