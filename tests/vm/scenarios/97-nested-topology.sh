# SPDX-License-Identifier: GPL-2.0-only
# The guest of 96-nested-topology.sh with remove and rescan, with lockdown, and with a CEDT
# that the table does not know.  On series whose cxl-core does not serve drivers of
# Type-2 devices, a guest that uses the memory as BAR.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# timeout: 10800
# needs: guest tools x86
# full: yes

. /src/tests/vm/guest/topology.sh
bdf=$(dev)
load_kvm
pages=off
! has kvm_pins || pages=on
modprobe cxl-vfio-pci struct_pages=$pages
check "the device binds" equal "$(bind "$bdf")" 0
topology_options "$bdf"

if ! has topology; then
	LABEL="this kernel"
	topology_boot "${qemu[@]}"
	topology_report 0
	check "the table has moved the window" guest_says 'table: done$'
	check "the guest's CXL stack has the root decoder" guest_says 'start: bus .*decoder0\.0.*root0'
	check "the guest's other driver uses the memory as BAR" grep -q 't2guest: finished' $NESTED/lines
	exit
fi

LABEL=SeaBIOS TOPOLOGY_APPEND=rescan
topology_boot "${qemu[@]}"
topology_report 4
check "$LABEL: the table has moved the window" guest_says 'table: done$'
check "$LABEL: after remove and rescan the region is at the address of BAR 4" topology_is_at_the_bar rescanned
grep -E '^guest: |PCI Bus|CXL Window' $NESTED/lines

LABEL=lockdown TOPOLOGY_APPEND=lockdown=integrity
topology_boot "${qemu[@]}"
check "$LABEL: the table has moved the window" guest_says 'table: done$'
check "$LABEL: the kernel's own CXL modules have the root decoder" \
	guest_says 'start: bus .*decoder0\.0.*root0'
check "$LABEL: cxl list shows the window" grep -q '"decoder":"decoder0.0"' $NESTED/lines
check "$LABEL: the kernel refuses the guest's driver, which is not signed" guest_says 'not loaded: t2cxl.ko$'
check "$LABEL: it is the only module that the kernel refuses" \
	equal "$(grep -c '^guest: not loaded' $NESTED/lines)" 1

# One more window for the host bridge: QEMU's table is longer than those that are known
LABEL="unknown CEDT" TOPOLOGY_APPEND=
qemu[1]+=,cxl-fmw.1.targets.0=cxl-vfio-bridge,cxl-fmw.1.size=256M
topology_boot "${qemu[@]}"
check "$LABEL: the table says so" guest_says 'table: unknown CEDT$'
check "$LABEL: the driver gets no region" grep -q 't2cxl: no region' $NESTED/lines
with=$(guest_value CEDT:)
topology_boot "${qemu[@]:0:${#qemu[@]}-2}"
check "$LABEL: without the table the guest has none" guest_says 'table: $'
check "$LABEL: the CEDT is as without the table" equal "$(guest_value CEDT:)" "$with"
