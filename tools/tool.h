/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by all files of cxl-vfio.  Functions that return int return 0 or a negative
 * errno.  On error they have printed the cause and a remedy to stderr, unless they are
 * marked as silent.
 */
#ifndef CXL_VFIO_TOOL_H
#define CXL_VFIO_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <json-c/json.h>

#define DRIVER		"cxl_vfio_pci"
#define MODULE		"cxl-vfio-pci"
#define JSON_SCHEMA	2
#define ADDRESS_LEN	16		/* "0000:0d:00.0", "10000:e1:00.0" below a VMD */
#define MAX_RANGES	32
#define MAX_DEVICES	256

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

struct options {
	const char *root;	/* prefix of /sys, /proc, /etc and /lib/modules */
	bool json;
	bool persist;
	bool force;
	bool topology;
	bool yes;		/* do not ask */
	bool full;		/* addresses in reports, too */
	unsigned int rounds;
	const char *guest;	/* image of a guest that check boots, NULL if none */
	unsigned int guest_time;	/* seconds that it may take */
	const char *report;	/* file for doctor's report, NULL if none */
};

extern struct options options;

/* The last refusal, for the JSON answer */
struct refusal {
	const char *reason;		/* "" if there was none */
	char message[1024];
};

extern struct refusal refusal;

struct hdm_range {
	uint64_t base;
	uint64_t size;
};

/* What the driver does with a device at bind */
enum verdict {
	CAN,
	CANNOT,
	UNSURE,			/* what decides cannot be known here: bind tries */
	PLAIN,			/* it binds the device as a function without CXL memory */
};

struct judgement {
	enum verdict verdict;
	int err;		/* the driver's errno, positive; 0 if there is none */
	const char *reason;	/* a stable word, "" for PLAIN, and for CAN unless "disabled" */
	char message[256];	/* the same as a sentence */
	char remedy[256];	/* "" if there is none but that of the manual page */
	char commands[320];	/* of a shell, which do it now; "" if there are none */
	char sentence[256];	/* the driver's last complaint */
	struct hdm_range range[MAX_RANGES];
	unsigned int nr_ranges;
	bool by_ranges;		/* they are of the CXL Device DVSEC, and of no decoder */
	bool free_bars;		/* a pair of BARs for the virtual BAR */
};

/* One PCI function with a CXL Device DVSEC that is memory capable, or bound to the driver */
struct device {
	char address[ADDRESS_LEN];
	uint16_t vendor, device, class;
	char name[128];
	char driver[64];		/* "" if none */
	char override[64];
	int iommu_group;		/* -1 if none */
	bool readable;			/* config space beyond 64 bytes */
	struct hdm_range range[MAX_RANGES];
	unsigned int nr_ranges;
	bool by_ranges;			/* they are of the CXL Device DVSEC, and of no decoder */
	bool free_bars;			/* a pair of BARs for the virtual BAR */
	bool bound;			/* to the driver of this package */
	struct judgement judgement;
};

/* paths.c */
__attribute__((format(printf, 3, 4)))
int make_path(char *path, size_t size, const char *fmt, ...);
/* Read the first line of a file, without the newline; silent */
int read_line(const char *path, char *buf, size_t size);
/* Write to a file; silent */
int write_string(const char *path, const char *s);
/* Read the last component of a link's target; silent */
int read_link_name(const char *path, char *buf, size_t size);
bool exists(const char *path);
/* Normalise "0d:00.0" or "0000:0d:00.0" to the long form; silent */
int parse_address(const char *s, char address[ADDRESS_LEN]);
/* Make a path in the sysfs directory of the PCI function */
__attribute__((format(printf, 4, 5)))
int device_path(char *path, size_t size, const char *address, const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void complain(const char *fmt, ...);
/* The same with a stable word, which the JSON answer of bind and unbind has */
__attribute__((format(printf, 2, 3))) void refuse(const char *reason, const char *fmt, ...);

/* iomem.c: what the host does with a range */
enum iomem_answer { IOMEM_FREE, IOMEM_CLAIMED, IOMEM_UNKNOWN, IOMEM_HIDDEN };

/* Is @r System RAM, or else can it be claimed?  @name returns who has it */
enum iomem_answer ask_iomem(const struct hdm_range *r, bool ram, char *name, size_t size);
/* How to free a range, by who has it */
void holder_remedy(const struct hdm_range *r, bool ram, struct judgement *j);

/* judge.c: would the driver bind the function?  Nothing is written to it */
void judge_device(const char *address, struct judgement *j);
/* The same for what is known of a bound device as well: are BARs free? */
bool has_free_bars(const char *address);
/* The stable word for a refusal of the driver */
const char *reason_of(int err, const char *sentence);

/*
 * settings.c: the parameters of the module, loaded or not; -EINVAL if it would not load
 * with them
 */
int read_settings(void);

/* device.c: find at most @max functions; returns their number or a negative errno */
int find_devices(struct device *devices, unsigned int max);
/*
 * Read the properties of one function; -ENODEV if it is neither a CXL device with memory
 * nor bound to the driver
 */
int find_device(const char *address, struct device *d);
/* May user space assign devices without an IOMMU?  VFIO gives each a group at bind. */
bool no_iommu_mode(void);
/* The number of a function's IOMMU group, -1 if it has none */
int iommu_group_of(const char *address);
/*
 * Does the device get its IOMMU group when a driver is bound?  Before Linux 6.15 the tables IORT
 * and VIOT are read only then.
 */
bool has_group_only_with_driver(const struct device *d);
struct json_object *device_json(const struct device *d);

/* status.c: what the driver shows of a bound device */
struct json_object *status_json(const struct device *d);
void print_status(struct json_object *status, FILE *f);

/* bind.c */
int bind_device(const char *address);
int unbind_device(const char *address);
int check_group(const struct device *d);
int check_users(const struct device *d);
/* Load a module, if it is not loaded; silent */
int load_module_named(const char *name);
/* Unload the driver and load it with a parameter, or with NULL as configured; silent */
int reload_module(const char *option);
/* Does a program or a VM have the bound device open? */
bool device_is_open(const char *address);
/* The driver of a function, "" if none */
void current_driver(const char *address, char *driver, size_t size);

/* qemu.c: print how to start a VMM with the device */
int print_qemu(const char *const *addresses, unsigned int n);
/* Add the options that print_qemu() prints */
int qemu_arguments(const char *const *addresses, unsigned int n, struct json_object *args);
int print_xml(const char *const *addresses, unsigned int n);

/* module.c */
struct module {
	char version[32];
	char signer[128];		/* "" if it is not signed */
	char srcversion[64];		/* a checksum of its sources */
	char probes[512];		/* what its kernel offers, "" in old modules */
};

/* What is installed for a kernel; -ENOENT if nothing is; silent */
int find_module(struct module *m, const char *release);
/* Path of the certificate whose key DKMS signs with, existing or not */
void signing_certificate(char *cert, size_t size);
/* Is a key of this signer in one of the kernel's keyrings? */
bool kernel_has_key(const char *signer);
/* The last line of the kernel log with which it refused the module; returns a remedy */
const char *find_refusal(char *found, size_t size);

/* check.c */
int check_device(const char *address);

/* cpu.c: is a word in /proc/cpuinfo, a flag for instance? */
bool cpu_has(const char *flag);
bool is_arm64(void);
/* How to turn this host's IOMMU on */
const char *iommu_remedy(void);

/* doctor.c */
/* Commands that have the initramfs bind persistent devices; NULL without a known program */
const char *initramfs_recipe(void);

enum guest_memory {
	GUESTS_CHOICE,		/* as the guest maps it */
	GUESTS_CACHED,		/* write-back */
	GUESTS_UNKNOWN,		/* write-back, unless the host's mapping differs */
	GUESTS_UNCACHED,	/* uncached, for lack of struct pages */
	GUESTS_OLD_KVM,		/* uncached, by KVM on arm64 before 6.17 */
	GUESTS_ASK_KVM,		/* write-back on arm64, unless the CPU cannot */
	GUESTS_NONE,		/* not at all, since the arm64 CPU cannot have it write-back */
	HOSTS_UNCACHED,		/* the host itself maps it other than write-back */
};

/* Memory type that KVM guests on this host get for the memory of a bound device */
enum guest_memory guest_memory_of(const struct device *d, const char *probes);
/* Returns an exit status */
int doctor(void);

/* report.c: take addresses of the host out of a text, but with --full */
void redact(char *s);

/* output.c */
/* Remedy and commands of a judgement, to follow its message; static */
const char *advice(const struct judgement *j);
struct json_object *new_document(void);
void print_document(struct json_object *doc);
void format_size(uint64_t bytes, char *buf, size_t size);

#endif
