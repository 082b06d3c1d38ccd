// SPDX-License-Identifier: GPL-2.0-only
/*
 * Help of the kernel for a reset: blocking the function in the IOMMU, and removing
 * the device's memory from CPU caches.
 */
#include <linux/memregion.h>
#include <linux/pci.h>

#include "compat.h"

#if CXL_VFIO_RESET_IOMMU
#include <linux/iommu.h>
#endif
#ifdef CONFIG_X86
#include <asm/cacheflush.h>
#else
#include <linux/libnvdimm.h>
#endif

/**
 * cxl_vfio_compat_reset_iommu_prepare() - detach a function from the IOMMU for a reset
 * @pdev: the function, its device lock held
 *
 * Return: 0 or a negative errno.
 */
int cxl_vfio_compat_reset_iommu_prepare(struct pci_dev *pdev)
{
#if CXL_VFIO_RESET_IOMMU
	return pci_dev_reset_iommu_prepare(pdev);
#else
	return 0;
#endif
}

/**
 * cxl_vfio_compat_reset_iommu_done() - undo cxl_vfio_compat_reset_iommu_prepare()
 * @pdev: the function
 */
void cxl_vfio_compat_reset_iommu_done(struct pci_dev *pdev)
{
#if CXL_VFIO_RESET_IOMMU
	pci_dev_reset_iommu_done(pdev);
#endif
}

/* Write back and invalidate all caches at once; false if the platform does not support it */
static bool flush_all(phys_addr_t phys, size_t len)
{
#if CXL_VFIO_CACHE_INVALIDATE == 2
	return cpu_cache_has_invalidate_memregion() &&
	       !cpu_cache_invalidate_memregion(phys, len);
#elif CXL_VFIO_CACHE_INVALIDATE == 1
	return cpu_cache_has_invalidate_memregion() &&
	       !cpu_cache_invalidate_memregion(IORES_DESC_CXL);
#else
	return false;
#endif
}

/**
 * cxl_vfio_compat_flush_caches() - write back and drop cached lines
 * @va: the kernel's mapping of the memory
 * @phys: host physical address of the mapped memory
 * @len: bytes
 */
void cxl_vfio_compat_flush_caches(void *va, phys_addr_t phys, size_t len)
{
	if (flush_all(phys, len))
		return;
#if defined(CONFIG_X86)
	while (len) {
		unsigned int n = min_t(size_t, len, SZ_2M);

		clflush_cache_range(va, n);
		cond_resched();
		va += n;
		len -= n;
	}
#elif defined(CONFIG_ARCH_HAS_PMEM_API)
	arch_wb_cache_pmem(va, len);
	arch_invalidate_pmem(va, len);
#endif
}

#if CXL_VFIO_CACHE_INVALIDATE
/* MODULE_IMPORT_NS() spelt out, since its argument changed its type in 6.13 */
MODULE_INFO(import_ns, "DEVMEM");
#endif
