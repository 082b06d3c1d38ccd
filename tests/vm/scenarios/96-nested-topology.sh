# SPDX-License-Identifier: GPL-2.0-only
# A guest with a CXL stack finds the device in a CXL topology, on stock QEMU with KVM, by the
# options that cxl-vfio prints.  Its driver takes the memory from the kernel's CXL subsystem.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# needs: nested_topology tools x86

. /src/tests/vm/guest/topology.sh
bdf=$(dev)
load_kvm
check "/dev/kvm exists" [ -c /dev/kvm ]
check "cxl-vfio qemu wants a bound device" sh -c "! cxl-vfio qemu --topology $bdf"
check "the device binds" equal "$(bind "$bdf")" 0
topology_options "$bdf"
check "cxl-vfio qemu names the table of the package" [ -e "${qemu[-1]#file=}" ]
topology_boot "${qemu[@]}"
cat $NESTED/lines
check "QEMU prints nothing but warnings" sh -c "! grep -v ': warning: ' $NESTED/qemu.log"
check "the table has moved the window" guest_says 'table: done$'
check "the guest's CXL stack has a memdev, an endpoint and a region" \
	guest_says 'start: bus .*decoder2\.0 endpoint2 mem0 .*port1 region0 root0'
check "decoders and region of the guest are at the address of BAR 4" topology_is_at_the_bar start
check "cxl list in the guest shows the region" grep -q '"region":"region0"' $NESTED/lines
check "unbinding the guest's driver removes memdev and region" \
	sh -c "! grep '^guest: unbound: bus .*\(mem0\|region\)' $NESTED/lines"
check "the guest resets the function" guest_says 'function reset done'
check "after reset and rebind the region is at the address of BAR 4" topology_is_at_the_bar rebound
check "the guest does a CXL reset" guest_says 'CXL reset done'
check "after CXL reset and rebind the region is at the address of BAR 4" \
	topology_is_at_the_bar "after CXL reset"
topology_report 3
check "the guest's kernel has no complaint" \
	sh -c "! grep -E 'ACPI (BIOS )?Error|WARNING|BUG:|Expanded resource' $NESTED/lines"
check "the gate is closed after QEMU has ended" equal "$(cat "$PCI/devices/$bdf/cxl_vfio/gate")" closed
