# SPDX-License-Identifier: GPL-2.0-only
# The device through its character device and iommufd: iommufd_test.c.
# needs: iommufd

bdf=$(dev)
before=$(iomem)
modprobe iommufd
modprobe t2lab
for pages in off on; do
	modprobe cxl-vfio-pci keep_memory=1 struct_pages=$pages
	check "the device binds (struct_pages=$pages)" equal "$(bind "$bdf")" 0
	DEVICE=$bdf LABEL="struct_pages=$pages" tap iommufd_test
	DEVICE=$bdf HPA=0x100000000 LABEL="group afterwards, struct_pages=$pages" tap vfio_test \
		-t device_is_cxl -t device_reaches_memory_through_dma_and_interrupts
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
done
check "/proc/iomem is as before" equal "$(iomem)" "$before"
