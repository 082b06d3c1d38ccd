// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device as a whole: sends accesses where they belong, and resets.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"

#define REGION_CONFIG	7
#define MAX_WORDS	32
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
	uint64_t last = dev->options.bar_size - BLOCK_SIZE;

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

int device_init(struct device *dev, const struct options *options)
{
	memset(dev, 0, sizeof(*dev));
	memset(dev->irq_fd, 0xff, sizeof(dev->irq_fd));
	dev->options = *options;
	dev->start_options = *options;
	dev->storage = calloc(1, options->bar_size);
	if (!dev->storage)
		return -ENOMEM;
	config_init(dev);
	comp_build(dev);
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
	free(dev->storage);
}

uint64_t device_region_size(const struct device *dev, uint32_t index)
{
	switch (index) {
	case T2DEV_COMP_BAR:
		return dev->options.bar_size;
	case T2DEV_ACCEL_BAR:
		return T2DEV_ACCEL_BAR_SIZE;
	case IO_BAR:
		return dev->options.io_bar ? IO_BAR_SIZE : 0;
	case REGION_CONFIG:
		return CONFIG_SIZE;
	default:
		return 0;
	}
}

static void bar_piece(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write,
		      bool in_block)
{
	if (in_block)
		comp_access(dev, at - device_block_offset(dev), buf, count, write);
	else if (write)
		memcpy(dev->storage + at, buf, count);
	else
		memcpy(buf, dev->storage + at, count);
}

/* BAR 0: the component block, and storage around it */
static void bar_access(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write)
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
	if (dev->gone && !write && !is_control(dev, index, at)) {
		memset(buf, 0xff, count);
		return 0;
	}
	if (index == REGION_CONFIG) {
		config_access(dev, at, buf, count, write);
		return 0;
	}
	if (index == IO_BAR) {
		memset(buf, 0, write ? 0 : count);	/* nothing is there */
		return 0;
	}
	if (!config_memory_enabled(dev)) {
		if (!write)
			memset(buf, 0xff, count);
		return 0;
	}
	if (index == T2DEV_COMP_BAR)
		bar_access(dev, at, buf, count, write);
	else
		engine_access(dev, at, buf, count, write);
	return 0;
}

unsigned int device_irq_count(uint32_t index)
{
	return index == 2 ? T2DEV_MSIX_VECTORS : index >= 3 ? 1 : 0;
}

/*
 * VFIO's SET_IRQS.  On success the descriptors are the device's; a vector that
 * got none goes nowhere.
 */
int device_set_irqs(struct device *dev, uint32_t flags, uint32_t index, uint32_t start,
		    uint32_t count, const int *fds, unsigned int nfds)
{
	uint32_t vectors = device_irq_count(index);

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

void device_clear_memory(struct device *dev)
{
	uint64_t base, size;

	for (unsigned int i = 0; i < dev->options.decoders; i++) {
		if (!comp_decoder(dev, i, &base, &size))
			continue;
		for (uint64_t done = 0, len; done < size; done += len) {
			uint8_t *p;

			len = size - done;
			p = dma_pointer(&dev->ram, base + done, &len, true);
			if (!p)
				break;
			memset(p, 0, len);
		}
	}
}

/* Decoders and enables back to what they are without firmware, or some of that */
static void lose_decoders(struct device *dev)
{
	struct decoder_options none[MAX_DECODERS], keep[MAX_DECODERS];

	if (dev->options.lose_what) {
		comp_lose(dev);
		if (dev->dvsec && (dev->options.lose_what & LOSE_ENABLES))
			put16(&dev->config[dev->dvsec + 0x0c], 2);
		return;
	}
	memset(none, 0, sizeof(none));
	memcpy(keep, dev->options.decoder, sizeof(keep));
	memcpy(dev->options.decoder, none, sizeof(none));
	comp_build(dev);
	memcpy(dev->options.decoder, keep, sizeof(keep));
	if (dev->dvsec)
		put16(&dev->config[dev->dvsec + 0x0c], 2);
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

	log_line("%s", name[kind]);
	if (kind != RESET_D3)
		device_watch(dev);
	if (dev->options.lose_memory & (1u << kind))
		device_clear_memory(dev);
	if (dev->options.lose & (1u << kind))
		lose_decoders(dev);
	if (misbehaves(dev, MIS_RESET_RESIZES))
		comp_resize(dev);
	if (misbehaves(dev, MIS_RESET_INACTIVE))
		dev->inactive = ~0u;
	if (misbehaves(dev, MIS_RESET_SLOW))
		dev->inactive = 10;
	if (dev->inactive)
		config_set_active(dev, false);
	dev->gone = misbehaves(dev, MIS_RESET_GONE);
	if (kind == RESET_CXL || kind == RESET_D3)
		return;
	config_reset(dev, kind);
	engine_reset(dev);
}

static int split(char *line, char **words)
{
	char *save, *word = strtok_r(line, " ", &save);
	int n = 1;

	for (words[0] = "t2dev"; word && n < MAX_WORDS; word = strtok_r(NULL, " ", &save))
		words[n++] = word;
	words[n] = NULL;
	return n;
}

/*
 * Change the device as an option line says, on top of how it is; without a
 * line, back to how it was at its start.  0 or a positive errno.
 */
int device_configure(struct device *dev, const char *line)
{
	struct options options = dev->options;
	char copy[T2DEV_CTL_LINE_MAX], *words[MAX_WORDS + 1];

	if (line) {
		snprintf(copy, sizeof(copy), "%s", line);
		if (options_parse(&options, split(copy, words), words, false))
			return EINVAL;
	} else {
		options = dev->start_options;
	}
	log_line("configured: %s", line ?: "as at start");
	dev->gone = false;
	dev->inactive = 0;
	dev->options = options;
	config_build_ext(dev);
	comp_build(dev);
	return 0;
}
