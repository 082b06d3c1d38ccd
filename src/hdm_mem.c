// SPDX-License-Identifier: GPL-2.0-only
/*
 * HDM memory: claims the host physical ranges that the committed decoders, or the ranges
 * of the CXL Device DVSEC, decode, and gives each to users as a VFIO region that can be
 * read, written and mapped.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/cxl_vfio_pci.h>

#include "claim.h"
#include "cxl_vfio.h"

/* How much is copied before locks are dropped and signals looked at */
#define COPY_CHUNK	SZ_64K

/* With struct pages if *@pages, which is cleared if they cannot be had */
static int cxl_vfio_claim_range(struct cxl_vfio_device *dev, const struct cxl_vfio_hdm_range *range,
				struct cxl_vfio_hdm_mem *mem, bool *pages)
{
	struct pci_dev *pdev = dev->core.pdev;
	int ret;

	ret = cxl_vfio_claim_memory(pdev, range, &mem->claim);
	if (ret < 0)
		return ret;
	if (ret && mem == dev->mem)
		pci_info(pdev, "the platform names no CXL window to the device's host bridge, so the device's registers are believed\n");
	mem->window.dev = dev;
	mem->window.phys = range->base;
	mem->window.size = range->size;
	mem->window.mem = mem;
	spin_lock_init(&mem->touched_lock);
	mem->touched.start = U64_MAX;
	cxl_vfio_poison_init(mem);
	/* On x86 this mapping is what makes the users' mappings write-back too */
	if (*pages)
		mem->va = cxl_vfio_pages_map(mem);
	*pages = mem->va;
	if (!mem->va)
		mem->va = memremap(range->base, range->size, MEMREMAP_WB);
	if (!mem->va) {
		pci_err(pdev, "%s%u: cannot map [mem %#llx-%#llx] write-back\n",
			cxl_vfio_range_name(range), cxl_vfio_range_number(range), range->base,
			cxl_vfio_range_end(range));
		ret = -ENOMEM;
		goto release;
	}
	if (!cxl_vfio_compat_is_write_back(mem->va))
		pci_warn(pdev, "%s%u: the platform maps [mem %#llx-%#llx] other than write-back (see /proc/mtrr), expect it to be slow\n",
			 cxl_vfio_range_name(range), cxl_vfio_range_number(range), range->base,
			 cxl_vfio_range_end(range));
	return 0;

release:
	release_mem_region(range->base, range->size);
	return ret;
}

/**
 * cxl_vfio_mem_claim() - claim and map the memory of all ranges
 * @dev: the device, @dev->found filled in
 *
 * Return: 0 or a negative errno, logged; then nothing stays claimed.
 */
int cxl_vfio_mem_claim(struct cxl_vfio_device *dev)
{
	unsigned int n = dev->found->nr_ranges;
	bool pages = cxl_vfio_pages_wanted();
	int ret;

	dev->mem = kcalloc(n, sizeof(*dev->mem), GFP_KERNEL);
	if (!dev->mem)
		return -ENOMEM;

	for (unsigned int i = 0; i < n; i++) {
		ret = cxl_vfio_claim_range(dev, &dev->found->range[i], &dev->mem[i], &pages);
		if (ret) {
			cxl_vfio_mem_release(dev);
			return ret;
		}
	}
	return 0;
}

/**
 * cxl_vfio_mem_release() - give back what cxl_vfio_mem_claim() claimed
 * @dev: the device; no user has it open
 */
void cxl_vfio_mem_release(struct cxl_vfio_device *dev)
{
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++) {
		struct cxl_vfio_hdm_mem *mem = &dev->mem[i];

		if (!mem->va)
			break;
		if (mem->pgmap)
			cxl_vfio_pages_unmap(mem);
		else
			memunmap(mem->va);
		cxl_vfio_poison_exit(mem);
		release_mem_region(mem->window.phys, mem->window.size);
	}
	kfree(dev->mem);
	dev->mem = NULL;
}

/**
 * cxl_vfio_mem_flush() - have nothing of HDM memory in the CPUs' caches
 * @dev: the device, held for a reset that loses or clears its memory
 *
 * A dirty line would be written to a device in reset, or over cleared memory, and
 * a clean one would be read in place of what the reset left.
 */
void cxl_vfio_mem_flush(struct cxl_vfio_device *dev)
{
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++) {
		struct cxl_vfio_hdm_mem *mem = &dev->mem[i];
		u64 start, end;

		spin_lock(&mem->touched_lock);
		start = mem->touched.start;
		end = mem->touched.end;
		mem->touched.start = U64_MAX;
		mem->touched.end = 0;
		spin_unlock(&mem->touched_lock);
		if (start < end)
			cxl_vfio_compat_flush_caches(mem->va + start, mem->window.phys + start,
						     end - start);
	}
}

/* Does a read of the first bytes of @va end in a memory error? */
static bool is_poisoned(const void *va, size_t len)
{
	u8 line[SMP_CACHE_BYTES];

	return copy_mc_to_kernel(line, va, min(len, sizeof(line)));
}

/*
 * Copy to a user's buffer with page faults off.  A poisoned line is an error of the
 * read, and no machine check of the kernel.  Returns bytes left to copy, or -EIO.
 */
static ssize_t copy_out(struct cxl_vfio_hdm_mem *mem, char __user *buf, size_t count, u64 at)
{
	struct iov_iter iter;
	size_t left;

	iov_iter_ubuf(&iter, ITER_DEST, buf, count);
	left = count - _copy_mc_to_iter(mem->va + at, count, &iter);
	at += count - left;
	if (!left || !is_poisoned(mem->va + at, left))
		return left;
	cxl_vfio_poison_add(mem, at >> PAGE_SHIFT);
	return left == count ? -EIO : left;
}

/* Copy to or from a user's buffer, and agree with guests that may not see caches */
static ssize_t copy_bytes(struct cxl_vfio_hdm_mem *mem, char __user *buf, size_t count, u64 at,
			  bool write)
{
	phys_addr_t phys = mem->window.phys + at;
	void *va = mem->va + at;
	ssize_t left;

	if (!write) {
		cxl_vfio_compat_sync_guests(va, phys, count);
		return copy_out(mem, buf, count, at);
	}
	left = __copy_from_user_inatomic(va, buf, count);
	cxl_vfio_compat_sync_guests(va, phys, count);
	return left;
}

/*
 * Copy under the locks that keep the memory there.  They must not be held over
 * a page fault in the user's buffer, which may need them itself.  Returns bytes
 * left to copy, -EAGAIN if the gate says "wait", or another negative errno.
 */
static ssize_t cxl_vfio_copy_chunk(struct cxl_vfio_hdm_mem *mem, char __user *buf, size_t count,
				   u64 at, bool write)
{
	struct cxl_vfio_device *dev = mem->window.dev;
	enum cxl_vfio_answer answer;
	ssize_t left = -EIO;

	if (down_read_killable(&dev->core.memory_lock))
		return -EINTR;
	down_read(&dev->gate.lock);
	answer = cxl_vfio_gate_ask(dev, ASK_HDM);
	if (answer == ANSWER_GO && !cxl_vfio_poison_hit(mem, at, count)) {
		cxl_vfio_mem_touched(mem, at, count);
		pagefault_disable();
		left = copy_bytes(mem, buf, count, at, write);
		pagefault_enable();
	}
	up_read(&dev->gate.lock);
	up_read(&dev->core.memory_lock);
	return answer == ANSWER_WAIT ? -EAGAIN : left;
}

/* The user's pages that a chunk stopped at are brought in with no lock held */
static int fault_in(char __user *buf, size_t left, bool write)
{
	size_t bad = write ? fault_in_readable(buf, left) : fault_in_writeable(buf, left);

	return bad == left ? -EFAULT : 0;
}

/* One chunk and what it takes to go on: bytes done, or a negative errno */
static ssize_t rw_chunk(struct cxl_vfio_hdm_mem *mem, char __user *buf, size_t count, u64 at,
			bool write)
{
	ssize_t left = cxl_vfio_copy_chunk(mem, buf, count, at, write);
	int ret;

	if (left == -EAGAIN) {
		ret = cxl_vfio_gate_wait(mem->window.dev, ASK_HDM, TASK_KILLABLE);
		return ret ? -EINTR : 0;
	}
	if (left <= 0)
		return left ?: count;
	ret = fault_in(buf + count - left, left, write);
	return ret && left == count ? ret : count - left;
}

static ssize_t mem_rw(struct cxl_vfio_hdm_mem *mem, char __user *buf, size_t count, u64 at,
		      bool write)
{
	size_t done = 0;

	while (done < count) {
		ssize_t n = rw_chunk(mem, buf + done, min_t(size_t, count - done, COPY_CHUNK),
				     at + done, write);

		if (n >= 0 && fatal_signal_pending(current))
			n = -EINTR;
		if (n < 0)
			return done ?: n;
		done += n;
		cond_resched();
	}
	return done;
}

/**
 * cxl_vfio_mem_rw() - copy from or to HDM memory
 * @mem: the memory
 * @buf: user buffer
 * @count: bytes, clipped at the memory's end
 * @at: first byte, from its start
 * @write: direction
 *
 * Waits, killably, while the gate says so.
 *
 * Return: bytes done; -EINVAL past the end, -EIO while the gate is closed or for
 * a page with a memory error, -EFAULT, -EINTR.
 */
ssize_t cxl_vfio_mem_rw(struct cxl_vfio_hdm_mem *mem, char __user *buf, size_t count, u64 at,
			bool write)
{
	if (at >= mem->window.size)
		return -EINVAL;
	count = min_t(u64, count, mem->window.size - at);
	if (!access_ok(buf, count))
		return -EFAULT;
	if (write)
		cxl_vfio_mark_used(mem->window.dev);
	return mem_rw(mem, buf, count, at, write);
}

static ssize_t cxl_vfio_hdm_region_rw(struct vfio_pci_core_device *core, char __user *buf,
				      size_t count, loff_t *ppos, bool write)
{
	unsigned int i = VFIO_PCI_OFFSET_TO_INDEX(*ppos) - VFIO_PCI_NUM_REGIONS;
	ssize_t ret = cxl_vfio_mem_rw(core->region[i].data, buf, count,
				      *ppos & VFIO_PCI_OFFSET_MASK, write);

	if (ret > 0)
		*ppos += ret;
	return ret;
}

/**
 * cxl_vfio_mem_of_region() - the HDM memory behind a VFIO region
 * @dev: the device, open
 * @region: the region's index
 *
 * Return: NULL if the region is another kind.
 */
struct cxl_vfio_hdm_mem *cxl_vfio_mem_of_region(struct cxl_vfio_device *dev, unsigned int region)
{
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++)
		if (dev->mem[i].region == region)
			return &dev->mem[i];
	return NULL;
}

static int cxl_vfio_hdm_mmap(struct vfio_pci_core_device *core, struct vfio_pci_region *region,
			     struct vm_area_struct *vma)
{
	struct cxl_vfio_hdm_mem *mem = region->data;

	return cxl_vfio_window_mmap(&mem->window, vma, vma->vm_page_prot);
}

/* vfio-pci-core calls it unconditionally; what a region needs lives with the bind */
static void mem_region_release(struct vfio_pci_core_device *core, struct vfio_pci_region *region)
{
}

static const struct vfio_pci_regops mem_regops = {
	.rw = cxl_vfio_hdm_region_rw,
	.mmap = cxl_vfio_hdm_mmap,
	.release = mem_region_release,
};

/**
 * cxl_vfio_mem_register() - make the HDM memory VFIO regions
 * @dev: the device, between vfio_pci_core_enable() and
 *	vfio_pci_core_finish_enable(); vfio-pci-core forgets regions at close
 *
 * Return: 0 or -ENOMEM.
 */
int cxl_vfio_mem_register(struct cxl_vfio_device *dev)
{
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++) {
		struct cxl_vfio_hdm_mem *mem = &dev->mem[i];
		int ret;

		mem->region = VFIO_PCI_NUM_REGIONS + dev->core.num_regions;
		mem->window.offset = VFIO_PCI_INDEX_TO_OFFSET(mem->region);
		ret = vfio_pci_core_register_dev_region(&dev->core, CXL_VFIO_REGION_TYPE,
							CXL_VFIO_REGION_SUBTYPE_HDM,
							&mem_regops, mem->window.size,
							VFIO_REGION_INFO_FLAG_READ |
							VFIO_REGION_INFO_FLAG_WRITE |
							VFIO_REGION_INFO_FLAG_MMAP, mem);
		if (ret) {
			cxl_vfio_mem_close(dev);
			return ret;
		}
		cxl_vfio_poison_open(mem);
	}
	return 0;
}

/**
 * cxl_vfio_mem_close() - the user has gone
 * @dev: the device; also after cxl_vfio_mem_register() failed
 */
void cxl_vfio_mem_close(struct cxl_vfio_device *dev)
{
	for (unsigned int i = 0; i < dev->found->nr_ranges; i++)
		cxl_vfio_poison_close(&dev->mem[i]);
}
