/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of the driver share: the per-device structure, and what each
 * offers to the others.
 *
 * Lock order: device_lock or dev_set->lock, then vfio-pci-core's memory_lock,
 * then reset_lock, then hdm_lock; a dma-buf's reservation lock, then hdm_lock;
 * i_mmap_rwsem (taken by a zap) and mmap_lock's page faults nest as they do in
 * vfio-pci-core.  model_lock is innermost.
 */
#ifndef CXL_VFIO_H
#define CXL_VFIO_H

#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <linux/vfio_pci_core.h>

#include "compat/compat.h"
#include "abi.h"
#include "discover.h"
#include "dvsec.h"
#include "params.h"
#include "registers.h"

struct cxl_vfio_device;
struct cxl_vfio_hdm_mem;

/**
 * struct cxl_vfio_window - memory of the host that users may map
 * @dev: the device it belongs to
 * @phys: host physical address of its first byte
 * @size: bytes
 * @offset: where it starts in the VFIO device's file, bytes
 * @mem: the HDM memory that it is, there only while the gate is open; NULL if it
 *	is none
 */
struct cxl_vfio_window {
	struct cxl_vfio_device *dev;
	phys_addr_t phys;
	u64 size;
	loff_t offset;
	struct cxl_vfio_hdm_mem *mem;
};

/**
 * struct cxl_vfio_hdm_mem - the memory of one committed HDM decoder
 * @window: what users may map
 * @claim: the claim of it
 * @va: the kernel's own write-back mapping of all of it
 * @pgmap: its struct pages, NULL if it has none
 * @region: index of its VFIO region, valid while the device is open
 * @poison: pages with a memory error, by their number
 * @poison_work: takes them from their users
 * @pfn_space: by which the kernel tells of memory errors, while open
 */
struct cxl_vfio_hdm_mem {
	struct cxl_vfio_window window;
	struct resource *claim;
	void *va;
	struct dev_pagemap *pgmap;
	unsigned int region;
	struct xarray poison;
	struct work_struct poison_work;
	struct cxl_vfio_compat_pfn_space pfn_space;
};

#define VBAR_NONE	U32_MAX

/**
 * struct cxl_vfio_vbar - HDM memory as a BAR
 * @bar: the lower of its two slots, VBAR_NONE if there is none; chosen at bind
 * @size: bytes of the BAR, a power of two
 * @window: the first HDM memory as users map it through the BAR
 * @addr: what the guest wrote to its registers
 */
struct cxl_vfio_vbar {
	unsigned int bar;
	u64 size;
	struct cxl_vfio_window window;
	u64 addr;
};

enum cxl_vfio_gate {
	GATE_CLOSED,	/* HDM memory must not be touched: SIGBUS, -EIO */
	GATE_BUSY,	/* for a moment: whoever wants to touch it tries again */
	GATE_OPEN,
};

/* Who wants the device to sleep */
enum cxl_vfio_asleep {
	ASLEEP_SYSTEM = 1,
	ASLEEP_USER = 2,	/* VFIO low power: the user's right to let it */
};

/**
 * struct cxl_vfio_topology - the device's place in the kernel's CXL topology
 * @joined: it has one
 * @missing: or what it lacks for one, NULL if none is wanted
 * @memdev: what stands for the device there, while @nb is registered
 * @region: name of the region that its memory is
 * @nb: tells when the two leave
 */
struct cxl_vfio_topology {
	bool joined;
	const char *missing;
	struct device *memdev;
	char region[32];
	struct notifier_block nb;
};

#define CXL_VFIO_MAX_CONFIG_AREAS	64

enum cxl_vfio_config_kind {
	AREA_DVSEC_HEADER,	/* of the CXL Device DVSEC: core's view, read-only */
	AREA_DVSEC,		/* the CXL Device DVSEC's body: the model's */
	AREA_READONLY,	/* another CXL DVSEC: as the core shows it */
	AREA_VBAR,		/* registers of the virtual BAR: vbar.c's */
	AREA_HIDDEN,		/* the host's alone: reads 0, writes are dropped */
};

/**
 * struct cxl_vfio_config_area - part of config space with rules of its own
 * @start: first byte
 * @end: past the last byte
 * @kind: the rules
 */
struct cxl_vfio_config_area {
	u16 start;
	u16 end;
	enum cxl_vfio_config_kind kind;
};

/**
 * struct cxl_vfio_device - one function bound to this driver
 * @core: vfio-pci-core's part
 * @found: what discovery learned at bind
 * @abi: the interface that VMMs get
 * @mem: the HDM memory, one for each of @found's ranges; claimed at bind
 * @topology: its place in cxl-core's topology
 * @cm_regs: mapping of the device's CXL.cache/mem area, held while bound
 * @comp_region: index of the COMP_REGS region, valid while open
 * @bar: the BAR with the component block: what users may map of it
 * @vbar: the virtual BAR
 * @bar_regs: mapping of that BAR, NULL while closed
 * @area: parts of config space that need care, ascending; set at open
 * @nr_areas: how many
 * @plain_end: config space below it is vfio-pci-core's alone, but for the hole
 * @hole_start: where the virtual BAR's registers are, 0 if there is none
 * @hole_end: past their last byte
 * @model_lock: serialises all access to @comp, @dvsec and @vbar's address
 * @comp: the component block as the guest sees it
 * @dvsec: the CXL Device DVSEC as the guest sees it
 * @hdm_lock: protects what follows, up to @used; held for read while HDM
 *	memory is touched or mapped, for write to close or open the gate
 * @gate: may HDM memory be touched?
 * @opened: between open_device and close_device
 * @resetting: how many resets are under way
 * @reset_failed: the last reset failed: the device is in no known state
 * @asleep: who lets the device sleep, enum cxl_vfio_asleep
 * @evicted: HDM memory was taken away, for as long as the device is bound
 * @unclean: HDM memory may have what an earlier user left; cleared before the
 *	gate opens.  Protected by @hdm_lock as well
 * @used: the present user may have left something there
 * @reset_lock: taken before @hdm_lock and after memory_lock; protects the
 *	device's own decoders and DVSEC against two who write them, and the
 *	members after it
 * @lost: the decoders or the memory did not come back, and the log has it
 * @retry: since then something happened after which they may
 * @behind: registers were put back, of which the models do not know yet
 * @reset_start: when reset_prepare was called
 * @settle_work: brings the device back where nobody can wait
 * @pm_nb: tells that the system goes to sleep
 * @last_reset: kind, result and duration of the last reset; no kind: none yet
 * @stats: counters for sysfs
 * @dmabufs: HDM memory that the present user exported, see dmabuf.c
 * @zap: how user mappings are taken away on this kernel
 */
struct cxl_vfio_device {
	struct vfio_pci_core_device core;

	struct cxl_vfio_found *found;
	const struct cxl_vfio_abi *abi;
	struct cxl_vfio_hdm_mem *mem;
	void __iomem *cm_regs;
	struct cxl_vfio_topology topology;

	unsigned int comp_region;
	struct cxl_vfio_window bar;
	struct cxl_vfio_vbar vbar;
	void __iomem *bar_regs;

	struct cxl_vfio_config_area area[CXL_VFIO_MAX_CONFIG_AREAS];
	unsigned int nr_areas;
	u16 plain_end;
	u16 hole_start;
	u16 hole_end;

	struct mutex model_lock;	/* of comp and dvsec */
	struct cxl_vfio_comp comp;
	struct cxl_vfio_dvsec dvsec;

	struct rw_semaphore hdm_lock;
	enum cxl_vfio_gate gate;
	bool opened;
	unsigned int resetting;
	bool reset_failed;
	unsigned int asleep;
	bool evicted;
	bool unclean;
	bool used;

	struct mutex reset_lock;	/* of putting the device's registers back */
	bool lost;
	bool retry;
	bool behind;
	ktime_t reset_start;
	struct work_struct settle_work;
	struct notifier_block pm_nb;
	struct {
		const char *kind;
		int result;
		u64 us;
	} last_reset;
	struct {
		unsigned long resets;
		unsigned long restores;
		unsigned long zaps;
	} stats;

	struct list_head dmabufs;

	struct cxl_vfio_compat_zap zap;
};

static inline struct cxl_vfio_device *to_cxl_vfio(struct vfio_device *vdev)
{
	return container_of(vdev, struct cxl_vfio_device, core.vdev);
}

static inline struct cxl_vfio_device *core_to_cxl_vfio(struct vfio_pci_core_device *core)
{
	return container_of(core, struct cxl_vfio_device, core);
}

/* The user did something by which HDM memory may have changed */
static inline void cxl_vfio_mark_used(struct cxl_vfio_device *dev)
{
	if (!READ_ONCE(dev->used))
		WRITE_ONCE(dev->used, true);
}

/* Whatever the device's registers say, its memory is not to be touched now */
static inline bool cxl_vfio_is_away(const struct cxl_vfio_device *dev)
{
	return dev->resetting || dev->reset_failed || dev->asleep || dev->evicted;
}

/* Is an access to config space in no area, as most are? */
static inline bool cxl_vfio_config_is_plain(const struct cxl_vfio_device *dev, loff_t pos,
					    size_t count)
{
	u64 at = pos - VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_CONFIG_REGION_INDEX);

	return at < dev->plain_end && count <= dev->plain_end - at &&
	       (at >= dev->hole_end || at + count <= dev->hole_start);
}

/* The component block's place in the file of the VFIO device */
static inline loff_t block_start(const struct cxl_vfio_device *dev)
{
	return dev->bar.offset + dev->found->block_offset;
}

/**
 * cxl_vfio_poison_hit() - is any page of a range poisoned?
 * @mem: the memory
 * @start: first byte, from its start
 * @len: bytes, not 0
 *
 * Return: true if one is.
 */
static inline bool cxl_vfio_poison_hit(struct cxl_vfio_hdm_mem *mem, u64 start, u64 len)
{
	unsigned long page = start >> PAGE_SHIFT;

	return !xa_empty(&mem->poison) &&
	       xa_find(&mem->poison, &page, (start + len - 1) >> PAGE_SHIFT, XA_PRESENT);
}

/* plain.c */
extern const struct vfio_device_ops cxl_vfio_plain_ops;

/* abi.c */
u32 cxl_vfio_comp_region_size(const struct cxl_vfio_device *dev);
long cxl_vfio_device_info(struct cxl_vfio_device *dev, unsigned long arg);

/* bar.c */
int cxl_vfio_bar_open(struct cxl_vfio_device *dev);
void cxl_vfio_bar_close(struct cxl_vfio_device *dev);
ssize_t cxl_vfio_bar_rw(struct cxl_vfio_device *dev, char __user *buf, size_t count, loff_t *ppos,
			bool write);
int cxl_vfio_bar_mmap(struct cxl_vfio_device *dev, struct vm_area_struct *vma);
int cxl_vfio_bar_region_info(struct cxl_vfio_device *dev, struct vfio_region_info *info,
			     struct vfio_info_cap *caps);
int cxl_vfio_bar_add_sparse(struct vfio_info_cap *caps,
			    const struct vfio_region_sparse_mmap_area *areas, unsigned int n);
bool cxl_vfio_bar_is_block(const struct cxl_vfio_device *dev, u64 start, u64 len);

/* config.c */
int cxl_vfio_config_open(struct cxl_vfio_device *dev);
ssize_t cxl_vfio_config_rw(struct cxl_vfio_device *dev, char __user *buf, size_t count,
			   loff_t *ppos, bool write);

/* hdm_mem.c */
int cxl_vfio_mem_claim(struct cxl_vfio_device *dev);
void cxl_vfio_mem_release(struct cxl_vfio_device *dev);
int cxl_vfio_mem_register(struct cxl_vfio_device *dev);
void cxl_vfio_mem_close(struct cxl_vfio_device *dev);

ssize_t cxl_vfio_mem_rw(struct cxl_vfio_hdm_mem *mem, char __user *buf, size_t count, u64 at,
			bool write);
void cxl_vfio_mem_clear(struct cxl_vfio_device *dev);
struct cxl_vfio_hdm_mem *cxl_vfio_mem_of_region(struct cxl_vfio_device *dev, unsigned int region);

/* pages.c */
bool cxl_vfio_pages_wanted(void);
u64 cxl_vfio_pages_cost(const struct cxl_vfio_hdm_mem *mem);
void *cxl_vfio_pages_map(struct cxl_vfio_hdm_mem *mem);
void cxl_vfio_pages_unmap(struct cxl_vfio_hdm_mem *mem);

/* dmabuf.c */
int cxl_vfio_dmabuf_feature(struct cxl_vfio_device *dev, u32 flags, void __user *arg,
			    size_t argsz);
void cxl_vfio_dmabuf_revoke(struct cxl_vfio_device *dev);
void cxl_vfio_dmabuf_close(struct cxl_vfio_device *dev);

/* poison.c */
void cxl_vfio_poison_init(struct cxl_vfio_hdm_mem *mem);
void cxl_vfio_poison_exit(struct cxl_vfio_hdm_mem *mem);
void cxl_vfio_poison_add(struct cxl_vfio_hdm_mem *mem, unsigned long page);
void cxl_vfio_poison_open(struct cxl_vfio_hdm_mem *mem);
void cxl_vfio_poison_close(struct cxl_vfio_hdm_mem *mem);

/* map.c */
struct cxl_vfio_window *cxl_vfio_window_of(struct vm_area_struct *vma);
int cxl_vfio_window_mmap(struct cxl_vfio_window *window, struct vm_area_struct *vma,
			 pgprot_t prot);
void cxl_vfio_mem_zap(struct cxl_vfio_hdm_mem *mem, u64 start, u64 len);

/* model.c */
int cxl_vfio_model_comp(struct cxl_vfio_device *dev, bool unlock);
void cxl_vfio_dvsec_resample(struct cxl_vfio_device *dev, bool conventional);
void cxl_vfio_dvsec_refresh(struct cxl_vfio_device *dev);
void cxl_vfio_model_reset(struct cxl_vfio_device *dev, bool conventional);
void cxl_vfio_model_lost(struct cxl_vfio_device *dev);
ssize_t cxl_vfio_block_access(struct cxl_vfio_device *dev, u32 offset, u8 *buf, size_t count,
			      bool write);

/* regions.c */
int cxl_vfio_regions_open(struct cxl_vfio_device *dev);
ssize_t cxl_vfio_comp_rw(struct vfio_pci_core_device *core, char __user *buf, size_t count,
			 loff_t *ppos, bool write);

/* reset.c */
extern const struct pci_error_handlers cxl_vfio_err_handlers;
int cxl_vfio_settle(struct cxl_vfio_device *dev);
int cxl_vfio_low_power(struct cxl_vfio_device *dev, u32 flags, void __user *arg, size_t argsz);
long cxl_vfio_reset_ioctl(struct cxl_vfio_device *dev, unsigned int cmd, unsigned long arg);
int cxl_vfio_guest_reset(struct cxl_vfio_device *dev, bool clear);
void cxl_vfio_write_back(struct cxl_vfio_device *dev);
int cxl_vfio_reset_bind(struct cxl_vfio_device *dev);
void cxl_vfio_reset_unbind(struct cxl_vfio_device *dev);

/* cxl_core.c */
int cxl_vfio_topology_join(struct cxl_vfio_device *dev);
int cxl_vfio_topology_watch(struct cxl_vfio_device *dev);
void cxl_vfio_topology_leave(struct cxl_vfio_device *dev);

/* vbar.c */
int cxl_vfio_vbar_bind(struct cxl_vfio_device *dev);
void cxl_vfio_vbar_reset(struct cxl_vfio_device *dev);
void cxl_vfio_vbar_config(struct cxl_vfio_device *dev, unsigned int offset, u8 *buf,
			  size_t count, bool write);
ssize_t cxl_vfio_vbar_rw(struct cxl_vfio_device *dev, char __user *buf, size_t count,
			 loff_t *ppos, bool write);
int cxl_vfio_vbar_region_info(struct cxl_vfio_device *dev, struct vfio_region_info *info,
			      struct vfio_info_cap *caps);

/* sysfs.c */
extern const struct attribute_group *cxl_vfio_groups[];

/* gate.c */
void cxl_vfio_gate_user(struct cxl_vfio_device *dev);
void cxl_vfio_gate_shut(struct cxl_vfio_device *dev);
void cxl_vfio_gate_clean(struct cxl_vfio_device *dev);
void cxl_vfio_gate_pause(struct cxl_vfio_device *dev);
void cxl_vfio_gate_close(struct cxl_vfio_device *dev, bool resetting);
void cxl_vfio_gate_reset_over(struct cxl_vfio_device *dev, bool failed);
bool cxl_vfio_gate_judge(struct cxl_vfio_device *dev);
void cxl_vfio_gate_sleep(struct cxl_vfio_device *dev, enum cxl_vfio_asleep who, bool sleep);
bool cxl_vfio_gate_evict(struct cxl_vfio_device *dev);

#endif
