# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Headers for series that Debian has no packages of: those of the nearest packaged
# kernel, changed where the series differs in something that the driver uses.  Each
# difference has its source beside it; commits are Linus's, releases those that first
# had them.  No proof that the driver builds there, but a net.
#
# A stand-in is a function that names its base and edits its files; stand_in() runs
# it with $base (directories of unpacked packages) and $overlay (what lies over them).

# shellcheck disable=SC2034 # for builds.sh
STAND_INS="6.4 6.6 6.8 6.14 6.17 6.17-nvidia 6.18 7.0 7.2-vfio-cxl"

# The packaged kernel that a stand-in is made of, of those that chosen_headers() printed
base_of() { # stand-in, lines on stdin
	case $1 in
	6.4) grep '^amd64 6\.1\.[0-9-]*-amd64 ' | tail -n 1 ;;
	6.6|6.8|6.14) grep '^amd64 6\.12\.[0-9]*+deb13-amd64 ' | tail -n 1 ;;
	*) grep '^amd64 7\.2\.[0-9]*+deb13-amd64 ' | head -n 1 ;;
	esac
}

# Change a file of the base, by its path below the headers: edit PATH SED-SCRIPT
edit() {
	local dir file found=""

	for dir in $base; do
		for file in "$dir"/usr/src/linux-headers-*/"$1"; do
			[ ! -e "$file" ] || found=$overlay/${file#"$dir"/}
			[ -z "$found" ] || break 2
		done
	done
	[ -n "$found" ] || die "stand-in: the base has no $1"
	mkdir -p "${found%/*}"
	[ -e "$found" ] || cp "$file" "$found"
	sed -E "$2" "$found" > "$found.new"
	! cmp -s "$found" "$found.new" || die "stand-in: nothing to change in $1: $2"
	mv "$found.new" "$found"
}

without_symbol() { edit Module.symvers "/\t$1\t/d"; }

without_config() {
	edit include/generated/autoconf.h "/CONFIG_$1 /d"
	edit include/config/auto.conf "/^CONFIG_$1=/d"
}

# Stable updates of some series have the field: Debian's 6.1 from 6.1.187 (not in
# 6.1.176), 6.12 from 6.12.107 (not in 6.12.95), 7.2 from 7.2.6; upstream's 6.6, 6.8 and
# 6.18 were compiled without
without_disable_idle_d3() {
	edit include/linux/vfio_pci_core.h '/\bdisable_idle_d3:1;/d'
}

folio_order_users() {
	local dir

	for dir in $base; do
		grep -rlw MAX_FOLIO_ORDER "$dir"/usr/src/linux-headers-*/include |
			sed 's|.*/usr/src/linux-headers-[^/]*/||'
	done
}

# MAX_FOLIO_ORDER: "mm/page_alloc: reject unreasonable folio/compound page sizes in
# alloc_contig_range_noprof()", 6.18; Debian's 6.12 has it by a stable update
without_max_folio_order() {
	local file

	for file in $(folio_order_users); do
		edit "$file" 's/\bMAX_FOLIO_ORDER\b/STAND_IN_FOLIO_ORDER/g'
	done
}

stand_in_6.4() {
	# bc292ab00f6c "mm: introduce vma->vm_flags wrapper functions", 6.3
	edit include/linux/mm.h 's/^static inline void vma_init\(/static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)\n{\n\tvma->vm_flags |= flags;\n}\n\n&/'
	# a4d1f91db502 "vfio-iommufd: Support iommufd for physical VFIO devices", 6.2; the
	# fourth op, detach_ioas, is of 6.6 (8cfa71860233)
	edit include/linux/vfio.h 's/^struct iommufd_ctx;//; s/^struct vfio_device_ops \{/struct iommufd_ctx;\n\n&\n\tint (*bind_iommufd)(struct vfio_device *vdev, struct iommufd_ctx *ictx, u32 *out);\n\tvoid (*unbind_iommufd)(struct vfio_device *vdev);\n\tint (*attach_ioas)(struct vfio_device *vdev, u32 *pt_id);/'
	edit include/linux/vfio.h 's/^struct vfio_device \*_vfio_alloc_device\(|^#define vfio_alloc_device\(/#define vfio_iommufd_physical_bind NULL\n#define vfio_iommufd_physical_unbind NULL\n#define vfio_iommufd_physical_attach_ioas NULL\n\n&/'
	# "PCI/AER: Add optional logging callback for correctable error", 6.2
	edit include/linux/pci.h 's/^struct pci_error_handlers \{/&\n\tvoid (*cor_error_detected)(struct pci_dev *dev);/'
	without_disable_idle_d3
}

stand_in_6.6() {
	# b7c5e64fecfa "vfio: Create vfio_fs_type with inode per device", 6.10
	edit include/linux/vfio.h '/^\tstruct inode \*inode;/d'
	# aac6db75a9fc "vfio/pci: Use unmap_mapping_range()", 6.10, took these away
	edit include/linux/vfio_pci_core.h \
		's/^\tstruct rw_semaphore\tmemory_lock;/\tstruct mutex\t\tvma_lock;\n\tstruct list_head\tvma_list;\n&/'
	# 6857be5fecae "mm: introduce ARCH_SUPPORTS_HUGE_PFNMAP and special bits to pmd/pud",
	# 6.12
	without_config ARCH_SUPPORTS_HUGE_PFNMAP
	without_config ARCH_SUPPORTS_PMD_PFNMAP
	without_config ARCH_SUPPORTS_PUD_PFNMAP
	without_disable_idle_d3
	without_max_folio_order
}

# Nothing that the driver uses changed from 6.6 to 6.8
stand_in_6.8() { stand_in_6.6; }

stand_in_6.14() {
	# 365e31920844 "KVM: pfncache/kvm_host: pin pages while they are mapped" and its
	# series, 6.13: struct kvm_host_map has the page that it pinned
	edit include/linux/kvm_host.h 's/^struct kvm_host_map \{/&\n\tstruct page *pinned_page;/'
	without_disable_idle_d3
	without_max_folio_order
}

# What 6.18 lacks of 7.2
before_6.19() {
	before_7.1
	# The series "vfio: Make vfio get_region_info_caps an op", 6.19
	edit include/linux/vfio.h '/\(\*get_region_info_caps\)/,/;/d'
	edit include/linux/vfio_pci_core.h '/^int vfio_pci_ioctl_get_region_info\(/,/;/d'
	without_symbol vfio_pci_ioctl_get_region_info
	# 5d74781ebc86 "vfio/pci: Add dma-buf export support for MMIO regions", 6.19
	edit include/linux/vfio_pci_core.h '/\*pci_ops;/d'
	edit include/linux/vfio_pci_core.h 's/\bvfio_pci_device_ops\b/stand_in_device_ops/'
	without_symbol vfio_pci_core_get_dmabuf_phys
	# 2ec41967189c "mm: handle poisoning of pfn without struct pages", 6.19
	edit include/linux/memory-failure.h '/register_pfn_address_space/d'
	without_symbol register_pfn_address_space
	without_symbol unregister_pfn_address_space
	# The cache maintenance series "Cache coherency management subsystem", 6.19: before,
	# a resource descriptor stood for the range
	edit include/linux/memregion.h \
		's/\(phys_addr_t start, size_t len\)/(int res_desc)/; s/memregion\(0, -1\)/memregion(0)/'
	# The series "Disable ATS via iommu during PCI resets", after 6.18
	without_symbol pci_dev_reset_iommu_prepare
	without_symbol pci_dev_reset_iommu_done
	# The rename is of January 2026
	edit include/linux/dma-buf.h 's/\bdma_buf_invalidate_mappings\b/dma_buf_move_notify/'
	edit Module.symvers 's/\tdma_buf_invalidate_mappings\t/\tdma_buf_move_notify\t/'
}

# What 7.0 lacks of 7.2
before_7.1() {
	# Each BAR was requested at its first use: 7.2 is the first packaged kernel without
	# vfio_pci_core_setup_barmap()
	edit include/linux/vfio_pci_core.h 's/\bvfio_pci_core_get_iomap\b/stand_in_get_iomap/'
	edit include/linux/vfio_pci_core.h \
		's/^void vfio_pci_core_disable\(/int vfio_pci_core_setup_barmap(struct vfio_pci_core_device *vdev, int bar);\n&/'
	without_disable_idle_d3
}

stand_in_6.17() {
	stand_in_6.18
	without_max_folio_order
}

stand_in_6.18() {
	before_6.19
	edit include/linux/vfio_pci_core.h '/^bool __vfio_pci_memory_enabled\(/d'
	without_symbol __vfio_pci_memory_enabled
}

# NVIDIA's 6.17 for Ubuntu 24.04 with vfio-cxl (include/linux/vfio_pci_core.h of
# mmhonap/24.04_linux-nvidia-6.17-next-vfio-cxl, 7c12bb471015): CXL code with a way to
# refuse it, and __vfio_pci_memory_enabled() exported
stand_in_6.17-nvidia() {
	before_6.19
	without_max_folio_order
	edit include/linux/vfio_pci_core.h \
		's/^\tstruct rw_semaphore\tmemory_lock;/&\n\tbool\t\t\tdisable_cxl:1;\n\tstruct vfio_pci_cxl_state *cxl;/'
}

stand_in_7.0() {
	before_7.1
	# As 2ec41967189c had it in 6.19; the callback was posted as its fix in December 2025
	edit include/linux/memory-failure.h '/\(\*pfn_to_vma_pgoff\)/,/;/d'
}

# Versions 4 and 5 of the posted series "vfio/pci: CXL Type-2 device passthrough": state
# of its own for each device; a kernel with it that has no way to refuse it
stand_in_7.2-vfio-cxl() {
	edit include/linux/vfio_pci_core.h \
		's/^\tstruct rw_semaphore\tmemory_lock;/&\n\tstruct vfio_pci_cxl_state *cxl;/'
}

# Make the overlay of a stand-in: stand_in NAME "BASE-DIR..." OVERLAY
stand_in() {
	local base=$2 overlay=$3

	rm -rf "$overlay"
	mkdir -p "$overlay"
	("stand_in_$1")
}
