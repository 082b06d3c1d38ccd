/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the kernel that the models, discovery and config space code need to run in
 * user space, under the fuzzers and the unit tests.  All headers in linux/ include this
 * file.  Functions that the code under test calls are in the tests or in their device.c.
 */
#ifndef FUZZ_SHIM_KERNEL_H
#define FUZZ_SHIM_KERNEL_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include </usr/include/linux/types.h>
#include </usr/include/linux/pci_regs.h>
#include </usr/include/linux/vfio.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef u64 phys_addr_t;
typedef int vm_fault_t;
typedef int pgprot_t;

#define __iomem
#define __user
#define __force

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK(h, l)		((~0U >> (31 - (h))) & (~0U << (l)))
#define FIELD_GET(mask, reg)	(((reg) & (mask)) >> __builtin_ctz(mask))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define round_down(x, a)	((x) & ~((typeof(x))(a) - 1))
#define round_up(x, a)		((((x) - 1) | ((typeof(x))(a) - 1)) + 1)
#define rounddown(x, a)		((x) - (x) % (a))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define max_t(t, a, b)		((t)(a) > (t)(b) ? (t)(a) : (t)(b))
#define clamp(x, lo, hi)	((x) < (lo) ? (lo) : (x) > (hi) ? (hi) : (x))
#define __ffs(x)		((unsigned int)__builtin_ctzl(x))
#define lower_32_bits(x)	((u32)(x))
#define upper_32_bits(x)	((u32)((x) >> 32))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define le16_to_cpu(x)		((u16)(x))
#define le16_to_cpup(p)		((u16)*(p))
#define cpu_to_le32(x)		((u32)(x))
#define cpu_to_le64(x)		((u64)(x))
#define le64_to_cpu(x)		((u64)(x))
#define container_of(p, t, m)	((t *)((char *)(p) - offsetof(t, m)))
#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL

#define DECLARE_BITMAP(name, bits)	unsigned long name[((bits) + 63) / 64]

static inline bool __test_and_set_bit(unsigned int n, unsigned long *map)
{
	bool was = map[n / 64] >> (n % 64) & 1;

	map[n / 64] |= 1UL << (n % 64);
	return was;
}

static inline u64 roundup_pow_of_two(u64 n)
{
	return n <= 1 ? 1 : 1ULL << (64 - __builtin_clzll(n - 1));
}

static inline void sort(void *base, size_t n, size_t size,
			int (*cmp)(const void *, const void *), void *swap)
{
	(void)swap;
	qsort(base, n, size, cmp);
}

struct mutex { int taken; };
typedef struct { int taken; } spinlock_t;
typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;
typedef int wait_queue_head_t;
struct task_struct;
struct workqueue_struct;
#define spin_lock(l)		((l)->taken++)
#define spin_unlock(l)		((l)->taken--)
struct rw_semaphore { int taken; };
int down_write_killable(struct rw_semaphore *s);
#define up_write(s)		assert(!--(s)->taken)
#define mutex_lock(m)		assert(!(m)->taken++)
#define DEFINE_MUTEX(m)		struct mutex m
#define mutex_unlock(m)		assert(!--(m)->taken)
#ifdef SHIM_NO_LOCKDEP
#define lockdep_assert_held(m)	((void)(m))
#else
#define lockdep_assert_held(m)	assert((m)->taken > 0)
#endif

struct list_head { struct list_head *next, *prev; };
#define LIST_HEAD(name)		struct list_head name = { &name, &name }
#define list_for_each_entry(pos, head, member)					\
	for (pos = container_of((head)->next, typeof(*pos), member);		\
	     &pos->member != (head);						\
	     pos = container_of(pos->member.next, typeof(*pos), member))

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	entry->next = head->next;
	entry->prev = head;
	head->next->prev = entry;
	head->next = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

struct work_struct { int pending; };
struct delayed_work { struct work_struct work; };
struct notifier_block { int unused; };
typedef long long ktime_t;
typedef unsigned long pgoff_t;
#define U64_MAX			(~0ULL)
#define TASK_KILLABLE		0
#define READ_ONCE(x)		(x)
#define WRITE_ONCE(x, val)	((x) = (val))

struct vm_area_struct { unsigned long vm_flags; };
struct vm_fault { struct vm_area_struct *vma; };

static inline void release_fault_lock(struct vm_fault *vmf)
{
	(void)vmf;
}

struct xarray { void *head; };

/* No page of the device has a memory error */
#define XA_PRESENT		0
#define xa_empty(xa)		(!(xa)->head)

static inline void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, int filter)
{
	return xa->head;
}

struct file;

static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}

/* PCI: one function, its config space and BARs, kept by device.c */
#define PCI_STD_NUM_BARS	6
#define IORESOURCE_IO		0x100
#define IORESOURCE_MEM		0x200
#define IORESOURCE_MEM_64	0x100000

struct resource {
	u64 start;
	u64 size;
	unsigned long flags;
};

#define PCI_D0			0

struct device {
	int unused;
};

struct pci_dev {
	struct device dev;
	struct pci_bus *bus;
	struct resource resource[PCI_STD_NUM_BARS];
	int current_state;
	u16 pm_cap;
	u16 pcie_cap;
};

#define pci_resource_start(p, i)	((p)->resource[i].start)
#define pci_resource_len(p, i)		((p)->resource[i].size)
#define pci_resource_flags(p, i)	((p)->resource[i].flags)
#define PCI_POSSIBLE_ERROR(val)		((val) == (typeof(val))~0ULL)

/* Log lines are dropped, but the compiler checks their arguments */
__attribute__((format(printf, 1, 2))) void fuzz_log(const char *fmt, ...);
#define pci_err(p, ...)		((void)(p), fuzz_log(__VA_ARGS__))
#define pci_warn(p, ...)	((void)(p), fuzz_log(__VA_ARGS__))
#define pci_info(p, ...)	((void)(p), fuzz_log(__VA_ARGS__))
#define pci_dbg(p, ...)		((void)(p), fuzz_log(__VA_ARGS__))

int pci_read_config_dword(struct pci_dev *pdev, int at, u32 *val);
int pci_read_config_word(struct pci_dev *pdev, int at, u16 *val);
int pci_write_config_dword(struct pci_dev *pdev, int at, u32 val);
int pci_write_config_word(struct pci_dev *pdev, int at, u16 val);
int pci_user_read_config_word(struct pci_dev *pdev, int at, u16 *val);
int pci_user_write_config_word(struct pci_dev *pdev, int at, u16 val);
int pci_user_write_config_byte(struct pci_dev *pdev, int at, u8 val);
struct pci_dev *pci_upstream_bridge(struct pci_dev *pdev);
struct pci_dev *pci_dev_get(struct pci_dev *pdev);
void pci_dev_put(struct pci_dev *pdev);
#define pci_name(p)		((void)(p), "0000:0c:00.0")
u16 pci_find_dvsec_capability(struct pci_dev *pdev, u16 vendor, u16 id);
int pci_enable_device_mem(struct pci_dev *pdev);
void pci_disable_device(struct pci_dev *pdev);
void *ioremap(u64 phys, u64 size);
void iounmap(const void *va);
u32 readl(const void *reg);
void writel(u32 val, void *reg);

unsigned long msleep_interruptible(unsigned int ms);
void usleep_range(unsigned int from, unsigned int to);
int pm_runtime_resume_and_get(struct device *dev);
void pm_runtime_put(struct device *dev);

#define GFP_KERNEL		0
#define U32_MAX			(~0U)

void *kzalloc(size_t size, int flags);
void *kmalloc(size_t size, int flags);

static inline void kfree(void *p)
{
	free(p);
}

/* User memory is memory of the test.  Both return the number of bytes not copied */
unsigned long copy_from_user(void *to, const void *from, unsigned long n);
unsigned long copy_to_user(void *to, const void *from, unsigned long n);

/* The part of vfio-pci-core that config.c uses */
#define VFIO_PCI_OFFSET_SHIFT	40
#define VFIO_PCI_INDEX_TO_OFFSET(index)	((u64)(index) << VFIO_PCI_OFFSET_SHIFT)
#define VFIO_PCI_OFFSET_MASK	(((u64)1 << VFIO_PCI_OFFSET_SHIFT) - 1)

struct vfio_device { int unused; };

struct vfio_pci_core_device {
	struct vfio_device vdev;
	struct pci_dev *pdev;
	u8 *vconfig;
	u8 *pci_config_map;
	struct rw_semaphore memory_lock;
	bool pm_runtime_engaged;
};

struct vfio_pci_region;
struct vfio_info_cap;

ssize_t vfio_pci_core_read(struct vfio_device *vdev, char *buf, size_t count, loff_t *ppos);
ssize_t vfio_pci_core_write(struct vfio_device *vdev, const char *buf, size_t count,
			    loff_t *ppos);

struct pci_error_handlers { int unused; };

#endif
