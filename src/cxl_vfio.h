/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by all files of the driver: the structures of a device, and the
 * functions that one file offers to the others.
 *
 * Lock order: device_lock or dev_set->lock, then vfio-pci-core's memory_lock,
 * then recovery.lock, then gate.zap_lock, then gate.lock; gate.zap_lock, then a
 * dma-buf's reservation lock, then gate.lock; between the first two the lock of the
 * device's lists of dma-bufs.  The lock of exports by vfio-pci-core is outside of
 * memory_lock.  The PCI core's lock of config space comes after
 * recovery.lock here, and before it in the PCI core's own resets, but both need
 * device_lock.  The lock of the ports is innermost.  A zap takes i_mmap_rwsem, and page
 * faults hold mmap_lock or a VMA lock, as in vfio-pci-core.  model.lock and
 * clear.lock are innermost; clear.lock is taken before gate.lock.
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
#include "gate.h"
#include "params.h"
#include "registers.h"
#include "terms.h"

struct cxl_vfio_device;
struct cxl_vfio_hdm_mem;

/**
 * struct cxl_vfio_window - memory of the host that users may map
 * @dev: the device it belongs to
 * @phys: host physical address of the window's first byte
 * @size: bytes
 * @offset: offset of the window in the VFIO device's file, bytes
 * @mem: HDM memory behind the window, mappable only while the gate is open; NULL
 *	for the component BAR
 */
struct cxl_vfio_window {
	struct cxl_vfio_device *dev;
	phys_addr_t phys;
	u64 size;
	loff_t offset;
	struct cxl_vfio_hdm_mem *mem;
};

/**
 * struct cxl_vfio_hdm_mem - the memory of one committed HDM decoder, or of one range of the
 *	CXL Device DVSEC
 * @window: the memory as users map it
 * @claim: the driver's claim of the memory in /proc/iomem
 * @va: the kernel's own write-back mapping of the memory
 * @pgmap: the memory's struct pages, NULL if it has none
 * @region: index of the memory's VFIO region, valid while the device is open
 * @touched_lock: protects @touched
 * @touched: range that the host's CPUs may have in their caches since the last
 *	flush, bytes from the memory's start; empty if start is not below end
 * @seen: no page before this byte is held by KVM, see cxl_vfio_pages_held()
 * @poison: pages with a memory error, by page number in the memory
 * @poison_unknown: there is a poisoned page that @poison does not have
 * @poison_work: takes poisoned pages from their users
 * @pfn_space: registration for the kernel's reports of memory errors, while open
 */
struct cxl_vfio_hdm_mem {
	struct cxl_vfio_window window;
	struct resource *claim;
	void *va;
	struct dev_pagemap *pgmap;
	unsigned int region;
	spinlock_t touched_lock;	/* of touched */
	struct {
		u64 start;
		u64 end;
	} touched;
	u64 seen;
	struct xarray poison;
	bool poison_unknown;
	struct work_struct poison_work;
	struct cxl_vfio_compat_pfn_space pfn_space;
};

/**
 * struct cxl_vfio_vbar - the virtual BAR: HDM memory as a BAR
 * @bar: lower of the virtual BAR's two slots, VBAR_NONE if there is no virtual BAR;
 *	chosen at bind
 * @size: bytes of the BAR, a power of two
 * @window: the first HDM memory, as users map it through the BAR
 * @addr: address that the guest wrote to the BAR's registers
 */
struct cxl_vfio_vbar {
	unsigned int bar;
	u64 size;
	struct cxl_vfio_window window;
	u64 addr;
};

/**
 * struct cxl_vfio_topology - the device's place in the kernel's CXL topology
 * @joined: the device has a place in the topology
 * @missing: log text with the requirement that the device does not meet, or NULL
 * @memdev: the device's memdev in the topology, while @nb is registered
 * @region: name of the device memory's region in the topology
 * @nb: called when @memdev or @region leaves the topology
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
	AREA_DVSEC_HEADER,	/* header of the CXL Device DVSEC: vfio-pci-core's, read-only */
	AREA_DVSEC,		/* body of the CXL Device DVSEC: the model */
	AREA_READONLY,		/* another CXL DVSEC or the link's: vfio-pci-core's, read-only */
	AREA_VBAR,		/* registers of the virtual BAR: vbar.c */
	AREA_HIDDEN,		/* registers for the host only: read 0, drop writes */
};

/**
 * struct cxl_vfio_config_area - part of config space with rules of its own
 * @start: config space offset of the first byte
 * @end: config space offset after the last byte
 * @kind: the area's rules
 */
struct cxl_vfio_config_area {
	u16 start;
	u16 end;
	enum cxl_vfio_config_kind kind;
};

/**
 * struct cxl_vfio_bar - the BAR with the component block, if there is one
 * @window: the BAR as users map it, around the component block
 * @regs: the kernel's mapping of the whole BAR, NULL while the device is closed
 * @core_map: vfio-pci-core's mapping, which it must not use
 */
struct cxl_vfio_bar {
	struct cxl_vfio_window window;
	void __iomem *regs;
	void __iomem *core_map;
};

/**
 * struct cxl_vfio_config - areas of config space with rules of their own, set at open
 * @area: the areas, in ascending order
 * @nr: number of areas
 * @plain_end: vfio-pci-core serves all config space below this, except the hole
 * @hole_start: offset of the virtual BAR's registers, 0 if there is no virtual BAR
 * @hole_end: offset after the last of the virtual BAR's registers
 */
struct cxl_vfio_config {
	struct cxl_vfio_config_area area[CXL_VFIO_MAX_CONFIG_AREAS];
	unsigned int nr;
	u16 plain_end;
	u16 hole_start;
	u16 hole_end;
};

/**
 * struct cxl_vfio_model - the device as the guest sees it
 * @lock: serialises all access to the models and to the virtual BAR's address
 * @comp: the component block
 * @dvsec: the CXL Device DVSEC
 */
struct cxl_vfio_model {
	struct mutex lock;	/* of the models */
	struct cxl_vfio_comp comp;
	struct cxl_vfio_dvsec dvsec;
};

enum cxl_vfio_recovery_state {
	RECOVERY_INTACT,
	RECOVERY_LOST,		/* the restore failed, logged */
	RECOVERY_LOST_RETRY,	/* a reset came after a failure: a restore may work */
};

/**
 * struct cxl_vfio_recovery - bringing a device back after a reset
 * @lock: protects the device's own decoders and DVSEC against two writers, and
 *	the members below; taken after memory_lock and before the gate's lock
 * @state: enum cxl_vfio_recovery_state
 * @reset_start: when reset_prepare was called
 * @settle_work: brings the device back for callers that cannot wait
 * @recycle_work: makes the device ready for its next user
 * @error_work: ends the wait for a recovery from an error that does not end
 * @before_error: the configuration space when the recovery from an error began, NULL
 *	before and after; used under the device's lock
 * @pm_nb: called when the system goes to sleep
 * @kind: kind of the last reset, NULL if there was none
 * @result: 0 or a negative errno of the last reset
 * @us: duration of the last reset, microseconds
 * @resets: number of resets since the bind
 * @restores: number of times that registers were restored since the bind
 * @stop: the function is being unbound: no wait begins or goes on
 */
struct cxl_vfio_recovery {
	struct mutex lock;	/* of the device's own registers, and the members below */
	enum cxl_vfio_recovery_state state;
	ktime_t reset_start;
	struct work_struct settle_work;
	struct work_struct recycle_work;
	struct delayed_work error_work;
	struct pci_saved_state *before_error;
	struct notifier_block pm_nb;
	const char *kind;
	int result;
	u64 us;
	unsigned long resets;
	unsigned long restores;
	bool stop;
};

#define COMP_REGION_NONE	U32_MAX

#define CXL_VFIO_CLEAR_PARTS	4

/**
 * struct cxl_vfio_clear_part - a share of HDM memory that one worker clears
 * @work: the worker
 * @dev: the device
 * @at: next byte to clear, counted over all ranges
 * @end: byte after the share's last, counted over all ranges
 */
struct cxl_vfio_clear_part {
	struct work_struct work;
	struct cxl_vfio_device *dev;
	u64 at;
	u64 end;
};

/**
 * struct cxl_vfio_clear - clearing of HDM memory between two users
 * @lock: serialises starting and stopping of the workers
 * @part: shares of the memory, one for each worker
 * @running: number of workers that are queued or run
 * @stop: workers end after their current chunk
 * @recycling: the device is being made ready for its next user
 * @deferred: the device was not reset at close and may still write its memory: the
 *	memory is cleared after the reset of the next open
 * @held: after the last close another part of the kernel still held a page
 * @distrusted: a CXL reset of the device did not clear its memory
 * @used: the current user may have written HDM memory
 */
struct cxl_vfio_clear {
	struct mutex lock;	/* of starting and stopping workers */
	struct cxl_vfio_clear_part part[CXL_VFIO_CLEAR_PARTS];
	atomic_t running;
	bool stop;
	bool recycling;
	bool deferred;
	bool held;
	bool distrusted;
	bool used;
};

/**
 * struct cxl_vfio_device - one function bound to this driver
 * @core: vfio-pci-core's part
 * @found: what discovery learned at bind
 * @abi: the interface that VMMs get
 * @mem: the HDM memory, one entry for each of @found's ranges; claimed at bind
 * @port: the port above, if it is a CXL port
 * @topology: the device's place in cxl-core's topology
 * @cm_regs: mapping of the device's CXL.cache/mem area, held while bound; NULL without
 *	component registers
 * @comp_region: index of the COMP_REGS region, COMP_REGION_NONE without component
 *	registers; valid while open
 * @bar: the component BAR
 * @vbar: the virtual BAR
 * @config: areas of config space with rules of their own
 * @model: the guest's view
 * @gate: the gate in front of the device's memory
 * @recovery: bringing the device back after a reset
 * @clear: clearing of HDM memory
 * @errors: number of errors since the bind, of each kind
 * @exports: dma-bufs that the current user exported, see dmabuf.c
 * @export: what vfio-pci-core is exporting
 * @zap: means to find the device's user mappings on this kernel
 */
struct cxl_vfio_device {
	struct vfio_pci_core_device core;

	struct cxl_vfio_found *found;
	const struct cxl_vfio_abi *abi;
	struct cxl_vfio_hdm_mem *mem;
	void __iomem *cm_regs;
	struct cxl_vfio_port *port;
	struct cxl_vfio_topology topology;

	unsigned int comp_region;
	struct cxl_vfio_bar bar;
	struct cxl_vfio_vbar vbar;
	struct cxl_vfio_config config;

	struct cxl_vfio_model model;
	struct cxl_vfio_gate gate;
	struct cxl_vfio_recovery recovery;
	struct cxl_vfio_clear clear;

	atomic_long_t errors[ERROR_COUNT];

	struct cxl_vfio_exports *exports;
	struct cxl_vfio_compat_export export;
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

/* Note that the user did something that may have changed HDM memory */
static inline void cxl_vfio_mark_used(struct cxl_vfio_device *dev)
{
	if (!READ_ONCE(dev->clear.used))
		WRITE_ONCE(dev->clear.used, true);
}

/* Note that the host's CPUs may have @len bytes of @mem from @start on in their caches */
static inline void cxl_vfio_mem_touched(struct cxl_vfio_hdm_mem *mem, u64 start, u64 len)
{
	if (READ_ONCE(mem->touched.start) <= start && READ_ONCE(mem->touched.end) >= start + len)
		return;
	spin_lock(&mem->touched_lock);
	mem->touched.start = min(mem->touched.start, start);
	mem->touched.end = max(mem->touched.end, start + len);
	spin_unlock(&mem->touched_lock);
}

/* Is an access in config space outside of all areas?  Most accesses are. */
static inline bool cxl_vfio_config_is_plain(const struct cxl_vfio_device *dev, loff_t pos,
					    size_t count)
{
	u64 at = pos - VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_CONFIG_REGION_INDEX);

	return at < dev->config.plain_end && count <= dev->config.plain_end - at &&
	       (at >= dev->config.hole_end || at + count <= dev->config.hole_start);
}

/* Offset of the component block in the VFIO device's file */
static inline loff_t block_start(const struct cxl_vfio_device *dev)
{
	return dev->bar.window.offset + dev->found->block_offset;
}

/**
 * cxl_vfio_poison_hit() - is any page of a range poisoned?
 * @mem: the memory
 * @start: first byte, from the memory's start
 * @len: bytes, not 0
 *
 * Return: true if any page is poisoned, or may be, since it is not known which is.
 */
static inline bool cxl_vfio_poison_hit(struct cxl_vfio_hdm_mem *mem, u64 start, u64 len)
{
	unsigned long page = start >> PAGE_SHIFT;

	return READ_ONCE(mem->poison_unknown) ||
	       (!xa_empty(&mem->poison) &&
		xa_find(&mem->poison, &page, (start + len - 1) >> PAGE_SHIFT, XA_PRESENT));
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

void cxl_vfio_mem_flush(struct cxl_vfio_device *dev);
ssize_t cxl_vfio_mem_rw(struct cxl_vfio_hdm_mem *mem, char __user *buf, size_t count, u64 at,
			bool write);
struct cxl_vfio_hdm_mem *cxl_vfio_mem_of_region(struct cxl_vfio_device *dev, unsigned int region);

/* pages.c */
bool cxl_vfio_pages_wanted(void);
u64 cxl_vfio_pages_cost(const struct cxl_vfio_hdm_mem *mem);
void *cxl_vfio_pages_map(struct cxl_vfio_hdm_mem *mem);
void cxl_vfio_pages_unmap(struct cxl_vfio_hdm_mem *mem);
bool cxl_vfio_pages_held(const struct cxl_vfio_hdm_mem *mem, u64 *at);

/* dmabuf.c */
int cxl_vfio_dmabuf_init(struct cxl_vfio_device *dev);
void cxl_vfio_dmabuf_exit(struct cxl_vfio_device *dev);
int cxl_vfio_dmabuf_feature(struct cxl_vfio_device *dev, u32 flags, void __user *arg,
			    size_t argsz);
void cxl_vfio_dmabuf_revoke(struct cxl_vfio_device *dev);
void cxl_vfio_dmabuf_revoke_core(struct cxl_vfio_device *dev);
void cxl_vfio_dmabuf_close(struct cxl_vfio_device *dev);

/* port.c */
int cxl_vfio_port_take(struct cxl_vfio_device *dev);
void cxl_vfio_port_unmask(struct cxl_vfio_device *dev);
void cxl_vfio_port_release(struct cxl_vfio_device *dev);

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
int cxl_vfio_model_open(struct cxl_vfio_device *dev);
void cxl_vfio_dvsec_refresh(struct cxl_vfio_device *dev);
void cxl_vfio_model_reset(struct cxl_vfio_device *dev, bool conventional);
void cxl_vfio_model_lost(struct cxl_vfio_device *dev);
void cxl_vfio_model_move_bar(struct cxl_vfio_device *dev);
ssize_t cxl_vfio_block_access(struct cxl_vfio_device *dev, u32 offset, u8 *buf, size_t count,
			      bool write, enum cxl_vfio_via via);

/* errors.c */
void cxl_vfio_error_count(struct cxl_vfio_device *dev, enum cxl_vfio_error error);
ssize_t cxl_vfio_errors_print(struct cxl_vfio_device *dev, char *buf);
void cxl_vfio_errors_look(struct cxl_vfio_device *dev);

/* regions.c */
int cxl_vfio_regions_open(struct cxl_vfio_device *dev);
ssize_t cxl_vfio_comp_rw(struct vfio_pci_core_device *core, char __user *buf, size_t count,
			 loff_t *ppos, bool write);

/* settle.c */
void cxl_vfio_trace_phase(struct cxl_vfio_device *dev, enum cxl_vfio_reset_phase phase, int ret,
			  ktime_t start);
void cxl_vfio_give_up(struct cxl_vfio_device *dev);
void cxl_vfio_queue_settle(struct cxl_vfio_device *dev);
int cxl_vfio_settle(struct cxl_vfio_device *dev);
void cxl_vfio_rebuild_model(struct cxl_vfio_device *dev, bool conventional);
void cxl_vfio_settle_bind(struct cxl_vfio_device *dev);
void cxl_vfio_settle_unbind(struct cxl_vfio_device *dev);

/* reset.c */
extern const struct pci_error_handlers cxl_vfio_err_handlers;
void cxl_vfio_recycle(struct cxl_vfio_device *dev);
int cxl_vfio_attach(struct cxl_vfio_device *dev);
void cxl_vfio_closing(struct cxl_vfio_device *dev);
void cxl_vfio_detach(struct cxl_vfio_device *dev);
void cxl_vfio_closed(struct cxl_vfio_device *dev);
int cxl_vfio_low_power(struct cxl_vfio_device *dev, u32 flags, void __user *arg, size_t argsz);
long cxl_vfio_reset_ioctl(struct cxl_vfio_device *dev, unsigned int cmd, unsigned long arg);
int cxl_vfio_guest_reset(struct cxl_vfio_device *dev, bool clear);
int cxl_vfio_limit_cache(struct cxl_vfio_device *dev);
int cxl_vfio_write_back(struct cxl_vfio_device *dev);
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
void cxl_vfio_gate_init(struct cxl_vfio_device *dev);
enum cxl_vfio_answer cxl_vfio_gate_ask(struct cxl_vfio_device *dev, enum cxl_vfio_asker asker);
int cxl_vfio_gate_wait(struct cxl_vfio_device *dev, enum cxl_vfio_asker asker, unsigned int state);
int cxl_vfio_gate_wait_reset(struct cxl_vfio_device *dev);
int cxl_vfio_gate_wait_bounded(struct cxl_vfio_device *dev, enum cxl_vfio_asker asker,
			       unsigned long jiffies);
bool cxl_vfio_gate_is_caller(void);
void cxl_vfio_gate_add(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold);
bool cxl_vfio_gate_mark(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold, bool on);
unsigned int cxl_vfio_gate_next_epoch(struct cxl_vfio_device *dev);
void cxl_vfio_gate_note_caller(struct cxl_vfio_caller *caller, bool on);
void cxl_vfio_gate_release(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold);
bool cxl_vfio_gate_is_held(const struct cxl_vfio_device *dev, enum cxl_vfio_hold hold);
bool cxl_vfio_gate_is_away(const struct cxl_vfio_device *dev);
unsigned int cxl_vfio_gate_epoch(const struct cxl_vfio_device *dev);
bool cxl_vfio_gate_judged(struct cxl_vfio_device *dev, unsigned int epoch);
void cxl_vfio_gate_leaving(struct cxl_vfio_device *dev);
ssize_t cxl_vfio_gate_print(const struct cxl_vfio_device *dev, char *buf, bool names);

/* hold.c */
void cxl_vfio_gate_hold(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold);
bool cxl_vfio_gate_set(struct cxl_vfio_device *dev, enum cxl_vfio_hold hold, bool on);
unsigned int cxl_vfio_gate_unjudge(struct cxl_vfio_device *dev);
void cxl_vfio_gate_enter(struct cxl_vfio_device *dev, struct cxl_vfio_caller *caller);
void cxl_vfio_gate_leave(struct cxl_vfio_device *dev, struct cxl_vfio_caller *caller);

/* clear.c */
extern struct workqueue_struct *cxl_vfio_queue;
int cxl_vfio_clear_module_init(void);
void cxl_vfio_clear_module_exit(void);
void cxl_vfio_clear_init(struct cxl_vfio_device *dev);
void cxl_vfio_clear_exit(struct cxl_vfio_device *dev);
void cxl_vfio_clear_restart(struct cxl_vfio_device *dev);
void cxl_vfio_clear_kick(struct cxl_vfio_device *dev);
bool cxl_vfio_clear_verify(struct cxl_vfio_device *dev);
bool cxl_vfio_clear_is_due(const struct cxl_vfio_device *dev);
void cxl_vfio_clear_recycled(struct cxl_vfio_device *dev);
int cxl_vfio_clear_wait(struct cxl_vfio_device *dev);
void cxl_vfio_clear_look(struct cxl_vfio_device *dev);
int cxl_vfio_clear_released(struct cxl_vfio_device *dev);
u64 cxl_vfio_clear_left(const struct cxl_vfio_device *dev);

#endif
