/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's side of vfio-user, as the device's own tests use it.
 */
#ifndef T2DEV_TEST_CLIENT_H
#define T2DEV_TEST_CLIENT_H

/* What cmocka.h wants before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>
#include <linux/pci_regs.h>

#include "device.h"

#define HDM_BASE	0x100000000ull
#define DMA_BASE	0x40000000ull
#define DMA_SIZE	0x100000u
#define HDM_IOVA	0x50000000ull
#define CONFIG		7
#define BLOCK		0x10000		/* of 256 KiB, the middle */
#define HDM		(BLOCK + 0x1200)
#define DVSEC		0x130
#define CONTROL		0x110
#define CTRL		(DVSEC + 0x0c)
#define CTRL2		(DVSEC + 0x10)
#define STATUS2		(DVSEC + 0x12)
#define LOCK		(DVSEC + 0x14)
#define SIZE_LOW	(DVSEC + 0x1c)
#define RANGE_BASE	(DVSEC + 0x20)
#define RAS		(BLOCK + 0x1080)
#define GLOBAL		(HDM + 0x04)
#define DECODER(n)	(HDM + 0x10 + 0x20 * (n))
#define DECODER_CTRL(n)	(DECODER(n) + 0x10)
#define PMCSR		0x44
#define DEVCTL		0x58
#define MSIX_CTRL	0x90
#define AER_STATUS	0x1d4
#define AER_MASK	0x1d8

#define COMMIT		0x200u
#define COMMITTED	0x400u
#define NOT_COMMITTED	0x800u
#define LOCK_ON_COMMIT	0x100u
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define COMMAND_ON	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)

enum {
	VERSION = 1, MAP, UNMAP, INFO, REGION_INFO, IRQ_INFO = 7, SET_IRQS, READ, WRITE, RESET = 13
};

/* The server that is tested, and where the files of profiles are */
extern const char *server, *profiles_dir;

struct client {
	pid_t pid;
	int fd;
	char path[64];
	char log[80];		/* what the server logs */
	uint8_t *hdm;		/* the first page of what the decoder decodes */
	uint8_t *dma;
};

int call_fd(struct client *s, uint16_t command, const void *payload, uint32_t len, void *out,
	    uint32_t room, int fd);
int call(struct client *s, uint16_t command, const void *payload, uint32_t len, void *out,
	 uint32_t room);
int try_access(struct client *s, uint32_t region, uint64_t at, void *buf, uint32_t count,
	       bool write);
uint32_t read32(struct client *s, uint32_t region, uint64_t at);
void write32(struct client *s, uint32_t region, uint64_t at, uint32_t val);
uint16_t read16(struct client *s, uint64_t at);
uint32_t settled32(struct client *s, uint32_t region, uint64_t at);
uint16_t settled16(struct client *s, uint64_t at);
void write16(struct client *s, uint32_t region, uint64_t at, uint16_t val);
int dma_map(struct client *s, uint64_t addr, uint64_t size, uint64_t offset, int fd);
int dma_unmap(struct client *s, uint64_t addr, uint64_t size, uint32_t flags);
int connect_to(const char *path);
void client_start(struct client *s, const char *options);
int client_end(struct client *s);
void client_map(struct client *s);
uint32_t control(struct client *s, const char *line, uint32_t go);
uint32_t operate(struct client *s, uint32_t opcode, uint32_t flags, uint64_t src, uint64_t dst,
		 uint64_t len);
struct client *device_open(const char *options);
void device_close(struct client *s, const char *misuses);

int run_strict_tests(void);
int run_reset_tests(void);
int run_profile_tests(void);

static inline void put64(uint8_t *p, uint64_t val)
{
	put32(p, val);
	put32(p + 4, val >> 32);
}

#endif
