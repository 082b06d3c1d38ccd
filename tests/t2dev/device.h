/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The software CXL Type-2 device: what its parts share.
 *
 * Data flows from the transport down: transport.c speaks vfio-user, device.c
 * turns accesses into those of config.c (configuration space), comp.c
 * (component registers) and engine.c (the accelerator); dma.c reaches memory.
 * Behind config.c are caps.c (which bits a capability lets be written), dvsec.c
 * (the CXL Device DVSEC), doe.c (a DOE mailbox) and control.c (run-time options).
 * profiles.c has the tables of devices to play, misuse.c the host's errors, late.c
 * the results that take time.
 */
#ifndef T2DEV_DEVICE_H
#define T2DEV_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "t2dev_regs.h"

#define MAX_DECODERS	10
#define CONFIG_SIZE	4096
#define BLOCK_SIZE	0x10000
#define CM_OFFSET	0x1000
#define CM_SIZE		0x1000
#define NUM_REGIONS	9
#define NUM_IRQS	5
#define NUM_BARS	6
#define NO_BAR		NUM_BARS	/* the device has no such block */
#define IO_BAR		4
#define IO_BAR_SIZE	32
#define GRANULE		0x10000000ull
#define CXL_VENDOR	0x1e98
#define EXT_CAP_IDE	0x30		/* not in every pci_regs.h */

/* What a reset may lose, and which kinds there are */
enum reset_kind {
	RESET_FLR,
	RESET_CXL,
	RESET_BUS,
	RESET_D3,
	RESET_KINDS
};

/* What those resets lose, if it is not everything */
#define LOSE_ENABLES	(1u << 0)
#define LOSE_GLOBAL	(1u << 1)
#define LOSE_RANGES	(1u << 2)
#define LOSE_DECODER(n)	(1u << (3 + (n)))

/* No dword of HDM memory is watched */
#define WATCH_NONE	UINT64_MAX

enum block_place { BLOCK_START, BLOCK_MIDDLE, BLOCK_END };

/* Ways to misbehave, bits of struct options.misbehave in table order */
enum misbehaviour {
	MIS_NO_DVSEC,
	MIS_NO_MEM_CAPABLE,
	MIS_NO_LOCATOR,
	MIS_LOCATOR_LONG,
	MIS_LOCATOR_SHORT,
	MIS_LOCATOR_REPEATED,
	MIS_BIR_INVALID,
	MIS_BIR_UNIMPLEMENTED,
	MIS_BIR_IO,
	MIS_BLOCK_OUTSIDE_BAR,
	MIS_BLOCK_WRAPS,
	MIS_ARRAY_HEADER,
	MIS_ARRAY_255,
	MIS_NO_HDM_CAP,
	MIS_TWO_HDM,
	MIS_HDM_COUNT_13,
	MIS_HDM_COUNT_14,
	MIS_HDM_COUNT_15,
	MIS_CAP_PAST_BLOCK,
	MIS_CAP_IN_ARRAY,
	MIS_CAP_LOOP,
	MIS_NOT_ACTIVE,
	MIS_ONES_DVSEC,
	MIS_ONES_LOCATOR,
	MIS_ONES_RANGE,
	MIS_ALL_ONES,
	MIS_ONES_HDM,
	MIS_ONES_DECODER,
	MIS_RESET_HANGS,
	MIS_CLEAR_FAILS,
	MIS_RESET_ERROR,
	MIS_RESET_RESIZES,
	MIS_RESET_INACTIVE,
	MIS_RESET_SLOW,
	MIS_RESET_GONE,
	MIS_COMMIT_STUCK,
	MIS_COMMIT_ERROR,
	MIS_COUNT
};

/* What a host must not do: bits of struct options.allow_misuse in table order */
enum misuse_kind {
	MISUSE_MEMORY_OFF,
	MISUSE_LOW_POWER,
	MISUSE_OTHER_BAR,
	MISUSE_WIDTH,
	MISUSE_READ_ONLY,
	MISUSE_RESERVED,
	MISUSE_LOCKED,
	MISUSE_COMMIT_ORDER,
	MISUSE_COMMIT_SETTINGS,
	MISUSE_DOORBELL,
	MISUSE_HDM_DMA,
	MISUSE_KINDS
};

/* A BAR as the profiles have it: its size, and bits 3:0 of its register */
struct bar_def {
	uint64_t size;
	uint8_t type;
};

/* An extended capability of a profile: @body is what follows its header */
struct cap_def {
	uint16_t at;
	uint16_t id;
	uint8_t version;
	uint8_t words;
	const uint32_t *body;
};

/* A dword of the standard header that differs from the usual device's */
struct header_word {
	uint8_t at;
	uint32_t val;
};

/* A device to play; members that are NULL or 0 leave the usual device as it is */
struct profile {
	const char *name;
	const char *what;
	const char *source;
	const char *line;		/* options */
	const struct bar_def *bars;	/* NUM_BARS of them, with the two below */
	unsigned int comp_bar;
	unsigned int accel_bar;
	const struct cap_def *caps;	/* appended to the usual chain, ends with id 0 */
	const struct header_word *header;	/* ends with at 0 */
	const char *dump;		/* lspci -xxxx: all of configuration space */
	const char *dump_end;
};

struct decoder_options {
	uint64_t base;
	uint64_t size;
	bool committed;
	bool locked;
	unsigned int target;
	unsigned int iw;
	unsigned int ig;
};

/* All that can be asked for; plain data, copied and compared as a whole */
struct options {
	char socket[256];
	bool keep;
	bool verbose;
	uint64_t bar_size;
	bool io_bar;
	enum block_place block;
	unsigned int decoders;
	struct decoder_options decoder[MAX_DECODERS];
	unsigned int dvsec_length;
	unsigned int capability;	/* DVSEC CAPABILITY, 0: the usual one */
	bool rciep;			/* integrated into the root complex */
	bool mem_clear;
	unsigned int control;		/* DVSEC CONTROL as firmware left it */
	unsigned int global_control;	/* HDM Global Control as well */
	unsigned int status;		/* DVSEC STATUS and STATUS2 at start */
	unsigned int status2;
	bool config_lock;
	bool memory_off;		/* firmware leaves memory space off */
	bool soft_reset;		/* No_Soft_Reset is clear */
	uint32_t ras_uncorrectable;	/* RAS status registers at start */
	uint32_t ras_correctable;
	unsigned int active_timeout;	/* code of the Memory_Active timeout */
	unsigned int lose;		/* bits of enum reset_kind */
	unsigned int lose_what;		/* LOSE_ bits, 0: everything */
	unsigned int lose_memory;
	uint64_t watch;			/* offset in decoder 0's range, or WATCH_NONE */
	uint64_t misbehave;		/* bits of enum misbehaviour */
	unsigned int allow_misuse;	/* bits of enum misuse_kind */
	const struct profile *profile;	/* NULL: none */
};

struct dma_map {
	uint64_t addr;
	uint64_t size;
	uint64_t offset;	/* in the file */
	int fd;
	uint64_t file;		/* inode */
	bool read;
	bool write;
	uint8_t *va;		/* mapped at first use */
};

#define MAX_DMA_MAPS	65536

struct dma_table {
	struct dma_map *map;
	unsigned int n;
};

/* What a host has to poll: it is there after so many reads, or after some time */
struct late {
	uint32_t bits;		/* 0: nothing is awaited */
	unsigned int reads;
	uint64_t since_ms;
};

struct comp {
	uint32_t cm[CM_SIZE / 4];
	uint32_t hdm;		/* offset of the HDM capability in cm, 0: none */
	uint32_t ras;
	struct late commit[MAX_DECODERS];	/* bits of CTRL */
};

struct bar {
	uint64_t size;
	uint8_t type;
	uint8_t *storage;	/* bytes of the BAR that are no register */
};

/* A DOE mailbox, PCIe r6.0 6.30: a request as it is written, an answer as it is read */
#define DOE_WORDS	8
struct doe {
	uint32_t request[DOE_WORDS];
	uint32_t answer[DOE_WORDS];
	unsigned int written, length, taken;
	bool error;
};

struct device {
	struct options options;
	struct options start_options;

	uint8_t config[CONFIG_SIZE];
	uint8_t fresh[CONFIG_SIZE];	/* as firmware left it */
	uint8_t writable[CONFIG_SIZE];	/* bits that a write changes */
	uint8_t clears[CONFIG_SIZE];	/* bits that a write of 1 clears */
	uint8_t flr_keeps[CONFIG_SIZE];	/* bits of the two above that FLR leaves alone */
	uint8_t sticky[CONFIG_SIZE];	/* bits of the two that every reset leaves alone */
	uint32_t exp, pm, dvsec, control, doe_at;	/* where capabilities are, 0: nowhere */
	char line[T2DEV_CTL_LINE_MAX];
	unsigned int line_len;

	bool firmware_done;		/* firmware's enabling of memory space was undone */
	bool used;			/* memory space has been on since power-on */
	bool dying;			/* ends after the answer to this message */
	uint32_t touched;		/* times that the watched dword changed while off */
	bool gone;			/* reads all ones, since a reset */
	unsigned int invalid;		/* reads of RANGE1 until Memory_Info_Valid is set again */
	unsigned int inactive;		/* reads of RANGE1 until Memory_Active is set again */
	uint64_t media_lost_ms;		/* when both flags were cleared, 0: no limit in time */
	struct late status2;		/* bits of the DVSEC's STATUS2 */
	unsigned int misused[MISUSE_KINDS];

	struct comp comp;
	struct doe doe;
	struct bar bar[NUM_BARS];
	unsigned int comp_bar, accel_bar;
	uint8_t accel[T2DEV_ACCEL_BAR_SIZE];

	struct dma_table dma;		/* what the device's DMA reaches */
	struct dma_table ram;		/* the machine's memory, kept for good */
	int irq_fd[NUM_IRQS][T2DEV_MSIX_VECTORS];
};

/* device.c */
int device_init(struct device *dev, const struct options *options);
void device_disconnect(struct device *dev);
void device_free(struct device *dev);
uint64_t device_region_size(const struct device *dev, uint32_t index);
int device_access(struct device *dev, uint32_t index, uint64_t at, uint8_t *buf, uint32_t count,
		  bool write);
int device_set_irqs(struct device *dev, uint32_t flags, uint32_t index, uint32_t start,
		    uint32_t count, const int *fds, unsigned int nfds);
unsigned int device_irq_count(const struct device *dev, uint32_t index);
bool device_memory(const struct device *dev, unsigned int n, uint64_t *base, uint64_t *size);
bool device_decodes(const struct device *dev, uint64_t hpa);
void device_clear_memory(struct device *dev);
void device_reset(struct device *dev, enum reset_kind kind);
void device_watch(struct device *dev);
int device_configure(struct device *dev, const char *line);
uint64_t device_block_offset(const struct device *dev);
bool misbehaves(const struct device *dev, enum misbehaviour how);
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* config.c */
void config_init(struct device *dev);
void config_build_ext(struct device *dev);
void config_access(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write);
bool config_memory_enabled(const struct device *dev);
bool config_low_power(const struct device *dev);
bool config_bus_master(const struct device *dev);
void config_reset(struct device *dev, enum reset_kind kind);

/* caps.c */
uint32_t caps_find(const struct device *dev, uint16_t id);
uint32_t caps_find_ext(const struct device *dev, uint16_t id, uint16_t vendor, uint16_t dvsec);
void caps_allow(struct device *dev);

/* dvsec.c */
void dvsec_build(struct device *dev, uint8_t *c);
void dvsec_before_read(struct device *dev, uint32_t at, uint32_t count);
void dvsec_settle(struct device *dev);
void dvsec_write(struct device *dev, uint32_t at, const uint8_t *buf, uint32_t count);
void dvsec_reset(struct device *dev, enum reset_kind kind);
void dvsec_lose_enables(struct device *dev);
void dvsec_lose_ranges(struct device *dev);
bool dvsec_range(const struct device *dev, unsigned int n, uint64_t *base, uint64_t *size);
bool dvsec_mem_enabled(const struct device *dev);
void dvsec_set_ready(struct device *dev);

/* late.c */
uint64_t now_ms(void);
void late_start(struct late *late, uint32_t bits);
uint32_t late_take(struct late *late, bool read);

/* doe.c */
void doe_reset(struct device *dev);
void doe_write(struct device *dev, uint32_t at, uint32_t val);

/* control.c */
void control_write(struct device *dev, uint32_t at, const uint8_t *buf, uint32_t count);

/* dump.c */
void dump_read(const char *text, const char *end, uint8_t *config);

/* misuse.c */
int misuse_find(const char *name);
void misuse_help(void);
void misuse(struct device *dev, enum misuse_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool misuse_seen(const struct device *dev);

/* dumps.S */
extern const char dump_0d93_early[], dump_0d93_early_end[];
extern const char dump_0d93_cxl11[], dump_0d93_cxl11_end[];

/* profiles.c */
const struct profile *profile_find(const char *name);
void profiles_help(void);

/* comp.c */
void comp_build(struct device *dev);
void comp_access(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write);
void comp_resize(struct device *dev);
void comp_lose(struct device *dev);
void comp_reset(struct device *dev, enum reset_kind kind);
void comp_settle(struct device *dev);
bool comp_uses_ranges(const struct device *dev);
bool comp_decodes(const struct device *dev, uint64_t hpa);
bool comp_decoder(const struct device *dev, unsigned int n, uint64_t *base, uint64_t *size);

/* engine.c */
void engine_reset(struct device *dev);
void engine_access(struct device *dev, uint64_t at, uint8_t *buf, uint32_t count, bool write);

/* dma.c */
int dma_add(struct dma_table *table, const struct dma_map *map);
int dma_remove(struct dma_table *table, uint64_t addr, uint64_t size);
void dma_clear(struct dma_table *table);
void dma_note_ram(struct dma_table *ram, const struct dma_map *map);
uint64_t dma_physical(const struct dma_table *ram, const struct dma_table *table, uint64_t addr);
uint8_t *dma_pointer(struct dma_table *table, uint64_t addr, uint64_t *len, bool write);

/* options.c */
void options_default(struct options *options);
#define OPTIONS_MAX_WORDS	32
int options_split(char *line, char **words);
int options_parse(struct options *options, int argc, char **argv, bool at_start);
void options_help(void);

/* transport.c */
int transport_listen(const char *path);
int transport_serve(struct device *dev, int fd);

static inline uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static inline void put16(uint8_t *p, uint16_t val)
{
	p[0] = val;
	p[1] = val >> 8;
}

static inline void put32(uint8_t *p, uint32_t val)
{
	put16(p, val);
	put16(p + 2, val >> 16);
}

/* Is a byte among @count at @at? */
static inline bool covers(uint32_t at, uint32_t count, uint32_t byte)
{
	return byte >= at && byte - at < count;
}

static inline uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

#endif
