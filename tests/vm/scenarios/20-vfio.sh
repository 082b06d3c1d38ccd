# SPDX-License-Identifier: GPL-2.0-only
# A bound device as a VMM sees it: vfio_test.c has the expectations.

bdf=$(dev)
no_msi=N
! has no_msi || no_msi=Y
modprobe cxl-vfio-pci keep_memory=1
for place in middle start end; do
	t2ctl "$bdf" "--block=$place"
	check "the device binds with the component block at the $place of its BAR" equal "$(bind "$bdf")" 0
	# Tests that do not depend on the place of the block run once
	only=()
	[ $place = middle ] || only=(-t component_bar_sparse_mmap
		-t component_bar_shows_the_block_as_comp_regs_does
		-t component_bar_access_over_the_blocks_border_is_split
		-t register_locator_names_the_component_block
		-t ioeventfds_are_refused)
	DEVICE=$bdf HPA=0x100000000 NO_MSI=$no_msi LABEL="block at the $place" tap vfio_test "${only[@]}"
	unbind "$bdf"
done
bind "$bdf" > /dev/null
group=$(basename "$(readlink "$PCI/devices/$bdf/iommu_group")")
check "docs/vmm-example.c maps device memory" \
	sh -c "vmm-example /dev/vfio/$group $bdf | grep -q 'it reads 42'"
