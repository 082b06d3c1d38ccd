// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile - what a hostile VMM does to the files of a VFIO device
 *
 * usage: hostile ADDRESS SEED STEPS [--only KIND] [--not KIND] [--thread N] [--first STEP]
 *	  [--no-bar-maps] [--iommufd] [--verbose]
 * Four threads do STEPS steps each, of random kinds with random arguments.  A step depends
 * on SEED, the number of its thread and its own number alone, so that --thread and --first
 * repeat a part of a run.  Beside them one thread changes structures while the kernel
 * reads them, and another one lets the kernel wait for pages of them (userfaultfd).
 * With --no-bar-maps nothing maps the BAR of the accelerator, which vfio-pci-core maps and
 * not the driver.  With --iommufd the device is opened by its character device.
 *
 * While the file /tmp/hostile.release exists the program has nothing open, so that the
 * device can be unbound; it opens the device again when the file is gone.
 *
 * Ends with 0 if the driver kept its promises: no mapping where there should be none, no
 * byte written past argsz, and the device can be opened again each time.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/pci_regs.h>
#include <linux/userfaultfd.h>

#include "../../t2dev/t2dev_regs.h"
#include "../modules/t2lab.h"
#include "iommufd.h"
#include "vfio.h"

#define MIB		(1024 * 1024ul)
#define MARK		0x0bad5eedu
#define THREADS		4
#define SLOTS		4		/* places for mappings, of each thread */
#define SLOT_SIZE	(512 * MIB)
#define WINDOW		(2 * MIB)	/* a mapping of HDM memory that each thread has */
#define BUFFER		(16 * PAGE)
#define ROOM		1024u		/* bytes of a structure with all that follows it */
#define REGIONS		16
#define EVENTS		8
#define BUFS		4
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define DEVCTL		(0x50 + PCI_EXP_DEVCTL)
#define PMCSR		(0x40 + PCI_PM_CTRL)
#define RELEASE		"/tmp/hostile.release"
#define PATIENCE	6000		/* times 100 ms until a device counts as lost */

struct worker {
	unsigned int nr;
	unsigned long step;
	uint64_t random;		/* state of the generator */
	uint8_t *slot;			/* SLOTS * SLOT_SIZE, nothing else is ever mapped here */
	uint8_t *plain;			/* BUFFER, and a page after it that is not mapped */
	uint8_t *dma;			/* BUFFER, which the device may write to */
	uint8_t *read_only;		/* a page, and the same page writable */
	uint8_t *read_only_alias;
	uint8_t *flipped;		/* a page that changes while flip_n is set */
	uint8_t *delayed;		/* a page that comes late, with the bytes of delayed_src */
	uint8_t *delayed_src;
	uint8_t *hdm;			/* WINDOW */
	uint8_t *bar;			/* a page of the component BAR */
	uint32_t flip_orig[ROOM / 4];
	bool steady;			/* the structure of this call must not change */
	uint32_t keep;			/* bits of its fourth dword that must not change */
	atomic_uint flip_n;		/* dwords */
};

static struct worker workers[THREADS];
static __thread struct worker *me;
static __thread sigjmp_buf on_fault;
static __thread volatile sig_atomic_t armed;
static __thread bool is_child;

static struct vfio v;
static atomic_int devices[4];		/* descriptors of the device, the first is v.device */
static atomic_int bufs[BUFS];		/* dma-bufs */
static int events[EVENTS], pipes[2], uffd;
static int self = -1;			/* this process's memory as a file */
static int files[2];			/* an empty file, and one of BUFFER bytes */
static bool lab;
static struct {
	uint64_t size;
	uint32_t flags;
} regions[REGIONS];
static uint32_t num_regions, hdm_region, comp_region;
static uint64_t block, hdm_cap;
static uint16_t dvsec, control;		/* control: what the lab alone may write */
static const char *bdf;
static uint64_t seed;
static unsigned long steps, first;
static bool verbose, no_bar_maps, by_iommufd;
static uint32_t ioas;			/* address space of the device */
static unsigned int nthreads = THREADS;
static struct worker *leader;
static atomic_uint finished;
static atomic_bool release;
static pthread_barrier_t meeting;

static struct {
	atomic_ulong failed;
	atomic_ulong count[64];
	atomic_ulong faults, good;	/* signals taken, system calls that succeeded */
} *shared;

static const char *kind_name(void);

static void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void fail(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (shared->failed++ < 20)
		dprintf(1, "seed %llu thread %u step %lu kind %s: %s\n", (unsigned long long)seed,
			me ? me->nr : 0, me ? me->step : 0, kind_name(), text);
}

/* Random numbers: splitmix64, begun for each step */

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static uint64_t any(void)
{
	me->random += 0x9e3779b97f4a7c15ull;
	return mix(me->random);
}

static uint64_t below(uint64_t n)
{
	return n ? any() % n : 0;
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

#define ONE_OF(list)	((list)[below(sizeof(list) / sizeof((list)[0]))])

/* A number that code may be wrong about */
static uint64_t odd_number(void)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 0xfff, 0x1000, 0x1001, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, ~0ull, ~0xfffull,
	};

	switch (below(4)) {
	case 0:
		return any();
	case 1:
		return any() >> below(64);
	case 2:
		return 1ull << below(64);
	default:
		return ONE_OF(numbers);
	}
}

static uint32_t some_argsz(uint32_t right)
{
	static const uint32_t sizes[] = {
		0, 4, 8, 11, 12, 15, 16, 20, 23, 24, 31, 32, 40, 64, 256, ROOM, 0x7fffffff,
		0x80000000, 0xfffffffe, 0xffffffff,
	};

	return one_in(2) ? right : ONE_OF(sizes);
}

/* An offset in something of @size bytes: inside, around its end or anywhere */
static uint64_t some_offset(uint64_t size)
{
	switch (below(8)) {
	case 0:
		return odd_number();
	case 1:
		return size - below(64);
	case 2:
		return size + below(64);
	case 3:
		return below(size) & ~(PAGE - 1);
	case 4:
		return (below(size) & ~(PAGE - 1)) - below(16);
	default:
		return below(size) & ~3ull;
	}
}

/* Memory accesses that may raise signals */

static void on_signal(int sig)
{
	if (!armed) {
		dprintf(1, "signal %d outside of an access that expects it\n", sig);
		_exit(99);
	}
	siglongjmp(on_fault, sig);
}

static bool copy(void *to, const void *from, size_t n)
{
	if (sigsetjmp(on_fault, 0)) {
		armed = 0;
		shared->faults++;
		return false;
	}
	armed = 1;
	memcpy(to, from, n);
	armed = 0;
	return true;
}

static bool add(volatile uint32_t *p)
{
	if (sigsetjmp(on_fault, 0)) {
		armed = 0;
		shared->faults++;
		return false;
	}
	armed = 1;
	__atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST);
	armed = 0;
	return true;
}

static long note(long ret)
{
	if (ret >= 0)
		shared->good++;
	return ret;
}

/* Descriptors */

static int some_device(void)
{
	return devices[one_in(4) ? below(4) : 0];
}

static int some_event(void)
{
	return events[below(EVENTS)];
}

static int some_fd(void)
{
	switch (below(8)) {
	case 0:
		return -1;
	case 1:
		return odd_number();
	case 2:
		return some_device();
	case 3:
		return v.group;
	case 4:
		return v.container;
	case 5:
		return bufs[below(BUFS)];
	default:
		return some_event();
	}
}

/* Addresses */

static uint8_t *some_slot(void)
{
	struct worker *w = one_in(4) ? &workers[below(THREADS)] : me;

	if (!w->slot)
		w = me;
	return w->slot + below(SLOTS) * SLOT_SIZE;
}

static uint8_t *in_slot(size_t n)
{
	const uint64_t spans[] = { PAGE, 16 * PAGE, 2 * MIB, 16 * MIB, 256 * MIB };
	uint64_t at = below(ONE_OF(spans));

	if (one_in(2))
		at &= ~(PAGE - 1);
	return some_slot() + (at + n > SLOT_SIZE ? 0 : at);
}

/* A buffer of up to @n bytes for the kernel to read or write, of any kind */
static void *some_buffer(size_t n)
{
	if (n > BUFFER)
		n = BUFFER;
	switch (below(12)) {
	case 0:
		return me->plain + BUFFER - n;
	case 1:
		return me->plain + BUFFER - n / 2;
	case 2:
		return me->read_only;
	case 3:
		return (void *)(uintptr_t)below(PAGE);
	case 4:
		return (void *)(0xffff800000000000ull | any() >> 20);
	case 5:
	case 6:
		return me->hdm + below(WINDOW - n);
	case 7:
		return me->bar + below(64);
	case 8:
		return in_slot(n);
	case 9:
		madvise(me->delayed, PAGE, MADV_DONTNEED);
		return me->delayed + PAGE - below(PAGE);
	default:
		return me->plain;
	}
}

/*
 * Put the structure @s of @n bytes somewhere: begin() before the system call returns its
 * address, end() ends what happens to it meanwhile.
 */
static void *begin(const void *s, size_t n)
{
	switch (below(16)) {
	case 0:
		memcpy(me->plain + BUFFER - n, s, n);
		return me->plain + BUFFER - n;
	case 1:
		memcpy(me->read_only_alias, s, n);
		return me->read_only;
	case 2:	/* its end is not there */
		n -= below(n);
		memcpy(me->plain + BUFFER - n, s, n);
		return me->plain + BUFFER - n;
	case 3:
		return one_in(2) ? NULL : (void *)(uintptr_t)odd_number();
	case 4:
		copy(me->hdm + 64, s, n);
		return me->hdm + 64;
	case 5:
		/* All threads map the same page */
		copy(me->bar + me->nr * ROOM, s, n);
		return me->bar + me->nr * ROOM;
	case 6: {
		uint8_t *p = me->steady || me->keep ? me->plain : in_slot(n);

		copy(p, s, n);
		return p;
	}
	case 7:
	case 8:
	case 9:
		memcpy(me->flipped, s, n);
		if (me->steady)
			return me->flipped;
		memcpy(me->flip_orig, s, n);
		me->flip_n = (n + 3) / 4;
		return me->flipped;
	case 10:
	case 11:
		madvise(me->delayed, PAGE, MADV_DONTNEED);
		memset(me->delayed_src, 0, PAGE);
		memcpy(me->delayed_src, s, n);
		return me->delayed;
	default:
		memcpy(me->plain, s, n);
		return me->plain;
	}
}

static void end(void)
{
	me->flip_n = 0;
	me->keep = 0;
}

/* An ioctl with a structure that begins with argsz: nothing past argsz may be written */
static long call(int fd, unsigned long nr, const void *s)
{
	uint8_t expected[ROOM];
	uint32_t argsz;
	void *p;
	long ret;

	memcpy(&argsz, s, sizeof(argsz));
	p = begin(s, ROOM);
	ret = note(ioctl(fd, nr, p));
	end();
	if (p != me->plain || argsz >= ROOM)
		return ret;
	memcpy(expected, s, ROOM);
	/* argsz itself is always answered */
	if (memcmp(expected + (argsz < 4 ? 4 : argsz), me->plain + (argsz < 4 ? 4 : argsz),
		   ROOM - (argsz < 4 ? 4 : argsz)))
		fail("ioctl %lu writes past argsz %u", nr & 0xff, argsz);
	return ret;
}

/* A structure full of junk with a plausible argsz */
static void junk(void *s, uint32_t right)
{
	uint32_t *p = s;

	for (unsigned int i = 0; i < ROOM / 4; i++)
		p[i] = one_in(3) ? 0 : odd_number();
	p[0] = some_argsz(right);
}

/* Kinds of steps */

static void step_info(void)
{
	union {
		struct vfio_device_info device;
		struct vfio_region_info region;
		struct vfio_irq_info irq;
		uint8_t raw[ROOM];
	} u;

	junk(&u, ROOM);
	switch (below(4)) {
	case 0:
		call(some_device(), VFIO_DEVICE_GET_INFO, &u);
		break;
	case 1:
		u.irq.index = one_in(8) ? odd_number() : below(8);
		call(some_device(), VFIO_DEVICE_GET_IRQ_INFO, &u);
		break;
	case 2:
		call(some_device(), VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &u);
		break;
	default:
		u.region.index = one_in(8) ? odd_number() : below(REGIONS);
		call(some_device(), VFIO_DEVICE_GET_REGION_INFO, &u);
		break;
	}
}

static void step_irqs(void)
{
	union {
		struct {
			struct vfio_irq_set set;
			int32_t fd[16];
		};
		uint8_t raw[ROOM];
	} u;
	static const uint32_t kinds[] = {
		VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL, VFIO_IRQ_SET_DATA_EVENTFD,
	};
	static const uint32_t actions[] = {
		VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_UNMASK, VFIO_IRQ_SET_ACTION_TRIGGER,
	};

	junk(&u, sizeof(u.set) + sizeof(u.fd));
	u.set.flags = one_in(8) ? odd_number() : (one_in(3) ? ONE_OF(kinds) :
		      VFIO_IRQ_SET_DATA_EVENTFD) | (one_in(3) ? ONE_OF(actions) :
		      VFIO_IRQ_SET_ACTION_TRIGGER);
	u.set.index = one_in(8) ? odd_number() : below(5);
	u.set.start = one_in(4) ? odd_number() : 0;
	u.set.count = one_in(4) ? odd_number() : below(5);
	for (unsigned int i = 0; i < 16; i++)
		u.fd[i] = one_in(4) ? some_fd() : some_event();
	call(some_device(), VFIO_DEVICE_SET_IRQS, &u);
}

static void step_reset(void)
{
	note(ioctl(some_device(), VFIO_DEVICE_RESET, one_in(2) ? 0 : any()));
}

static void step_hot_reset(void)
{
	union {
		struct {
			struct vfio_pci_hot_reset reset;
			int32_t fd[16];
		};
		uint8_t raw[ROOM];
	} u;

	junk(&u, sizeof(u.reset) + 4);
	u.reset.flags = one_in(8) ? odd_number() : 0;
	u.reset.count = one_in(3) ? odd_number() : 1;
	for (unsigned int i = 0; i < 16; i++)
		u.fd[i] = one_in(3) ? some_fd() : v.group;
	call(some_device(), VFIO_DEVICE_PCI_HOT_RESET, &u);
}

static uint64_t region_offset(uint32_t index, uint64_t at)
{
	return ((uint64_t)index << 40) + at;
}

/* In the component block or around it */
static uint64_t in_block(void)
{
	return block + (one_in(2) ? hdm_cap + below(0x100) : below(CXL_VFIO_COMP_BLOCK_SIZE + 16));
}

static bool touches_block(uint64_t offset, uint32_t n)
{
	uint64_t at = offset & 0xffffffffff;

	return offset >> 40 == T2DEV_COMP_BAR && at + n > block &&
	       at < block + CXL_VFIO_COMP_BLOCK_SIZE;
}

static void step_ioeventfd(void)
{
	union {
		struct vfio_device_ioeventfd io;
		uint8_t raw[ROOM];
	} u;
	uint32_t n = 1u << below(4);
	void *p;
	long ret;

	junk(&u, sizeof(u.io));
	u.io.flags = one_in(8) ? odd_number() : n;
	if (one_in(8))
		u.io.offset = odd_number();
	else if (one_in(2))
		u.io.offset = region_offset(T2DEV_COMP_BAR, in_block() & ~(n - 1ull));
	else
		u.io.offset = region_offset(below(num_regions), 0x30);
	u.io.fd = one_in(3) ? -1 : some_event();
	u.io.data = MARK;
	/*
	 * The kernel reads the structure a second time after the driver has checked it.  Up
	 * to 6.12 it then takes a negative offset for one in a BAR, which no driver can
	 * prevent: an offset that is not negative never becomes so.
	 */
	me->keep = (int64_t)u.io.offset < 0 ? 0 : 1u << 31;
	p = begin(&u, sizeof(u.io));
	ret = note(ioctl(some_device(), VFIO_DEVICE_IOEVENTFD, p));
	end();
	if (p == me->plain && !ret && u.io.fd >= 0 && touches_block(u.io.offset, n))
		fail("an ioeventfd at %#llx is accepted", (unsigned long long)u.io.offset);
	eventfd_write(some_event(), 1);
}

static void step_feature(void)
{
	union {
		struct vfio_device_feature f;
		uint8_t raw[ROOM];
	} u;
	static const uint32_t ops[] = {
		VFIO_DEVICE_FEATURE_GET, VFIO_DEVICE_FEATURE_SET, VFIO_DEVICE_FEATURE_PROBE,
		VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_PROBE,
		VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE,
		VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET, 0,
	};
	int fd;

	junk(&u, sizeof(u.f) + 64);
	u.f.flags = one_in(16) ? odd_number() : ONE_OF(ops) | (uint32_t)below(21);
	/* A descriptor that nobody knows would keep the device in use */
	fd = call(some_device(), VFIO_DEVICE_FEATURE, &u);
	if (fd >= 3)
		close(fd);
}

/* VFIO low power, with the structures as they should be */
static void step_power(void)
{
	union {
		struct {
			struct vfio_device_feature f;
			int32_t fd, reserved;
		};
		uint8_t raw[ROOM];
	} u;

	memset(&u, 0, sizeof(u));
	u.f.argsz = sizeof(u.f) + 8;
	u.f.flags = VFIO_DEVICE_FEATURE_SET;
	switch (below(4)) {
	case 0:
		u.f.flags |= VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY;
		break;
	case 1:
		u.f.flags |= VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP;
		u.fd = some_event();
		break;
	default:
		u.f.flags |= VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
		break;
	}
	call(some_device(), VFIO_DEVICE_FEATURE, &u);
}

/* A mapping of something in a slot, at an address that nothing else uses */
static uint8_t *map_in_slot(int fd, uint64_t at, size_t n, int prot, int flags)
{
	uint8_t *p = in_slot(n);

	p -= (uintptr_t)p % PAGE;
	if (one_in(4))
		p = some_slot();
	return mmap(p, n, prot, flags | MAP_FIXED, fd, at);
}

static int some_prot(void)
{
	static const int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ,
		PROT_WRITE, PROT_NONE, PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ | PROT_EXEC,
	};

	return ONE_OF(prots);
}

static size_t some_pages(void)
{
	const size_t sizes[] = { PAGE, PAGE, 2 * PAGE, 5 * PAGE, 512 * PAGE, 513 * PAGE };

	return one_in(16) ? below(255 * MIB) + 1 : ONE_OF(sizes);
}

static void step_dma_buf(void)
{
	struct dma_buf_sync sync = { .flags = below(8) };
	union {
		struct {
			struct vfio_device_feature f;
			struct vfio_device_feature_dma_buf buf;
			struct vfio_region_dma_range range[8];
		};
		uint8_t raw[ROOM];
	} u;
	atomic_int *slot = &bufs[below(BUFS)];
	int fd = *slot;

	switch (below(6)) {
	case 0:
		ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
		lseek(fd, odd_number(), below(3));
		return;
	case 1:
		map_in_slot(fd, below(2) ? 0 : some_offset(WINDOW) & ~(PAGE - 1), some_pages(),
			    some_prot(), MAP_SHARED);
		return;
	case 2:
		if (lab) {
			int import = open("/dev/t2lab", O_RDWR | O_CLOEXEC);
			struct t2lab_info info;

			ioctl(import, one_in(4) ? T2LAB_STATIC : T2LAB_ATTACH, &fd);
			note(ioctl(import, T2LAB_MAP));
			if (one_in(4))
				ioctl(import, T2LAB_PIN);
			ioctl(import, T2LAB_INFO, &info);
			usleep(below(20000));
			close(import);
		}
		return;
	default:
		break;
	}
	junk(&u, sizeof(u));
	u.f.argsz = sizeof(u.f) + sizeof(u.buf) + sizeof(u.range);
	u.f.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF;
	u.buf.region_index = one_in(4) ? below(num_regions) : hdm_region;
	u.buf.open_flags = one_in(8) ? odd_number() : O_RDWR | O_CLOEXEC;
	u.buf.flags = one_in(8) ? odd_number() : 0;
	u.buf.nr_ranges = one_in(6) ? odd_number() : 1 + below(8);
	for (unsigned int i = 0; i < 8; i++) {
		u.range[i].offset = one_in(6) ? odd_number() : below(64) * MIB;
		u.range[i].length = one_in(6) ? odd_number() : (1 + below(16)) * PAGE;
	}
	fd = note(ioctl(some_device(), VFIO_DEVICE_FEATURE, begin(&u, sizeof(u))));
	end();
	if (fd < 3)
		return;
	fd = atomic_exchange(slot, fd);
	if (fd >= 0)
		close(fd);
}

static void step_group(void)
{
	char name[64];
	uint8_t s[ROOM];
	int fd;

	junk(s, 8);
	switch (below(9)) {
	case 0:
		call(v.group, VFIO_GROUP_GET_STATUS, s);
		break;
	case 1:
		fd = some_fd();
		ioctl(v.group, VFIO_GROUP_SET_CONTAINER, begin(&fd, sizeof(fd)));
		end();
		break;
	case 2:
		ioctl(v.group, VFIO_GROUP_UNSET_CONTAINER);
		break;
	case 3:
		snprintf(name, sizeof(name), "%s%s", bdf, one_in(2) ? " " : "x=1");
		name[below(16)] = any();
		fd = ioctl(v.group, VFIO_GROUP_GET_DEVICE_FD, begin(name, sizeof(name)));
		end();
		if (fd >= 0)
			close(fd);
		break;
	case 4:
		ioctl(v.container, VFIO_SET_IOMMU, odd_number());
		break;
	case 5:
		ioctl(v.container, VFIO_CHECK_EXTENSION, odd_number());
		break;
	case 6:
		call(v.container, VFIO_IOMMU_GET_INFO, s);
		break;
	case 7:
		call(v.container, VFIO_IOMMU_DIRTY_PAGES, s);
		break;
	default:
		ioctl(v.container, VFIO_GET_API_VERSION, odd_number());
		break;
	}
}

static void step_junk_ioctl(void)
{
	uint8_t s[ROOM];
	/* No descriptor of the program itself, whose contents the steps need */
	int fd[] = { some_device(), some_device(), v.group, v.container };
	unsigned int nr = below(40);
	int ret;

	junk(s, ROOM);
	/* Opening, closing, mapping and ioeventfds have kinds of their own */
	if (nr == 4 || nr == 5 || nr == 6 || nr == 13 || nr == 16)
		nr += 20;
	ret = ioctl(ONE_OF(fd), _IO(VFIO_TYPE, VFIO_BASE + nr), begin(s, ROOM));
	end();
	if (ret >= 3 && nr + VFIO_BASE == (VFIO_DEVICE_FEATURE & 0xff))
		close(ret);
}

/*
 * Config space.  Not the capability through which the lab changes what the device does:
 * a write to it would not test the driver.
 */
static void config_write(uint64_t at, const void *p, size_t n)
{
	if (at < control + (uint64_t)T2DEV_VSEC_LEN && at + n > control)
		n = at < control ? control - at : 0;
	if (n)
		note(pwrite(some_device(), p, n, region_offset(CONFIG, at)));
}

static void step_config(void)
{
	static const uint16_t places[] = {
		PCI_COMMAND, PCI_STATUS, PCI_CACHE_LINE_SIZE, PCI_BIST, PCI_BASE_ADDRESS_0,
		PCI_BASE_ADDRESS_4, PCI_ROM_ADDRESS, PCI_CAPABILITY_LIST, PCI_INTERRUPT_LINE,
		PMCSR, DEVCTL,
	};
	uint64_t at = one_in(3) ? ONE_OF(places) : one_in(2) ? dvsec + below(0x40) : below(4096);
	size_t n = one_in(8) ? below(4096) : 1ul << below(4);
	uint64_t val = one_in(2) ? odd_number() : any();

	if (one_in(16))
		at = odd_number() & 0xffffffffff;
	if (one_in(3)) {
		note(pread(some_device(), some_buffer(n), n, region_offset(CONFIG, at)));
	} else if (n <= 8) {
		memcpy(me->plain, &val, 8);
		config_write(at, one_in(8) ? some_buffer(n) : me->plain, n);
	} else {
		config_write(at, some_buffer(n), n);
	}
}

static void put16(uint16_t at, uint16_t val)
{
	region_write(&v, CONFIG, at, &val, 2);
}

/* The device works again for all threads */
static void step_calm(void)
{
	struct vfio_device_feature f = {
		.argsz = sizeof(f),
		.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
	};

	ioctl(v.device, VFIO_DEVICE_FEATURE, &f);
	put16(PMCSR, 0);
	put16(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void step_off(void)
{
	switch (below(6)) {
	case 0:
		put16(PCI_COMMAND, below(8));
		break;
	case 1:
		put16(PMCSR, below(4));
		break;
	case 2:
		if (one_in(4))
			put16(DEVCTL, 0x2810 | PCI_EXP_DEVCTL_BCR_FLR);
		break;
	case 3:
		if (one_in(4))
			put16(dvsec + CXL_VFIO_DVSEC_CTRL2, any() & 0xf);
		break;
	default:
		break;
	}
	if (!one_in(4))
		step_calm();
}

/* Any region, any bytes of it */
static void step_region(void)
{
	uint32_t index = one_in(8) ? below(256) : below(num_regions);
	uint64_t size = index < num_regions ? regions[index].size : 4096;
	size_t n = one_in(4) ? below(BUFFER) : one_in(16) ? odd_number() : 1ul << below(5);
	uint64_t at = region_offset(index, some_offset(size));
	struct iovec iov[3];
	ssize_t ret;

	if (index == CONFIG)
		return step_config();
	if (one_in(4)) {
		for (unsigned int i = 0; i < 3; i++) {
			iov[i].iov_len = one_in(3) ? 1ul << below(5) : below(PAGE);
			iov[i].iov_base = some_buffer(iov[i].iov_len);
		}
		n = iov[0].iov_len + iov[1].iov_len + iov[2].iov_len;
		ret = one_in(2) ? preadv(some_device(), iov, 3, at) :
				  pwritev(some_device(), iov, 3, at);
	} else if (one_in(2)) {
		ret = pread(some_device(), some_buffer(n), n, at);
	} else {
		memset(me->plain, MARK & 0xff, PAGE);
		ret = pwrite(some_device(), some_buffer(n), n, at);
	}
	if (note(ret) > 0 && (size_t)ret > n)
		fail("%zd bytes of %zu", ret, n);
}

/* Registers of the decoders, by way of both regions that have them, and the DVSEC */
static void step_decoders(void)
{
	static const uint32_t controls[] = {
		0, CXL_VFIO_HDM_CTRL_COMMIT, CXL_VFIO_HDM_CTRL_COMMIT | CXL_VFIO_HDM_CTRL_LOCK,
		CXL_VFIO_HDM_CTRL_COMMIT | CXL_VFIO_HDM_CTRL_HOST_ONLY, 0xffffffff,
	};
	uint32_t at = hdm_cap + (below(0x90) & ~3u), val = odd_number();
	int fd = some_device();

	if (one_in(3)) {
		at = hdm_cap + CXL_VFIO_HDM_DECODER(0) + CXL_VFIO_HDM_CTRL;
		val = ONE_OF(controls);
	}
	if (one_in(8))
		at += below(8);
	memcpy(me->plain, &val, 4);
	switch (below(3)) {
	case 0:
		note(pwrite(fd, me->plain, 4, region_offset(comp_region, at)));
		break;
	case 1:
		note(pwrite(fd, me->plain, 1ul << below(4),
			    region_offset(T2DEV_COMP_BAR, block + at)));
		break;
	default:
		at = dvsec + below(0x3c);
		/* A CXL reset takes a while */
		if (at + 4u > dvsec + CXL_VFIO_DVSEC_CTRL2 + 0u &&
		    at < dvsec + CXL_VFIO_DVSEC_CTRL2 + 2u && !one_in(8))
			at += 4;
		config_write(at, me->plain, 1ul << below(3));
		break;
	}
}

/* Is this mapping of the device one that the driver promises to refuse? */
static bool is_forbidden(uint32_t index, uint64_t at, size_t n, int flags)
{
	if ((flags & MAP_TYPE) == MAP_PRIVATE)
		return true;
	if (index >= num_regions || !(regions[index].flags & VFIO_REGION_INFO_FLAG_MMAP))
		return true;
	n = (n + PAGE - 1) & ~(PAGE - 1);
	if (at + n < at || at + n > ((regions[index].size + PAGE - 1) & ~(PAGE - 1)))
		return true;
	return index == T2DEV_COMP_BAR && at < block + CXL_VFIO_COMP_BLOCK_SIZE &&
	       at + n > block;
}

static void step_map(void)
{
	static const int types[] = {
		MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_SHARED_VALIDATE,
		MAP_SHARED | MAP_POPULATE, MAP_SHARED | MAP_LOCKED, MAP_PRIVATE,
	};
	uint32_t index = one_in(2) ? hdm_region : one_in(8) ? below(256) : below(num_regions);
	uint64_t size = index < num_regions ? regions[index].size : PAGE, at;
	int flags = ONE_OF(types);
	size_t n = some_pages();
	uint8_t *p;

	if (no_bar_maps && index == T2DEV_ACCEL_BAR)
		return;
	if (one_in(4)) {
		at = some_offset(size) & ~(PAGE - 1) & 0xffffffffff;
	} else {
		at = below(size) & ~(PAGE - 1);
		if (at + n > size)
			n = PAGE;
	}
	p = map_in_slot(some_device(), region_offset(index, at), n, some_prot(), flags);
	if (p == MAP_FAILED)
		return;
	shared->good++;
	/* An offset that wraps into the next region is one of that region */
	if (is_forbidden(index, at, n, flags) && at + n <= 1ull << 40)
		fail("mmap() of region %u at %#llx, %zu bytes, flags %#x succeeds", index,
		     (unsigned long long)at, n, flags);
}

static void step_touch(void)
{
	uint32_t val[16] = { MARK, MARK };
	uint8_t *p = one_in(4) ? me->hdm + below(WINDOW - 64) : in_slot(64);
	size_t n = one_in(4) ? 64 : 1ul << below(4);

	for (unsigned int i = 0; i < 8; i++) {
		switch (below(4)) {
		case 0:
			copy(p, val, n);
			break;
		case 1:
			add((void *)((uintptr_t)p & ~3ul));
			break;
		default:
			copy(val, p, n);
			break;
		}
		p = (uint8_t *)((uintptr_t)p ^ (below(16) * PAGE));
	}
}

static void memory_call(uint8_t *p, size_t n)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_REMOVE,
		MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, 24, 25,
	};
	struct iovec local = { me->plain, PAGE }, remote = { p, PAGE };
	struct uffdio_register reg = {
		.range = { (uintptr_t)p, n }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_range range = { (uintptr_t)p, n };

	switch (below(14)) {
	case 0:
		madvise(p, n, ONE_OF(advice));
		break;
	case 1:
		mlock(p, n);
		break;
	case 2:
		munlock(p, n);
		break;
	case 3:
		msync(p, n, 1ul << below(3));
		break;
	case 4:
		mincore(p, n < 512 * PAGE ? n : 512 * PAGE, me->plain);
		break;
	case 5:
		note(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
		break;
	case 6:
		note(process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
		break;
	case 7:
		note(vmsplice(pipes[1], &remote, 1, SPLICE_F_NONBLOCK | below(16)));
		read(pipes[0], me->plain, BUFFER);
		break;
	case 8:
		note(write(pipes[1], p, PAGE));
		read(pipes[0], one_in(2) ? p : me->plain, PAGE);
		break;
	case 9:
		if (!is_child && !ioctl(uffd, UFFDIO_REGISTER, &reg))
			ioctl(uffd, UFFDIO_UNREGISTER, &range);
		break;
	case 10:
		syscall(SYS_mbind, p, n, below(5), NULL, 0, below(8));
		break;
	case 11:
		note(pread(self, me->plain, 64, (uintptr_t)p));
		break;
	case 12:
		note(pwrite(self, me->plain, 64, (uintptr_t)p));
		break;
	default:
		madvise(p, n, MADV_DONTNEED);
		break;
	}
}

static void step_mappings(void)
{
	uint8_t *p = in_slot(PAGE), *to = some_slot();
	size_t n = some_pages();

	p -= (uintptr_t)p % PAGE;
	switch (below(8)) {
	case 0:
		mmap(p, n, some_prot(), MAP_SHARED | MAP_FIXED, files[below(2)], 0);
		break;
	case 1:
		munmap(p, n);
		break;
	case 2:
		note(mprotect(p, n, some_prot()));
		break;
	case 3:	/* only inside the slots, which have all that the device has given */
		mremap(p, n, some_pages(), MREMAP_MAYMOVE | MREMAP_FIXED, to);
		break;
	case 4:	/* one more mapping of the same */
		mremap(p, 0, n, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		break;
	case 5:
		mremap(p, n, some_pages(), one_in(2) ? 0 :
		       MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to);
		break;
	default:
		memory_call(p, n);
		break;
	}
}

static void step_remap(void)
{
	uint8_t *p = in_slot(PAGE);
	uint64_t pgoff;
	size_t n = some_pages();

	p -= (uintptr_t)p % PAGE;
	switch (below(3)) {
	case 0:
		pgoff = below(1024);
		break;
	case 1:
		pgoff = region_offset(below(num_regions), below(WINDOW)) / PAGE;
		break;
	default:
		pgoff = odd_number();
		break;
	}
	if (!note(syscall(SYS_remap_file_pages, p, n, 0, pgoff,
			  one_in(2) ? 0 : MAP_NONBLOCK))) {
		uint32_t val = MARK;

		copy(p, &val, 4);
		copy(&val, p, 4);
	}
}

static void step_dma(void)
{
	union {
		struct vfio_iommu_type1_dma_map map;
		struct vfio_iommu_type1_dma_unmap unmap;
		uint8_t raw[ROOM];
	} u;
	size_t n = some_pages() & ~(PAGE - 1);
	uint8_t *p = one_in(3) ? me->hdm + below(WINDOW) : one_in(3) ? me->dma : in_slot(n);

	memset(&u, 0, sizeof(u));
	if (one_in(2)) {
		u.map.argsz = some_argsz(sizeof(u.map));
		u.map.flags = one_in(4) ? odd_number() : 1 + below(3);
		u.map.vaddr = (uintptr_t)p & ~(PAGE - 1);
		u.map.iova = one_in(8) ? odd_number() : below(1024) * PAGE;
		u.map.size = p == me->dma ? BUFFER : one_in(8) ? odd_number() : n;
		/* The device is to write to no other memory of this program */
		me->steady = true;
		call(v.container, VFIO_IOMMU_MAP_DMA, &u);
		me->steady = false;
	} else {
		u.unmap.argsz = some_argsz(sizeof(u.unmap));
		u.unmap.flags = one_in(8) ? odd_number() : one_in(8) ? VFIO_DMA_UNMAP_FLAG_ALL : 0;
		u.unmap.iova = one_in(8) ? odd_number() : below(1024) * PAGE;
		u.unmap.size = one_in(8) ? odd_number() : n;
		if (u.unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL) {
			u.unmap.iova = 0;
			u.unmap.size = 0;
		}
		/* Not call(): the kernel answers in size, which old callers leave out of argsz */
		ioctl(v.container, VFIO_IOMMU_UNMAP_DMA, begin(&u, sizeof(u.unmap)));
		end();
	}
}

/* The address space of a device that was opened by its character device */
static void step_iommufd(void)
{
	union {
		struct iommufd_ioas_map map;
		struct iommufd_ioas_map_file file;
		struct iommufd_ioas_unmap unmap;
		struct iommufd_destroy destroy;
		uint8_t raw[ROOM];
	} u;
	size_t n = some_pages() & ~(PAGE - 1);
	uint8_t *p = one_in(2) ? me->hdm + (below(WINDOW) & ~(PAGE - 1)) : me->dma;
	uint32_t space = one_in(16) ? odd_number() : ioas;
	uint64_t iova = one_in(8) ? odd_number() : below(1024) * PAGE;

	if (!by_iommufd)
		return;
	memset(&u, 0, sizeof(u));
	/* The device is to write to no other memory of this program */
	me->steady = true;
	switch (below(8)) {
	case 0:
	case 1:
		u.map = (struct iommufd_ioas_map){
			sizeof(u.map), one_in(4) ? odd_number() : IOMMUFD_MAP_ALL, space, 0,
			(uintptr_t)p, p == me->dma ? BUFFER : n, iova,
		};
		call(v.container, IOMMUFD_IOAS_MAP, &u);
		break;
	case 2:
	case 3:
	case 4:
		u.file = (struct iommufd_ioas_map_file){
			sizeof(u.file), one_in(4) ? odd_number() : IOMMUFD_MAP_ALL, space,
			bufs[below(BUFS)], one_in(4) ? odd_number() : 0,
			one_in(4) ? odd_number() : n, iova,
		};
		call(v.container, IOMMUFD_IOAS_MAP_FILE, &u);
		break;
	case 5:
	case 6:
		u.unmap = (struct iommufd_ioas_unmap){
			sizeof(u.unmap), space, iova, one_in(4) ? odd_number() : n,
		};
		call(v.container, IOMMUFD_IOAS_UNMAP, &u);
		break;
	default:
		if (one_in(4))
			cdev_detach(some_device());
		cdev_attach(some_device(), space);
		break;
	}
	me->steady = false;
}

static void bar_put(uint32_t at, uint32_t val)
{
	region_write(&v, T2DEV_ACCEL_BAR, at, &val, 4);
}

/* The device's own engine, with any addresses */
static void step_engine(void)
{
	bar_put(T2DEV_ACC_OPCODE, below(4));
	bar_put(T2DEV_ACC_FLAGS, below(8));
	bar_put(T2DEV_ACC_SRC_LO, one_in(4) ? odd_number() : below(4 * MIB));
	bar_put(T2DEV_ACC_SRC_HI, one_in(4) ? odd_number() : 0);
	bar_put(T2DEV_ACC_DST_LO, one_in(4) ? odd_number() : below(4 * MIB));
	bar_put(T2DEV_ACC_DST_HI, one_in(4) ? odd_number() : 0);
	bar_put(T2DEV_ACC_LEN_LO, below(64 * PAGE));
	bar_put(T2DEV_ACC_LEN_HI, 0);
	bar_put(T2DEV_ACC_PATTERN, MARK);
	bar_put(T2DEV_ACC_DOORBELL, 1);
}

/* One more descriptor of the device, or one less; the first one stays */
static void step_open(void)
{
	atomic_int *slot = &devices[1 + below(3)];
	int fd = -1;

	if (one_in(2))
		fd = by_iommufd ? cdev_open(bdf) : ioctl(v.group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (by_iommufd && one_in(2))
		cdev_bind(fd, v.container);
	fd = atomic_exchange(slot, fd);
	if (fd >= 0)
		close(fd);
}

/* What else files can be asked */
static void step_file(void)
{
	int fd = some_device();
	off_t at = region_offset(hdm_region, some_offset(WINDOW));

	switch (below(8)) {
	case 0:
		lseek(fd, odd_number(), below(5));
		break;
	case 1:
		note(read(fd, some_buffer(PAGE), PAGE));
		break;
	case 2:
		note(sendfile(pipes[1], fd, &at, PAGE));
		read(pipes[0], me->plain, BUFFER);
		break;
	case 3:
		note(splice(fd, &at, pipes[1], NULL, PAGE, SPLICE_F_NONBLOCK));
		read(pipes[0], me->plain, BUFFER);
		break;
	case 4:
		ftruncate(fd, odd_number());
		break;
	case 5:
		fallocate(fd, below(64), odd_number(), odd_number());
		break;
	case 6:
		fcntl(fd, F_SETFL, below(2) ? O_NONBLOCK : O_RDWR);
		break;
	default:
		fsync(fd);
		break;
	}
}

static void step_fork(void);

static const struct {
	const char *name;
	void (*step)(void);
	unsigned int weight;
} kinds[] = {
	{ "info", step_info, 40 },
	{ "irqs", step_irqs, 30 },
	{ "reset", step_reset, 1 },
	{ "hot_reset", step_hot_reset, 1 },
	{ "ioeventfd", step_ioeventfd, 30 },
	{ "feature", step_feature, 30 },
	{ "power", step_power, 6 },
	{ "dma_buf", step_dma_buf, 30 },
	{ "group", step_group, 20 },
	{ "junk", step_junk_ioctl, 20 },
	{ "config", step_config, 60 },
	{ "off", step_off, 15 },
	{ "calm", step_calm, 25 },
	{ "region", step_region, 80 },
	{ "decoders", step_decoders, 60 },
	{ "map", step_map, 80 },
	{ "touch", step_touch, 100 },
	{ "mappings", step_mappings, 100 },
	{ "remap", step_remap, 30 },
	{ "dma", step_dma, 40 },
	{ "iommufd", step_iommufd, 30 },
	{ "engine", step_engine, 15 },
	{ "open", step_open, 20 },
	{ "file", step_file, 20 },
	{ "fork", step_fork, 3 },
};

#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static int only = -1, except = -1;
static __thread unsigned int kind;

static const char *kind_name(void)
{
	return me ? kinds[kind].name : "none";
}

static void step(unsigned int n)
{
	unsigned int total = 0, at;

	for (unsigned int i = 0; i < KINDS; i++)
		total += kinds[i].weight;
	do {
		at = below(total);
		for (kind = 0; at >= kinds[kind].weight; kind++)
			at -= kinds[kind].weight;
	} while ((int)kind == except);
	if (only >= 0)
		kind = only;
	if (verbose)
		dprintf(1, "thread %u step %lu.%u %s\n", me->nr, me->step, n, kinds[kind].name);
	shared->count[kind]++;
	kinds[kind].step();
}

static void step_fork(void)
{
	bool killed = one_in(3);
	int status;
	pid_t pid;

	if (is_child)
		return;
	pid = fork();
	if (!pid) {
		is_child = true;
		for (unsigned int i = 0; i < 8; i++)
			step(i + 1);
		_exit(0);
	}
	if (pid < 0)
		return;
	if (killed) {
		usleep(below(20000));
		kill(pid, SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid ||
	    (status && !(killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)))
		fail("a child ends with status %#x", status);
}

/* Beginning and end */

/* Change a dword of a structure and change it back, some times */
static void flip_one(struct worker *w, unsigned int n, uint64_t random)
{
	unsigned int at = (random >> 33) % (n < 24 ? n : 24);
	uint32_t val = w->flip_orig[at];
	const uint32_t other[] = {
		~0u, 0, val ^ 1u << (random >> 50) % 32, random >> 20,
		block + hdm_cap + CXL_VFIO_HDM_DECODER(0) + CXL_VFIO_HDM_CTRL,
	};
	uint32_t keep = at == 3 ? w->keep : 0;

	for (unsigned int i = 0; i < 8; i++) {
		uint32_t changed = other[(random >> 40) % 5];

		((volatile uint32_t *)w->flipped)[at] = (val & keep) | (changed & ~keep);
		((volatile uint32_t *)w->flipped)[at] = val;
	}
}

/* A thread that changes structures while the kernel reads them */
static void *flip(void *arg)
{
	uint64_t random = seed;

	for (;;) {
		bool busy = false;

		for (unsigned int i = 0; i < THREADS; i++) {
			unsigned int n = workers[i].flip_n;

			if (!n)
				continue;
			busy = true;
			random = mix(random + 1);
			flip_one(&workers[i], n, random);
		}
		if (!busy)
			usleep(500);
	}
	return arg;
}

/* A thread that lets the kernel wait for pages */
static void *deliver(void *arg)
{
	uint64_t random = seed;
	struct uffd_msg msg;

	while (read(uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		struct uffdio_copy page = { .len = PAGE };

		if (msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		random = mix(random + 1);
		usleep(random % 64 ? random % 20000 : 1000000);
		page.dst = msg.arg.pagefault.address & ~(PAGE - 1);
		for (unsigned int i = 0; i < THREADS; i++)
			if (page.dst == (uintptr_t)workers[i].delayed)
				page.src = (uintptr_t)workers[i].delayed_src;
		ioctl(uffd, UFFDIO_COPY, &page);
		ioctl(uffd, UFFDIO_WAKE, &(struct uffdio_range){ page.dst, PAGE });
	}
	return arg;
}

/* Private memory, aligned to 2 MiB and with nothing of the program next to it */
static void *memory(size_t n)
{
	uint8_t *p = mmap(NULL, n + 4 * MIB, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("hostile: mmap");
		exit(2);
	}
	p += WINDOW - (uintptr_t)p % WINDOW;
	mprotect(p, n, PROT_READ | PROT_WRITE);
	return p;
}

/*
 * Where something of the device was, or will be.  Not private memory, which a step could
 * fill until the machine has none left.
 */
static void nothing_at(void *p, size_t n)
{
	mmap(p, n, PROT_NONE, MAP_SHARED | MAP_FIXED, files[0], 0);
}

static void make_worker(struct worker *w)
{
	int fd = memfd_create("hostile", MFD_CLOEXEC);
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (fd < 0 || ftruncate(fd, PAGE))
		exit(2);
	w->nr = w - workers;
	w->slot = memory(SLOTS * SLOT_SIZE);
	nothing_at(w->slot, SLOTS * SLOT_SIZE);
	w->plain = memory(BUFFER);
	w->dma = memory(BUFFER);
	w->read_only = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	w->read_only_alias = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	w->flipped = memory(PAGE);
	w->delayed = memory(PAGE);
	w->delayed_src = memory(PAGE);
	w->hdm = memory(WINDOW);
	w->bar = memory(PAGE);
	close(fd);
	reg.range.start = (uintptr_t)w->delayed;
	reg.range.len = PAGE;
	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		perror("hostile: UFFDIO_REGISTER");
}

/* The capability through which the lab controls the device, as the hardware has it */
static uint16_t find_control(void)
{
	char path[128];
	uint32_t header[2];
	uint16_t at = 0x100;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (int left = 512; at && left; left--) {
		if (pread(fd, header, sizeof(header), at) != sizeof(header))
			break;
		if ((header[0] & 0xffff) == PCI_EXT_CAP_ID_VNDR &&
		    (header[1] & 0xffff) == T2DEV_VSEC_ID) {
			close(fd);
			return at;
		}
		at = header[0] >> 20;
	}
	close(fd);
	return 0;
}

static void map_fixed(void *p, uint32_t index, uint64_t at, size_t n)
{
	if (mmap(p, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, v.device,
		 region_offset(index, at)) == MAP_FAILED)
		fail("region %u cannot be mapped: %s", index, strerror(errno));
}

/* Open the device, which may not be there yet: false if it does not come */
static bool open_device(void)
{
	struct cxl_vfio_device_info_cap_v3 *cap;
	int ret = -1;

	for (unsigned int i = 0; ret && i < PATIENCE; i++) {
		ret = by_iommufd ? cdev_open_attached(&v, bdf, &ioas) : vfio_open(&v, bdf);
		if (ret)
			usleep(100000);
	}
	if (ret) {
		dprintf(1, "the device cannot be opened: %s\n", strerror(-ret));
		return false;
	}
	devices[0] = v.device;
	cap = vfio_cxl_cap(&v);
	if (!cap)
		return false;
	hdm_region = cap->hdm_region_idx;
	comp_region = cap->comp_reg_region_idx;
	block = cap->comp_reg_offset;
	num_regions = v.info.num_regions < REGIONS ? v.info.num_regions : REGIONS;
	for (uint32_t i = 0; i < num_regions; i++) {
		struct vfio_region_info *info = vfio_region(&v, i);

		regions[i].size = info ? info->size : 0;
		regions[i].flags = info ? info->flags : 0;
		free(info);
	}
	step_calm();
	dvsec = find_dvsec(&v, CXL_VFIO_DVSEC_ID_DEVICE) ?: dvsec;
	hdm_cap = find_hdm(&v, comp_region, 0) ?: hdm_cap;
	for (unsigned int i = 0; i < nthreads; i++) {
		struct worker *w = nthreads == 1 ? leader : &workers[i];
		uint32_t val = MARK;

		map_fixed(w->hdm, hdm_region,
			  (below(regions[hdm_region].size / WINDOW / THREADS) * THREADS + w->nr) *
			  WINDOW, WINDOW);
		map_fixed(w->bar, T2DEV_COMP_BAR, block ? 0 : CXL_VFIO_COMP_BLOCK_SIZE, PAGE);
		for (size_t at = 0; at < WINDOW; at += PAGE)
			copy(w->hdm + at, &val, 4);
	}
	return true;
}

static void close_device(void)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		nothing_at(workers[i].slot, SLOTS * SLOT_SIZE);
		nothing_at(workers[i].hdm, WINDOW);
		nothing_at(workers[i].bar, PAGE);
	}
	for (unsigned int i = 0; i < BUFS; i++) {
		int fd = atomic_exchange(&bufs[i], -1);

		if (fd >= 0)
			close(fd);
	}
	for (unsigned int i = 1; i < 4; i++) {
		int fd = atomic_exchange(&devices[i], -1);

		if (fd >= 0)
			close(fd);
	}
	vfio_close(&v);
}

/* All threads come together, and have nothing open as long as somebody wants that */
static void meet(void)
{
	pthread_barrier_wait(&meeting);
	if (me == leader) {
		close_device();
		for (unsigned int i = 0; i < PATIENCE && !access(RELEASE, F_OK); i++)
			usleep(100000);
		release = false;
		if (!open_device()) {
			dprintf(1, "seed %llu: the device does not come back\n",
				(unsigned long long)seed);
			_exit(3);
		}
	}
	pthread_barrier_wait(&meeting);
}

static void *work(void *arg)
{
	me = arg;
	for (me->step = first; me->step < first + steps; me->step++) {
		if (me == leader && me->step % 4 == 0 && !access(RELEASE, F_OK))
			release = true;
		if (release)
			meet();
		me->random = mix(mix(seed) + mix(me->nr + 1) * 3 + mix(me->step + 1));
		step(0);
	}
	finished++;
	while (finished < nthreads) {
		if (release)
			meet();
		usleep(10000);
	}
	return NULL;
}

static void __attribute__((noreturn)) usage(void)
{
	fputs("usage: hostile ADDRESS SEED STEPS [--only KIND] [--not KIND] [--thread N]\n"
	      "               [--first STEP] [--no-bar-maps] [--iommufd] [--verbose]\nkinds:",
	      stderr);
	for (unsigned int i = 0; i < KINDS; i++)
		fprintf(stderr, " %s", kinds[i].name);
	fputs("\n", stderr);
	exit(2);
}

static int find_kind(const char *name)
{
	for (unsigned int i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	usage();
}

static void arguments(int argc, char **argv)
{
	if (argc < 4)
		usage();
	bdf = argv[1];
	seed = strtoull(argv[2], NULL, 0);
	steps = strtoul(argv[3], NULL, 0);
	leader = &workers[0];
	for (int i = 4; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(argv[i], "--verbose")) {
			verbose = true;
			continue;
		}
		if (!strcmp(argv[i], "--no-bar-maps")) {
			no_bar_maps = true;
			continue;
		}
		if (!strcmp(argv[i], "--iommufd")) {
			by_iommufd = true;
			continue;
		}
		if (!value)
			usage();
		if (!strcmp(argv[i], "--only")) {
			only = find_kind(value);
		} else if (!strcmp(argv[i], "--not")) {
			except = find_kind(value);
		} else if (!strcmp(argv[i], "--thread")) {
			leader = &workers[strtoul(value, NULL, 0) % THREADS];
			nthreads = 1;
		} else if (!strcmp(argv[i], "--first")) {
			first = strtoul(value, NULL, 0);
		} else {
			usage();
		}
		i++;
	}
}

static void report(void)
{
	printf("seed %llu, %lu steps from step %lu of each of %u threads\n",
	       (unsigned long long)seed, steps, first, nthreads);
	for (unsigned int i = 0; i < KINDS; i++)
		printf("%s %lu\n", kinds[i].name, shared->count[i]);
	printf("%lu calls succeeded, %lu accesses raised signals, %lu failed\n", shared->good,
	       shared->faults, shared->failed);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };
	struct uffdio_api api = { .api = UFFD_API };
	pthread_t thread[THREADS], helper;

	arguments(argc, argv);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api)) {
		perror("hostile: userfaultfd");
		return 2;
	}
	lab = !access("/dev/t2lab", F_OK);
	for (unsigned int i = 0; i < EVENTS; i++)
		events[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
		return 2;
	files[0] = memfd_create("empty", MFD_CLOEXEC);
	files[1] = memfd_create("small", MFD_CLOEXEC);
	if (ftruncate(files[1], BUFFER))
		return 2;
	for (unsigned int i = 0; i < THREADS; i++)
		make_worker(&workers[i]);
	for (unsigned int i = 0; i < 4; i++) {
		devices[i] = -1;
		bufs[i] = -1;
	}
	pthread_barrier_init(&meeting, NULL, nthreads);
	control = find_control();
	me = leader;
	if (!control || !open_device() || !dvsec || !hdm_cap) {
		fputs("hostile: no device to be hostile to\n", stderr);
		return 2;
	}
	puts("ready");
	fflush(stdout);
	pthread_create(&helper, NULL, flip, NULL);
	pthread_create(&helper, NULL, deliver, NULL);
	for (unsigned int i = 0; i < nthreads; i++)
		pthread_create(&thread[i], NULL, work, nthreads == 1 ? leader : &workers[i]);
	for (unsigned int i = 0; i < nthreads; i++)
		pthread_join(thread[i], NULL);
	me = NULL;
	close_device();
	report();
	return shared->failed ? 1 : 0;
}
