/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the kernels that this driver builds for.  The probes find
 * out at build time what the kernel has, see probe.sh and generated.h.  The code
 * outside of this directory is the same for all kernels.
 */
#ifndef CXL_VFIO_COMPAT_H
#define CXL_VFIO_COMPAT_H

#include <linux/bitfield.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/range.h>
#include <linux/sort.h>
#include <linux/vfio_pci_core.h>

#include "generated.h"

#if CXL_VFIO_PCI_OPS
#include <linux/pci-p2pdma.h>
#endif

struct cxl_vfio_device;
struct cxl_vfio_window;

typedef int (*cxl_vfio_region_info_fn)(struct vfio_device *vdev, struct vfio_region_info *info,
				       struct vfio_info_cap *caps);

#ifndef PCI_POSSIBLE_ERROR
#define PCI_POSSIBLE_ERROR(val)	((val) == ((typeof(val))~0ULL))
#endif

#ifndef PCI_EXT_CAP_ID_DOE
#define PCI_EXT_CAP_ID_DOE	0x2e
#endif

/*
 * Since 6.9 KVM on arm64 gives guests normal non-cacheable memory in place of device memory
 * in mappings with this flag.
 */
#ifndef VM_ALLOW_ANY_UNCACHED
#define VM_ALLOW_ANY_UNCACHED	VM_NONE
#endif

/* Members of vfio_device_ops that not all kernels have */

#if CXL_VFIO_MATCH_TOKEN_UUID
#define CXL_VFIO_COMPAT_MATCH_TOKEN_UUID .match_token_uuid = vfio_pci_core_match_token_uuid,
#else
#define CXL_VFIO_COMPAT_MATCH_TOKEN_UUID
#endif

/* A member of pci_error_handlers that not all kernels have */
#if CXL_VFIO_COR_ERROR_DETECTED
#define CXL_VFIO_COMPAT_COR_ERROR_DETECTED(handler) .cor_error_detected = (handler),
#else
#define CXL_VFIO_COMPAT_COR_ERROR_DETECTED(handler)
#endif

#if CXL_VFIO_IOMMUFD_OPS == 2
#define CXL_VFIO_COMPAT_IOMMUFD_OPS				\
	.bind_iommufd = vfio_iommufd_physical_bind,		\
	.unbind_iommufd = vfio_iommufd_physical_unbind,		\
	.attach_ioas = vfio_iommufd_physical_attach_ioas,	\
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
#elif CXL_VFIO_IOMMUFD_OPS == 1
#define CXL_VFIO_COMPAT_IOMMUFD_OPS				\
	.bind_iommufd = vfio_iommufd_physical_bind,		\
	.unbind_iommufd = vfio_iommufd_physical_unbind,		\
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
#else
#define CXL_VFIO_COMPAT_IOMMUFD_OPS
#endif

#if CXL_VFIO_PASID_OPS
#define CXL_VFIO_COMPAT_PASID_OPS					\
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,	\
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
#else
#define CXL_VFIO_COMPAT_PASID_OPS
#endif

/* VFIO_DEVICE_GET_REGION_INFO has an op of its own, or is a command of .ioctl */

#if CXL_VFIO_GET_REGION_INFO_CAPS
#define CXL_VFIO_COMPAT_REGION_INFO(fn)		.get_region_info_caps = fn,
#define CXL_VFIO_COMPAT_PLAIN_REGION_INFO	\
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
#else
#define CXL_VFIO_COMPAT_REGION_INFO(fn)
#define CXL_VFIO_COMPAT_PLAIN_REGION_INFO
#endif

int cxl_vfio_compat_core_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
				     struct vfio_info_cap *caps);
long cxl_vfio_compat_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg,
			   cxl_vfio_region_info_fn region_info);

/* Set what vfio-pci sets for its own devices, besides vfio_device_ops */
void cxl_vfio_compat_plain_init(struct vfio_pci_core_device *core);

/* Have vfio-pci-core treat the device as a PCI function without CXL */
void cxl_vfio_compat_no_core_cxl(struct vfio_pci_core_device *core);
void cxl_vfio_compat_check_core_cxl(struct vfio_pci_core_device *core);

/* Keep the device in D0 while it is bound, unless its user puts it to sleep */
void cxl_vfio_compat_stay_awake(struct vfio_pci_core_device *core);
void cxl_vfio_compat_may_sleep(struct vfio_pci_core_device *core);
void cxl_vfio_compat_user_decides(struct vfio_pci_core_device *core);
void cxl_vfio_compat_user_gone(struct vfio_pci_core_device *core);

/* Memory decode and user mappings */

bool cxl_vfio_compat_memory_enabled(struct vfio_pci_core_device *core);
vm_fault_t cxl_vfio_compat_insert_pfn(struct vm_fault *vmf, unsigned long pfn,
				      unsigned int order);

static inline void cxl_vfio_compat_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#if CXL_VFIO_VM_FLAGS_SET
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

#if CXL_VFIO_HUGE_PFNMAP
#define CXL_VFIO_COMPAT_HUGE_FAULT(fn)	.huge_fault = fn,
#else
#define CXL_VFIO_COMPAT_HUGE_FAULT(fn)
#endif

/* Removing user mappings */

/**
 * struct cxl_vfio_compat_zap - means to find a device's user mappings
 * @file: on kernels where all VFIO devices share one inode, a hidden file, whose
 *	address space has the mappings of this device alone
 */
struct cxl_vfio_compat_zap {
	struct file *file;
};

int cxl_vfio_compat_zap_init(struct cxl_vfio_compat_zap *zap);
void cxl_vfio_compat_zap_exit(struct cxl_vfio_compat_zap *zap);
void cxl_vfio_compat_zap(struct vfio_pci_core_device *core, struct cxl_vfio_compat_zap *zap,
			 loff_t start, loff_t len);
int cxl_vfio_compat_attach(struct cxl_vfio_compat_zap *zap, struct cxl_vfio_window *window,
			   struct vm_area_struct *vma);
struct cxl_vfio_window *cxl_vfio_compat_window(struct vm_area_struct *vma);

#if CXL_VFIO_DEVICE_INODE
#define CXL_VFIO_COMPAT_VMA_OPS
#else
void cxl_vfio_compat_vma_open(struct vm_area_struct *vma);
void cxl_vfio_compat_vma_close(struct vm_area_struct *vma);
#define CXL_VFIO_COMPAT_VMA_OPS			\
	.open = cxl_vfio_compat_vma_open,	\
	.close = cxl_vfio_compat_vma_close,
#endif

/* The file of the VFIO device that a mapping was made from */
struct file *cxl_vfio_compat_file(struct vm_area_struct *vma);

/* Drop the mmap or VMA lock of a page fault, before VM_FAULT_RETRY */
static inline void cxl_vfio_compat_release_fault_lock(struct vm_fault *vmf)
{
#if CXL_VFIO_RELEASE_FAULT_LOCK
	release_fault_lock(vmf);
#else
	mmap_read_unlock(vmf->vma->vm_mm);
#endif
}

/* Write back and invalidate the CPUs' cached lines of device memory */
void cxl_vfio_compat_flush_caches(void *va, phys_addr_t phys, size_t len);

/* Make the caches agree with what guests see, if they see memory and no caches */
static inline void cxl_vfio_compat_sync_guests(void *va, phys_addr_t phys, size_t len)
{
#if defined(CONFIG_ARM64) && !CXL_VFIO_KVM_CACHEABLE_PFNMAP
	cxl_vfio_compat_flush_caches(va, phys, len);
#endif
}

/* Have the IOMMU block a function during a reset, on kernels that support this */
int cxl_vfio_compat_reset_iommu_prepare(struct pci_dev *pdev);
void cxl_vfio_compat_reset_iommu_done(struct pci_dev *pdev);

/* Memory errors in pages without a struct page */

#if CXL_VFIO_PFN_ADDRESS_SPACE
#include <linux/memory-failure.h>
#endif

typedef int (*cxl_vfio_compat_pgoff_fn)(struct vm_area_struct *vma, unsigned long pfn,
					pgoff_t *pgoff);

/**
 * struct cxl_vfio_compat_pfn_space - a range whose memory errors are reported
 * @registered: the range is registered with the kernel
 * @space: the registration, on kernels that support it
 */
struct cxl_vfio_compat_pfn_space {
	bool registered;
#if CXL_VFIO_PFN_ADDRESS_SPACE
	struct pfn_address_space space;
#endif
};

void cxl_vfio_compat_pfn_space_register(struct cxl_vfio_compat_pfn_space *space,
					struct vfio_pci_core_device *core, phys_addr_t phys,
					u64 len, cxl_vfio_compat_pgoff_fn pgoff);
void cxl_vfio_compat_pfn_space_unregister(struct cxl_vfio_compat_pfn_space *space);

/**
 * struct cxl_vfio_compat_export - what vfio-pci-core exports as a dma-buf for the driver
 * @task: the task that exports, NULL if none does
 * @phys: host physical address of the first byte of HDM memory
 * @size: bytes of HDM memory, 0 for the component BAR
 * @provider: stands for memory that no other device reaches by its address on the bus
 */
struct cxl_vfio_compat_export {
	struct task_struct *task;
	phys_addr_t phys;
	u64 size;
#if CXL_VFIO_PCI_OPS
	struct p2pdma_provider provider;
#endif
};

void cxl_vfio_compat_export_init(struct cxl_vfio_device *dev);
bool cxl_vfio_compat_core_exports(const struct cxl_vfio_device *dev);

/*
 * Do importers of dma-bufs support revocation?  With dma_buf_move_notify() this is a
 * kernel option.  Without it importers pin what they import, which HDM memory
 * cannot allow.
 */
#define CXL_VFIO_COMPAT_DMA_BUF			\
	(CXL_VFIO_DMA_BUF_INVALIDATE == 2 ||	\
	 (CXL_VFIO_DMA_BUF_INVALIDATE == 1 && IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY)))

/* Have the importers of a dma-buf drop their mappings; its reservation lock is held */
#if CXL_VFIO_DMA_BUF_INVALIDATE == 2
#define cxl_vfio_compat_dma_buf_invalidate(buf)	dma_buf_invalidate_mappings(buf)
#else
#define cxl_vfio_compat_dma_buf_invalidate(buf)	dma_buf_move_notify(buf)
#endif

/* Is the kernel's mapping at @va write-back, or does the platform overrule that? */
bool cxl_vfio_compat_is_write_back(void *va);

/* Do guests on this host get memory without struct pages uncached? */
bool cxl_vfio_compat_guests_need_pages(void);

/*
 * Largest fold of the array of struct pages, as a power of two of pages.  KVM up to
 * 6.12 takes a reference to each page that a guest touches, and folded struct pages
 * cannot be referenced one by one.
 */
#if CXL_VFIO_KVM_PINNED_PAGE && defined(CONFIG_ARCH_WANT_OPTIMIZE_DAX_VMEMMAP)
#if CXL_VFIO_MAX_FOLIO_ORDER
#define CXL_VFIO_COMPAT_FOLD_ORDER	MAX_FOLIO_ORDER
#else
/* Kernels without MAX_FOLIO_ORDER fold at most as device-dax does: by 2^PUD_ORDER */
#define CXL_VFIO_COMPAT_FOLD_ORDER	PUD_ORDER
#endif
#else
#define CXL_VFIO_COMPAT_FOLD_ORDER	0
#endif

/* Struct pages for memory that is no RAM; kernels without ZONE_DEVICE have none */
struct dev_pagemap;
bool cxl_vfio_compat_is_pluggable(phys_addr_t start, u64 size);
void *cxl_vfio_compat_memremap_pages(struct dev_pagemap *pgmap, int node);
void cxl_vfio_compat_memunmap_pages(struct dev_pagemap *pgmap);

/* A place in cxl-core's topology, on kernels where CXL_VFIO_CXL_TYPE2 is 1 */
int cxl_vfio_compat_cxl_join(struct pci_dev *pdev, u16 dvsec, u64 capacity, struct range *range);
struct device *cxl_vfio_compat_cxl_memdev(struct pci_dev *pdev);
void cxl_vfio_compat_load_cxl_root(void);

/* Take the component BAR from vfio-pci-core while the device is open */
int cxl_vfio_compat_claim_bar(struct vfio_pci_core_device *core, unsigned int bar, bool shared,
			      void __iomem **map);
void cxl_vfio_compat_release_bar(struct vfio_pci_core_device *core, unsigned int bar,
				 void __iomem *map);
void cxl_vfio_compat_show_bar(struct vfio_pci_core_device *core, unsigned int bar,
			      void __iomem *regs);

#endif
