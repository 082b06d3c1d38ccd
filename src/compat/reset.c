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
#if defined(CONFIG_X86)
#include <asm/cacheflush.h>
#elif defined(CONFIG_ARM64)
#include <asm/cpufeature.h>
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

/* CTR_EL0.DminLine: the smallest line of any data cache, words as a power of two */
#define CTR_MIN_LINE_SHIFT	16

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

/* Write back and drop the cached lines of a range */
static void flush_range(void *va, unsigned int len)
{
#if defined(CONFIG_X86)
	clflush_cache_range(va, len);
#elif defined(CONFIG_ARM64)
	/* Both at once, to the point of coherency, so that no concurrent store is lost */
	u64 line = 4UL << (read_sanitised_ftr_reg(SYS_CTR_EL0) >> CTR_MIN_LINE_SHIFT & 0xf);

	for (void *at = PTR_ALIGN_DOWN(va, line); at < va + len; at += line)
		asm volatile("dc civac, %0" : : "r" (at) : "memory");
	dsb(sy);
#elif defined(CONFIG_ARCH_HAS_PMEM_API)
	arch_wb_cache_pmem(va, len);
	arch_invalidate_pmem(va, len);
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
	while (len) {
		unsigned int n = min_t(size_t, len, SZ_2M);

		flush_range(va, n);
		cond_resched();
		va += n;
		len -= n;
	}
}

#if CXL_VFIO_CACHE_INVALIDATE
/* MODULE_IMPORT_NS() spelt out, since its argument changed its type in 6.13 */
MODULE_INFO(import_ns, "DEVMEM");
#endif
