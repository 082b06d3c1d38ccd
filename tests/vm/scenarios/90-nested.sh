# SPDX-License-Identifier: GPL-2.0-only
# Stock QEMU with KVM gives the device to a stock guest.  On x86 device memory has struct pages
# where KVM pins pages; on the newest series 91-libvirt.sh tests it with struct pages.  On
# arm64 struct pages change nothing for KVM.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# needs: nested

. /src/tests/vm/guest/nested.sh
bdf=$(dev)
load_kvm
check "/dev/kvm exists" [ -c /dev/kvm ]
pages=off
! has kvm_pins || ! has x86 || pages=on
modprobe cxl-vfio-pci struct_pages=$pages
check "the device binds with struct_pages=$pages" equal "$(bind "$bdf")" 0
nested_boot "$bdf" kvm -cpu host
nested_report
check "lspci in the guest shows device memory as BAR 4" \
	nested_shows 'Region 4: Memory at .* \(64-bit, prefetchable\) .*\[size=256M\]'
check "lspci in the guest shows the CXL Device DVSEC" nested_shows 'CXLCap:.*Mem\+'
errors=': warning: '
! has no_msi || errors+='\|MSI-\?X'
check "QEMU prints nothing but warnings" sh -c "! grep -v '$errors' $NESTED/qemu.log"
check "the gate is closed after QEMU has ended" equal "$(cat "$PCI/devices/$bdf/cxl_vfio/gate")" closed
