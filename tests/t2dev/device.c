// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device as a whole: sends accesses where they belong, and resets.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "device.h"

#define REGION_CONFIG	7
#define WATCH_LOOKS	10
#define WATCH_US	200

#define IRQ_NONE	(1 << 0)
#define IRQ_BOOL	(1 << 1)
#define IRQ_EVENTFD	(1 << 2)
#define IRQ_TRIGGER	(1 << 5)

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("t2dev: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

bool misbehaves(const struct device *dev, enum misbehaviour how)
{
	return dev->options.misbehave & (1ull << how);
}

/* Where the component block is in its BAR */
uint64_t device_block_offset(const struct device *dev)
{
	uint64_t last = dev->bar[dev->comp_bar].size - BLOCK_SIZE;

	switch (dev->options.block) {
	case BLOCK_START:
		return 0;
	case BLOCK_MIDDLE:
		return last / 2 & ~(BLOCK_SIZE - 1ull);
	default:
		return last;
	}
}

static void clear_irqs(struct device *dev)
{
	for (unsigned int i = 0; i < NUM_IRQS; i++) {
		for (unsigned int j = 0; j < T2DEV_MSIX_VECTORS; j++) {
			if (dev->irq_fd[i][j] >= 0)
				close(dev->irq_fd[i][j]);
			dev->irq_fd[i][j] = -1;
		}
	}
}

static void choose_bars(struct device *dev)
{
	const struct options *o = &dev->options;
	const struct bar_def usual[NUM_BARS] = {
		[T2DEV_COMP_BAR] = { o->bar_size, PCI_BASE_ADDRESS_MEM_TYPE_64 |
				     PCI_BASE_ADDRESS_MEM_PREFETCH },
		[T2DEV_ACCEL_BAR] = { T2DEV_ACCEL_BAR_SIZE, PCI_BASE_ADDRESS_MEM_TYPE_64 |
				      PCI_BASE_ADDRESS_MEM_PREFETCH },
		[IO_BAR] = { o->io_bar ? IO_BAR_SIZE : 0, PCI_BASE_ADDRESS_SPACE_IO },
	};
	bool own = o->profile && o->profile->bars;
	const struct bar_def *defs = own ? o->profile->bars : usual;

	dev->comp_bar = own ? o->profile->comp_bar : T2DEV_COMP_BAR;
	dev->accel_bar = own ? o->profile->accel_bar : T2DEV_ACCEL_BAR;
	for (unsigned int i = 0; i < NUM_BARS; i++) {
		dev->bar[i].size = defs[i].size;
		dev->bar[i].type = defs[i].type;
	}
}

/* Allocate the BARs' memory, of which only pages that are written take room */
static int make_storage(struct device *dev)
{
	for (unsigned int i = 0; i < NUM_BARS; i++) {
		struct bar *bar = &dev->bar[i];
		void *p;

		if (!bar->size)
			continue;
		p = mmap(NULL, bar->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED)
			return -ENOMEM;
		bar->storage = p;
	}
	return 0;
}

/* The state that firmware leaves, from the options */
static void build(struct device *dev)
{
	dev->gone = false;
	dev->invalid = 0;
	dev->inactive = 0;
	dev->status2.bits = 0;
	config_build_ext(dev);
	comp_build(dev);
}

int device_init(struct device *dev, const struct options *options)
{
	memset(dev, 0, sizeof(*dev));
	memset(dev->irq_fd, 0xff, sizeof(dev->irq_fd));
	dev->options = *options;
	dev->start_options = *options;
	choose_bars(dev);
	if (make_storage(dev))
		return -ENOMEM;
	config_init(dev);
	build(dev);
	engine_reset(dev);
	return 0;
}

/* The client is gone, and with it all that it handed over */
void device_disconnect(struct device *dev)
{
	clear_irqs(dev);
	dma_clear(&dev->dma);
	dma_clear(&dev->ram);
}

void device_free(struct device *dev)
{
	device_disconnect(dev);
	for (unsigned int i = 0; i < NUM_BARS; i++)
		if (dev->bar[i].storage)
			munmap(dev->bar[i].storage, dev->bar[i].size);
}

uint64_t device_region_size(const struct device *dev, uint32_t index)
{
	if (index < NUM_BARS)
		return dev->bar[index].size;
	return index == REGION_CONFIG ? CONFIG_SIZE : 0;
}

static void store(const struct bar *bar, uint64_t at, uint8_t *buf, uint32_t count, bool write)
{
	if (write)
		memcpy(bar->storage + at, buf, count);
	else
		memcpy(buf, bar->storage + at, count);
}

static void bar_piece(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write,
		      bool in_block)
{
	if (in_block)
		comp_access(dev, at - device_block_offset(dev), buf, count, write);
	else
		store(&dev->bar[dev->comp_bar], at, buf, count, write);
}

/* The BAR with the component block, and storage around it */
static void comp_bar_access(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count,
			    bool write)
{
	uint64_t block = device_block_offset(dev);

	while (count) {
		bool in_block = at >= block && at < block + BLOCK_SIZE;
		uint64_t n = count, border = in_block ? block + BLOCK_SIZE : block;

		if (at < border && n > border - at)
			n = border - at;
		bar_piece(dev, at, buf, n, write, in_block);
		at += n;
		buf += n;
		count -= n;
	}
}

/* Does an access go to the capability by which tests bring the device back? */
static bool is_control(const struct device *dev, uint32_t index, uint64_t at)
{
	return index == REGION_CONFIG &&
	       (at < 0x100 || (at >= dev->control && at < dev->control + T2DEV_VSEC_LEN));
}

static enum misuse_kind kind_of_closed(const struct device *dev, uint32_t index)
{
	if (index != dev->comp_bar)
		return MISUSE_OTHER_BAR;
	return config_low_power(dev) ? MISUSE_LOW_POWER : MISUSE_MEMORY_OFF;
}

static void bar_access(struct device *dev, uint32_t index, uint64_t at, uint8_t *buf,
		       uint32_t count, bool write)
{
	const struct bar *bar = &dev->bar[index];

	if (bar->type & PCI_BASE_ADDRESS_SPACE_IO) {
		memset(buf, 0, write ? 0 : count);	/* nothing is there */
	} else if (!config_memory_enabled(dev)) {
		misuse(dev, kind_of_closed(dev, index), "%s BAR %u at %#llx",
		       write ? "write to" : "read of", index, (unsigned long long)at);
		memset(buf, 0xff, write ? 0 : count);
	} else if (index == dev->comp_bar) {
		comp_bar_access(dev, at, buf, count, write);
	} else if (index == dev->accel_bar && at + count <= T2DEV_ACCEL_BAR_SIZE) {
		engine_access(dev, at, buf, count, write);
	} else {
		store(bar, at, buf, count, write);
	}
}

/* Any access that the client makes: 0 or -errno */
int device_access(struct device *dev, uint32_t index, uint64_t at, uint8_t *buf, uint32_t count,
		  bool write)
{
	uint64_t size = device_region_size(dev, index);

	if (at > size || count > size - at || !size)
		return -EINVAL;
	if (dev->options.verbose)
		log_line("%s region %u at %#llx, %u bytes", write ? "write" : "read", index,
			 (unsigned long long)at, count);
	if (dev->gone && !is_control(dev, index, at)) {
		memset(buf, 0xff, write ? 0 : count);
		return 0;
	}
	comp_settle(dev);
	dvsec_settle(dev);
	if (index == REGION_CONFIG)
		config_access(dev, at, buf, count, write);
	else
		bar_access(dev, index, at, buf, count, write);
	return 0;
}

/* Interrupts of one type: INTx, MSI, MSI-X, error and request */
unsigned int device_irq_count(const struct device *dev, uint32_t index)
{
	switch (index) {
	case 0:
		return dev->config[PCI_INTERRUPT_PIN] ? 1 : 0;
	case 1:
		return caps_find(dev, PCI_CAP_ID_MSI) ? 1 : 0;
	case 2:
		return caps_find(dev, PCI_CAP_ID_MSIX) ? T2DEV_MSIX_VECTORS : 0;
	default:
		return 1;
	}
}

/*
 * VFIO's SET_IRQS.  On success the descriptors are the device's; a vector that
 * got none goes nowhere.
 */
int device_set_irqs(struct device *dev, uint32_t flags, uint32_t index, uint32_t start,
		    uint32_t count, const int *fds, unsigned int nfds)
{
	uint32_t vectors = index < NUM_IRQS ? device_irq_count(dev, index) : 0;

	if (index >= NUM_IRQS || start > vectors || count > vectors - start || nfds > count)
		return -EINVAL;
	if (!(flags & IRQ_TRIGGER))
		return nfds ? -EINVAL : 0;	/* masks are the client's business */
	if (flags & IRQ_BOOL)
		return -EINVAL;
	if ((flags & IRQ_NONE) && !count) {
		start = 0;
		count = vectors;
	}
	for (uint32_t i = 0; i < count; i++) {
		int *slot = &dev->irq_fd[index][start + i];

		if (*slot >= 0)
			close(*slot);
		*slot = (flags & IRQ_EVENTFD) && i < nfds ? fds[i] : -1;
	}
	return 0;
}

/*
 * The host's addresses of the device's memory, what decoder or range @n maps; false if
 * that maps nothing.  @n is below MAX_DECODERS.
 */
bool device_memory(const struct device *dev, unsigned int n, uint64_t *base, uint64_t *size)
{
	if (!comp_uses_ranges(dev))
		return n < dev->options.decoders && comp_decoder(dev, n, base, size);
	return dvsec_mem_enabled(dev) && dvsec_range(dev, n, base, size);
}

/* Does the device answer CXL.mem at @hpa? */
bool device_decodes(const struct device *dev, uint64_t hpa)
{
	uint64_t base, size;

	if (!dvsec_mem_enabled(dev))
		return false;
	if (!comp_uses_ranges(dev))
		return comp_decodes(dev, hpa);
	for (unsigned int n = 0; n < MAX_DECODERS; n++)
		if (device_memory(dev, n, &base, &size) && hpa >= base && hpa - base < size)
			return true;
	return false;
}

void device_clear_memory(struct device *dev)
{
	uint64_t base, size;

	for (unsigned int i = 0; i < MAX_DECODERS; i++) {
		if (!device_memory(dev, i, &base, &size))
			continue;
		for (uint64_t done = 0, len; done < size; done += len) {
			uint8_t *p;

			len = size - done;
			p = dma_pointer(&dev->ram, base + done, &len, true);
			if (!p)
				break;
			/* A hole in the file reads 0, and is fast to make at any size */
			if (madvise(p, len, MADV_REMOVE))
				memset(p, 0, len);
		}
	}
}

/* Decoders and enables back to what they are without firmware, or some of that */
static void lose_decoders(struct device *dev)
{
	if (dev->options.lose_what) {
		comp_lose(dev);
		if (dev->options.lose_what & LOSE_ENABLES)
			dvsec_lose_enables(dev);
		if (dev->options.lose_what & LOSE_RANGES)
			dvsec_lose_ranges(dev);
		return;
	}
	comp_reset(dev, RESET_BUS);
	dvsec_lose_enables(dev);
	dvsec_lose_ranges(dev);
}

/* Apply what --misbehave says of resets */
static void misbehave_at_reset(struct device *dev)
{
	if (misbehaves(dev, MIS_RESET_RESIZES))
		comp_resize(dev);
	if (misbehaves(dev, MIS_RESET_INACTIVE) || misbehaves(dev, MIS_RESET_SLOW)) {
		dev->inactive = misbehaves(dev, MIS_RESET_INACTIVE) ? ~0u : 10;
		dev->media_lost_ms = 0;
	}
	dvsec_set_ready(dev);
	dev->gone = misbehaves(dev, MIS_RESET_GONE);
}

/*
 * Memory is off, or about to be lost: look whether the machine's processors still
 * write to the watched dword.  Nothing but a mapping that should be gone lets them.
 */
void device_watch(struct device *dev)
{
	uint64_t at = dev->options.watch, len = 4;
	volatile uint32_t *p;
	uint32_t before;

	if (at == WATCH_NONE)
		return;
	p = (uint32_t *)dma_pointer(&dev->ram, dev->options.decoder[0].base + at, &len, false);
	if (!p || len < 4)
		return;
	before = *p;
	for (unsigned int i = 0; i < WATCH_LOOKS && *p == before; i++)
		usleep(WATCH_US);
	if (*p == before)
		return;
	dev->touched++;
	log_line("HDM memory at %#llx changes while it is off", (unsigned long long)at);
}

void device_reset(struct device *dev, enum reset_kind kind)
{
	static const char * const name[] = { "FLR", "CXL reset", "bus reset", "D3 to D0" };

	/* A reset before memory space was ever on is power-on: firmware comes next */
	if (kind == RESET_BUS && !dev->used) {
		log_line("power-on");
		dev->firmware_done = false;
		config_init(dev);
		build(dev);
		return;
	}
	log_line("%s", name[kind]);
	if (kind != RESET_D3)
		device_watch(dev);
	if (dev->options.lose_memory & (1u << kind))
		device_clear_memory(dev);
	config_reset(dev, kind);
	dvsec_reset(dev, kind);
	comp_reset(dev, kind);
	if (dev->options.lose & (1u << kind))
		lose_decoders(dev);
	misbehave_at_reset(dev);
}

/*
 * Change the device as an option line says, on top of how it is; without a
 * line, back to how it was at its start.  0 or a positive errno.
 */
int device_configure(struct device *dev, const char *line)
{
	struct options options = dev->options;
	char copy[T2DEV_CTL_LINE_MAX], *words[OPTIONS_MAX_WORDS + 1];

	if (line) {
		snprintf(copy, sizeof(copy), "%s", line);
		if (options_parse(&options, options_split(copy, words), words, false))
			return EINVAL;
	} else {
		options = dev->start_options;
	}
	log_line("configured: %s", line ?: "as at start");
	dev->options = options;
	build(dev);
	return 0;
}
