# SPDX-License-Identifier: GPL-2.0-only
# The 1st, 2nd, 3rd ... allocation or user copy of what a user does with the device fails:
# progs/fault.c.
# needs: fault_injection

. /src/tests/vm/guest/fault.sh
bdf=$(dev)
modprobe -q cxl_acpi
modprobe cxl-vfio-pci keep_memory=1
before=$(iomem)
check "the device binds" equal "$(bind "$bdf")" 0

# ENOMEM is 12, EFAULT 14, 0 a short count.  EBUSY, 16, is how the driver reports
# a BAR that vfio-pci-core could not request or map, without the reason.
fault_below_driver failslab fail_page_alloc
walk "allocation" open 12 16
for operation in close bar-info hdm-info dma-buf bar-dma-buf core-dma-buf; do
	walk "allocation" $operation 12
done
fault_anywhere failslab fail_page_alloc
for operation in mmap touch; do
	walk "allocation" $operation 12
done
fault_below_driver failslab fail_page_alloc
# Reads and writes allocate nothing
for operation in reset cxl-reset; do
	walk "allocation" $operation 12
done
# HDM memory is copied by functions that cannot be made to fail
fault_anywhere fail_usercopy
for operation in info bar-info hdm-info dma-buf read-config write-config read-dvsec read-comp \
	write-comp read-bar bar-dma-buf; do
	walk "user copy" $operation 14 0
done
# The driver writes a page of its own, where a copy fails for want of memory alone
walk "user copy" core-dma-buf 14 12
fault_nothing

check "the device works afterwards" sh -c "vfio_info $bdf | grep -q '^region 9'"
unbind "$bdf"
check "/proc/iomem is as before" equal "$(iomem)" "$before"
