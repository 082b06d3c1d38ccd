# SPDX-License-Identifier: GPL-2.0-only
# As 81-fault-use.sh, with struct pages and a device that loses its decoders in each reset,
# where the driver allocates most.
# needs: fault_injection

. /src/tests/vm/guest/fault.sh
bdf=$(dev)
modprobe -q cxl_acpi
before=$(iomem)
modprobe cxl-vfio-pci keep_memory=1 struct_pages=on
t2ctl "$bdf" --lose=flr,cxl,bus,d3
check "the device binds with struct_pages=on" equal "$(bind "$bdf")" 0
fault_below_driver failslab fail_page_alloc
# 16, EBUSY: see 81-fault-use.sh
walk "allocation" open 12 16
for operation in close dma-buf reset cxl-reset; do
	walk "allocation" $operation 12
done
fault_anywhere failslab fail_page_alloc
walk "allocation" touch 12
fault_nothing
t2ctl "$bdf" restore
check "the device works afterwards" sh -c "vfio_info $bdf | grep -q '^region 9'"
unbind "$bdf"
check "/proc/iomem is as before" equal "$(iomem)" "$before"
