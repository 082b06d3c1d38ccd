// SPDX-License-Identifier: GPL-2.0-only
/*
 * The accelerator: fills, copies and checksums HDM memory and the machine's
 * memory.  An operation runs to its end when the doorbell is written.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "device.h"

/* A place that an operation reads or writes */
struct operand {
	uint64_t at;
	bool hdm;
	bool write;
};

static uint32_t reg(const struct device *dev, uint32_t at)
{
	return get32(&dev->accel[at]);
}

static uint64_t reg64(const struct device *dev, uint32_t at)
{
	return get64(&dev->accel[at]);
}

static uint64_t hdm_total(const struct device *dev)
{
	uint64_t total = 0, base, size;

	for (unsigned int i = 0; i < MAX_DECODERS; i++)
		if (device_memory(dev, i, &base, &size))
			total += size;
	return total;
}

void engine_reset(struct device *dev)
{
	memset(dev->accel, 0, sizeof(dev->accel));
	put32(&dev->accel[T2DEV_ACC_ID], T2DEV_ACC_ID_VALUE);
	put32(&dev->accel[T2DEV_ACC_VERSION], 1);
}

/* HDM memory at @offset: what the decoders or ranges map, one after the other */
static uint8_t *hdm_pointer(struct device *dev, uint64_t offset, uint64_t *len, bool write)
{
	uint64_t base, size;

	for (unsigned int i = 0; i < MAX_DECODERS; i++) {
		if (!device_memory(dev, i, &base, &size))
			continue;
		if (offset < size) {
			if (*len > size - offset)
				*len = size - offset;
			return dma_pointer(&dev->ram, base + offset, len, write);
		}
		offset -= size;
	}
	return NULL;
}

/* DMA to the device's own memory, as the host placed it, while nothing decodes it */
static void judge_dma(struct device *dev, uint64_t addr)
{
	uint64_t hpa = dma_physical(&dev->ram, &dev->dma, addr);

	for (unsigned int i = 0; i < dev->options.decoders; i++) {
		const struct decoder_options *d = &dev->options.decoder[i];

		if (hpa >= d->base && hpa - d->base < d->size &&
		    !device_decodes(dev, hpa))
			misuse(dev, MISUSE_HDM_DMA, "DMA address %#llx is HDM memory at %#llx",
			       (unsigned long long)addr, (unsigned long long)hpa);
	}
}

static uint8_t *pointer(struct device *dev, const struct operand *op, uint64_t done, uint64_t *len)
{
	if (op->at + done < op->at)
		return NULL;
	if (op->hdm)
		return hdm_pointer(dev, op->at + done, len, op->write);
	if (!config_bus_master(dev))
		return NULL;
	judge_dma(dev, op->at + done);
	return dma_pointer(&dev->dma, op->at + done, len, op->write);
}

static uint32_t crc32_update(uint32_t crc, const uint8_t *p, uint64_t len)
{
	static uint32_t table[256];

	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = i;

			for (int bit = 0; bit < 8; bit++)
				c = (c >> 1) ^ (c & 1 ? 0xedb88320u : 0);
			table[i] = c;
		}
	}
	while (len--)
		crc = (crc >> 8) ^ table[(crc ^ *p++) & 0xff];
	return crc;
}

static int op_fill(struct device *dev, const struct operand *dst, uint64_t total)
{
	uint8_t pattern[4];

	memcpy(pattern, &dev->accel[T2DEV_ACC_PATTERN], 4);
	for (uint64_t done = 0, len; done < total; done += len) {
		uint8_t *p;

		len = total - done;
		p = pointer(dev, dst, done, &len);
		if (!p)
			return EFAULT;
		for (uint64_t i = 0; i < len; i++)
			p[i] = pattern[(done + i) % 4];
	}
	return 0;
}

static int op_copy(struct device *dev, const struct operand *src, const struct operand *dst,
		   uint64_t total)
{
	for (uint64_t done = 0, len; done < total; done += len) {
		uint8_t *from, *to;

		len = total - done;
		from = pointer(dev, src, done, &len);
		to = pointer(dev, dst, done, &len);
		if (!from || !to)
			return EFAULT;
		memmove(to, from, len);
	}
	return 0;
}

static int op_crc32(struct device *dev, const struct operand *src, uint64_t total)
{
	uint32_t crc = ~0u;

	for (uint64_t done = 0, len; done < total; done += len) {
		uint8_t *p;

		len = total - done;
		p = pointer(dev, src, done, &len);
		if (!p)
			return EFAULT;
		crc = crc32_update(crc, p, len);
	}
	put32(&dev->accel[T2DEV_ACC_RESULT], ~crc);
	return 0;
}

static int run(struct device *dev)
{
	uint32_t flags = reg(dev, T2DEV_ACC_FLAGS);
	uint64_t len = reg64(dev, T2DEV_ACC_LEN_LO);
	struct operand src = { reg64(dev, T2DEV_ACC_SRC_LO), flags & T2DEV_FLAG_SRC_HDM, false };
	struct operand dst = { reg64(dev, T2DEV_ACC_DST_LO), flags & T2DEV_FLAG_DST_HDM, true };

	switch (reg(dev, T2DEV_ACC_OPCODE)) {
	case T2DEV_OP_FILL:
		return op_fill(dev, &dst, len);
	case T2DEV_OP_COPY:
		return op_copy(dev, &src, &dst, len);
	case T2DEV_OP_CRC32:
		return op_crc32(dev, &src, len);
	default:
		return EINVAL;
	}
}

static void interrupt(struct device *dev)
{
	uint32_t vector = reg(dev, T2DEV_ACC_VECTOR);
	uint64_t one = 1;

	if (!(reg(dev, T2DEV_ACC_FLAGS) & T2DEV_FLAG_IRQ) || vector >= T2DEV_MSIX_VECTORS)
		return;
	/* The client routes and masks; a vector it did not ask for goes nowhere */
	if (dev->irq_fd[2][vector] >= 0 &&
	    write(dev->irq_fd[2][vector], &one, sizeof(one)) != sizeof(one))
		log_line("vector %u: nobody took the interrupt", vector);
}

static void doorbell(struct device *dev)
{
	int err = run(dev);

	put32(&dev->accel[T2DEV_ACC_ERRNO], err);
	put32(&dev->accel[T2DEV_ACC_STATUS],
	      T2DEV_STATUS_DONE | (err ? T2DEV_STATUS_ERROR : 0));
	interrupt(dev);
}

static void write_reg(struct device *dev, uint32_t at, uint32_t val)
{
	switch (at) {
	case T2DEV_ACC_STATUS:
		put32(&dev->accel[at], reg(dev, at) &
		      ~(val & (T2DEV_STATUS_DONE | T2DEV_STATUS_ERROR)));
		break;
	case T2DEV_ACC_DOORBELL:
		doorbell(dev);
		break;
	case T2DEV_ACC_OPCODE ... T2DEV_ACC_PATTERN:
		put32(&dev->accel[at], val);
		break;
	}
}

/* An access to the accelerator's BAR; registers take aligned dwords */
void engine_access(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write)
{
	uint64_t total = hdm_total(dev);

	if (at >= T2DEV_MSIX_TABLE) {
		if (write)
			memcpy(&dev->accel[at], buf, count);
		else
			memcpy(buf, &dev->accel[at], count);
		return;
	}
	put32(&dev->accel[T2DEV_ACC_HDM_SIZE_LO], total);
	put32(&dev->accel[T2DEV_ACC_HDM_SIZE_HI], total >> 32);
	if (!write) {
		memcpy(buf, &dev->accel[at], count);
		return;
	}
	if (at % 4)
		return;
	for (uint32_t i = 0; i + 4 <= count; i += 4)
		write_reg(dev, at + i, get32(buf + i));
}
