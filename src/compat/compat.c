// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions for differences between kernels that macros in compat.h cannot cover.
 */
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/uaccess.h>

#include "compat.h"

#if CXL_VFIO_HUGE_PFNMAP == 1
#include <linux/pfn_t.h>
#endif
#ifdef CONFIG_X86
#include <asm/memtype.h>
#endif

/* Results of the probes, for bug reports and for cxl-vfio doctor */
MODULE_INFO(probes, CXL_VFIO_PROBES);

#if CXL_VFIO_GET_REGION_INFO_CAPS

/**
 * cxl_vfio_compat_core_region_info() - have vfio-pci-core describe a region
 * @vdev: the device
 * @info: names the region; filled in
 * @caps: capabilities are added
 *
 * Return: 0 or a negative errno; -ENOIOCTLCMD on kernels where vfio-pci-core
 * describes regions only by its ioctl.
 */
int cxl_vfio_compat_core_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
				     struct vfio_info_cap *caps)
{
	return vfio_pci_ioctl_get_region_info(vdev, info, caps);
}

/**
 * cxl_vfio_compat_ioctl() - have vfio-pci-core do an ioctl
 * @vdev: the device
 * @cmd: the ioctl's command
 * @arg: the ioctl's argument
 * @region_info: answers VFIO_DEVICE_GET_REGION_INFO, on kernels without an op for it
 *
 * Return: as for the ioctl.
 */
long cxl_vfio_compat_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg,
			   cxl_vfio_region_info_fn region_info)
{
	return vfio_pci_core_ioctl(vdev, cmd, arg);
}

#else

int cxl_vfio_compat_core_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
				     struct vfio_info_cap *caps)
{
	return -ENOIOCTLCMD;
}

/* Copy @info to the user, and @caps if the user's buffer has room for all of them */
static long put_region_info(void __user *uinfo, struct vfio_region_info *info,
			    struct vfio_info_cap *caps)
{
	bool fits = info->argsz >= sizeof(*info) + caps->size;

	if (caps->size) {
		info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
		info->cap_offset = fits ? sizeof(*info) : 0;
		info->argsz = fits ? info->argsz : sizeof(*info) + caps->size;
		vfio_info_cap_shift(caps, sizeof(*info));
		if (fits && copy_to_user(uinfo + sizeof(*info), caps->buf, caps->size))
			return -EFAULT;
	}
	return copy_to_user(uinfo, info, sizeof(*info)) ? -EFAULT : 0;
}

long cxl_vfio_compat_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg,
			   cxl_vfio_region_info_fn region_info)
{
	struct vfio_region_info info = {};
	struct vfio_info_cap caps = {};
	long ret;

	if (cmd != VFIO_DEVICE_GET_REGION_INFO)
		return vfio_pci_core_ioctl(vdev, cmd, arg);

	if (copy_from_user(&info, (void __user *)arg, offsetofend(typeof(info), offset)))
		return -EFAULT;
	if (info.argsz < offsetofend(typeof(info), offset))
		return -EINVAL;

	ret = region_info(vdev, &info, &caps);
	if (ret == -ENOIOCTLCMD)
		return vfio_pci_core_ioctl(vdev, cmd, arg);
	if (!ret)
		ret = put_region_info((void __user *)arg, &info, &caps);
	kfree(caps.buf);
	return ret;
}

#endif

#if CXL_VFIO_PCI_OPS
static const struct vfio_pci_device_ops plain_pci_ops = {
	.get_dmabuf_phys = vfio_pci_core_get_dmabuf_phys,
};
#endif

/**
 * cxl_vfio_compat_plain_init() - set up a plain function as vfio-pci does
 * @core: the device, before vfio_pci_core_init_dev()
 */
void cxl_vfio_compat_plain_init(struct vfio_pci_core_device *core)
{
#if CXL_VFIO_PCI_OPS
	core->pci_ops = &plain_pci_ops;
#endif
}

/**
 * cxl_vfio_compat_no_core_cxl() - have vfio-pci-core leave CXL to this driver
 * @core: the device, before vfio_pci_core_register_device()
 *
 * The vfio-pci-core of some vendors has CXL code of its own.
 */
void cxl_vfio_compat_no_core_cxl(struct vfio_pci_core_device *core)
{
#if CXL_VFIO_VFIO_CXL == 2
	core->disable_cxl = true;
#endif
}

/**
 * cxl_vfio_compat_check_core_cxl() - warn if vfio-pci-core handles the device's CXL side
 * @core: the device, registered
 *
 * vfio-pci-core would then handle the same decoders as this driver; this is logged.
 */
void cxl_vfio_compat_check_core_cxl(struct vfio_pci_core_device *core)
{
#if CXL_VFIO_VFIO_CXL == 1
	if (core->cxl)
		pci_warn(core->pdev, "this kernel's vfio-pci-core handles the device's CXL memory too, and a driver cannot turn that off: use this kernel's vfio-pci, or a kernel without CXL code in vfio-pci-core\n");
#endif
}

/*
 * vfio-pci-core suspends a device that nobody has open.  On kernels where a driver
 * cannot turn that off, this driver holds a runtime PM reference from bind to unbind,
 * except while the device is open.  vfio-pci-core holds one of its own meanwhile,
 * and gives it up while the user has the device in low power.
 */

/**
 * cxl_vfio_compat_stay_awake() - keep a device in D0 while it is bound
 * @core: the device, in D0, before vfio_pci_core_register_device()
 */
void cxl_vfio_compat_stay_awake(struct vfio_pci_core_device *core)
{
#if CXL_VFIO_DISABLE_IDLE_D3
	core->disable_idle_d3 = true;
#else
	pm_runtime_get_noresume(&core->pdev->dev);
#endif
}

/**
 * cxl_vfio_compat_may_sleep() - undo cxl_vfio_compat_stay_awake()
 * @core: the device, after vfio_pci_core_unregister_device() or not registered
 */
void cxl_vfio_compat_may_sleep(struct vfio_pci_core_device *core)
{
#if !CXL_VFIO_DISABLE_IDLE_D3
	pm_runtime_put_noidle(&core->pdev->dev);
#endif
}

/**
 * cxl_vfio_compat_user_decides() - let a device's user put it into low power
 * @core: the device, after vfio_pci_core_enable()
 */
void cxl_vfio_compat_user_decides(struct vfio_pci_core_device *core)
{
#if !CXL_VFIO_DISABLE_IDLE_D3
	pm_runtime_put_noidle(&core->pdev->dev);
#endif
}

/**
 * cxl_vfio_compat_user_gone() - undo cxl_vfio_compat_user_decides()
 * @core: the device, before vfio_pci_core_disable(), which wakes the device up
 */
void cxl_vfio_compat_user_gone(struct vfio_pci_core_device *core)
{
#if !CXL_VFIO_DISABLE_IDLE_D3
	pm_runtime_get_noresume(&core->pdev->dev);
#endif
}

/**
 * cxl_vfio_compat_memory_enabled() - does the function decode memory?
 * @core: the device, open; memory_lock is held
 *
 * Return: true if the function is awake (D0 to D2) and the user has Memory Space on.
 */
bool cxl_vfio_compat_memory_enabled(struct vfio_pci_core_device *core)
{
	lockdep_assert_held(&core->memory_lock);
#if CXL_VFIO_MEMORY_ENABLED
	return __vfio_pci_memory_enabled(core);
#else
	return core->pdev->current_state < PCI_D3hot &&
	       (core->pdev->no_command_memory ||
		(le16_to_cpup((__le16 *)&core->vconfig[PCI_COMMAND]) & PCI_COMMAND_MEMORY));
#endif
}

/**
 * cxl_vfio_compat_insert_pfn() - insert a page or huge page at a page fault
 * @vmf: the fault, in a VM_PFNMAP mapping
 * @pfn: page frame, aligned to @order
 * @order: number of pages, as a power of two
 *
 * Return: as for vmf_insert_pfn(); VM_FAULT_FALLBACK for an order that this
 * kernel cannot map.
 */
vm_fault_t cxl_vfio_compat_insert_pfn(struct vm_fault *vmf, unsigned long pfn, unsigned int order)
{
	if (!order)
		return vmf_insert_pfn(vmf->vma, vmf->address, pfn);
#if CXL_VFIO_HUGE_PFNMAP == 2
#define PFN_ARG(pfn)	(pfn)
#elif CXL_VFIO_HUGE_PFNMAP == 1
#define PFN_ARG(pfn)	__pfn_to_pfn_t(pfn, PFN_DEV)
#endif
#if CXL_VFIO_HUGE_PFNMAP && defined(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP)
	if (order == PMD_ORDER)
		return vmf_insert_pfn_pmd(vmf, PFN_ARG(pfn), vmf->flags & FAULT_FLAG_WRITE);
#endif
#if CXL_VFIO_HUGE_PFNMAP && defined(CONFIG_ARCH_SUPPORTS_PUD_PFNMAP)
	if (order == PUD_ORDER)
		return vmf_insert_pfn_pud(vmf, PFN_ARG(pfn), vmf->flags & FAULT_FLAG_WRITE);
#endif
	return VM_FAULT_FALLBACK;
}

/**
 * cxl_vfio_compat_is_write_back() - is a write-back mapping really write-back?
 * @va: mapping made by memremap() with MEMREMAP_WB
 *
 * On x86 the MTRRs may overrule the type, and memremap() does not report that.
 *
 * Return: false if the page tables have another cache type.
 */
bool cxl_vfio_compat_is_write_back(void *va)
{
#ifdef CONFIG_X86
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)va, &level);

	/* Write-back is the type with neither bit set, at every page table level */
	return !pte || !(pte_val(*pte) & (_PAGE_PCD | _PAGE_PWT));
#else
	return true;
#endif
}

/**
 * cxl_vfio_compat_guests_need_pages() - do guests need struct pages for caching?
 *
 * KVM with VMX chooses the cache type of guests' memory by struct pages, if PAT is
 * on.  Otherwise the guest chooses it.  On arm64 the VMM's mapping does since 6.17;
 * before, guests get all memory of devices uncached.
 *
 * Return: true if guests need struct pages.
 */
bool cxl_vfio_compat_guests_need_pages(void)
{
#ifdef CONFIG_X86
	return boot_cpu_has(X86_FEATURE_VMX) && pat_enabled();
#else
	return false;
#endif
}

#ifdef CONFIG_ZONE_DEVICE

/**
 * cxl_vfio_compat_is_pluggable() - can the kernel map a range as memory?
 * @start: host physical address
 * @size: bytes
 *
 * Return: true if it can map the range.
 */
bool cxl_vfio_compat_is_pluggable(phys_addr_t start, u64 size)
{
	struct range range = mhp_get_pluggable_range(true);

	return start >= range.start && start + size - 1 <= range.end;
}

/**
 * cxl_vfio_compat_memremap_pages() - memremap_pages(), if the kernel has it
 * @pgmap: describes the range
 * @node: NUMA node
 *
 * Return: the mapping or an ERR_PTR(); -EOPNOTSUPP without CONFIG_ZONE_DEVICE.
 */
void *cxl_vfio_compat_memremap_pages(struct dev_pagemap *pgmap, int node)
{
	return memremap_pages(pgmap, node);
}

/**
 * cxl_vfio_compat_memunmap_pages() - undo cxl_vfio_compat_memremap_pages()
 * @pgmap: as for cxl_vfio_compat_memremap_pages()
 */
void cxl_vfio_compat_memunmap_pages(struct dev_pagemap *pgmap)
{
	memunmap_pages(pgmap);
}

#else

bool cxl_vfio_compat_is_pluggable(phys_addr_t start, u64 size)
{
	return true;
}

void *cxl_vfio_compat_memremap_pages(struct dev_pagemap *pgmap, int node)
{
	return ERR_PTR(-EOPNOTSUPP);
}

void cxl_vfio_compat_memunmap_pages(struct dev_pagemap *pgmap)
{
}

#endif

/**
 * cxl_vfio_compat_show_bar() - let vfio-pci-core export the component BAR as dma-bufs
 * @core: the device, being opened; the BAR is claimed
 * @bar: the BAR
 * @regs: the driver's own mapping of the BAR, until cxl_vfio_compat_release_bar()
 *
 * vfio-pci-core refuses a BAR that it has no mapping of, and does not use the mapping for
 * that.  Of what does use it, the driver serves or refuses all that a user can ask for.
 */
void cxl_vfio_compat_show_bar(struct vfio_pci_core_device *core, unsigned int bar,
			      void __iomem *regs)
{
#if CXL_VFIO_EAGER_BARS && CXL_VFIO_PCI_OPS
	core->barmap[bar] = regs;
#endif
}

#if CXL_VFIO_EAGER_BARS

int cxl_vfio_compat_claim_bar(struct vfio_pci_core_device *core, unsigned int bar, bool shared,
			      void __iomem **map)
{
	*map = core->barmap[bar];
	if (IS_ERR_OR_NULL((__force void *)*map) && !shared)
		return -EBUSY;
	core->barmap[bar] = IOMEM_ERR_PTR(-EBUSY);
	return 0;
}

void cxl_vfio_compat_release_bar(struct vfio_pci_core_device *core, unsigned int bar,
				 void __iomem *map)
{
	core->barmap[bar] = map;
}

#else

/**
 * cxl_vfio_compat_claim_bar() - take the component BAR from vfio-pci-core
 * @core: the device, being opened
 * @bar: the BAR, of which vfio-pci-core must use nothing: it reads ioctl arguments from
 *	user memory itself, where they change after this driver has looked at them
 * @shared: cxl-core may have part of the BAR
 * @map: set to vfio-pci-core's mapping, for cxl_vfio_compat_release_bar()
 *
 * Return: 0, -EBUSY if another driver has requested the BAR.
 */
int cxl_vfio_compat_claim_bar(struct vfio_pci_core_device *core, unsigned int bar, bool shared,
			      void __iomem **map)
{
	return pci_request_selected_regions(core->pdev, BIT(bar), KBUILD_MODNAME);
}

/**
 * cxl_vfio_compat_release_bar() - undo cxl_vfio_compat_claim_bar()
 * @core: the device, before vfio-pci-core closes it
 * @bar: the BAR
 * @map: as it was set
 */
void cxl_vfio_compat_release_bar(struct vfio_pci_core_device *core, unsigned int bar,
				 void __iomem *map)
{
	pci_release_selected_regions(core->pdev, BIT(bar));
}

#endif
