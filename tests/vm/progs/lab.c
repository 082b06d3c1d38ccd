// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../modules/t2lab.h"
#include "lab.h"

#define PAGES	256

void lab_configure(const char *fmt, ...)
{
	char options[256], line[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(options, sizeof(options), fmt, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "t2ctl $DEVICE %s", options);
	if (system(line))
		fprintf(stderr, "# %s failed\n", line);
}

static FILE *device_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", getenv("DEVICE"), name);
	return fopen(path, "r");
}

const char *lab_sysfs(const char *name)
{
	static char word[64];
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "cxl_vfio/%s", name);
	f = device_file(path);
	word[0] = 0;
	if (!f)
		return word;
	if (fscanf(f, "%63s", word) != 1)
		word[0] = 0;
	fclose(f);
	return word;
}

bool lab_gate_is(const char *state)
{
	return !strcmp(lab_sysfs("gate"), state);
}

bool lab_wait_gate(const char *a, const char *b)
{
	for (unsigned int i = 0; i < LAB_PATIENCE; i++) {
		if (lab_gate_is(a) || lab_gate_is(b))
			return true;
		usleep(10000);
	}
	return false;
}

unsigned long long lab_number(const char *name)
{
	return strtoull(lab_sysfs(name), NULL, 0);
}

uint16_t lab_config16(unsigned int at)
{
	FILE *f = device_file("config");
	uint16_t val = 0xffff;

	if (!f)
		return val;
	if (pread(fileno(f), &val, 2, at) != 2)
		val = 0xffff;
	fclose(f);
	return val;
}

static int open_lab(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/t2lab", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		perror("/dev/t2lab");
	return fd;
}

uint32_t lab_register(uint64_t offset_in_bar0)
{
	struct t2lab_word word = { .registers = 1 };
	FILE *f = device_file("resource");
	unsigned long long start = 0;

	if (!f || fscanf(f, "%llx", &start) != 1 || !start)
		return 0xdeadbeef;
	fclose(f);
	word.pa = start + offset_in_bar0;
	return ioctl(open_lab(), T2LAB_PEEK, &word) ? 0xdeadbeef : word.val;
}

uint32_t lab_peek(uint64_t pa)
{
	struct t2lab_word word = { .pa = pa };

	return ioctl(open_lab(), T2LAB_PEEK, &word) ? 0xdeadbeef : word.val;
}

void lab_poke(uint64_t pa, uint32_t val)
{
	struct t2lab_word word = { .pa = pa, .val = val };

	if (ioctl(open_lab(), T2LAB_POKE, &word))
		perror("T2LAB_POKE");
}

bool lab_mapped(volatile void *p)
{
	struct t2lab_page page = { .va = (uintptr_t)p };

	return !ioctl(open_lab(), T2LAB_PAGE, &page);
}

bool lab_wait_child(pid_t pid, int *status)
{
	for (unsigned int i = 0; i < LAB_PATIENCE; i++) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

static sigjmp_buf on_sigbus_env;

static void on_sigbus(int sig)
{
	siglongjmp(on_sigbus_env, sig);
}

static bool store(volatile uint32_t *p, uint32_t val)
{
	if (sigsetjmp(on_sigbus_env, 1))
		return false;
	*p = val;
	return true;
}

static bool load(volatile uint32_t *p, uint32_t *val)
{
	if (sigsetjmp(on_sigbus_env, 1))
		return false;
	*val = *p;
	return true;
}

/* One access: true if it was let through; what is wrong is counted */
static bool use(struct user *u, enum user_kind kind, struct vfio *v, uint32_t hdm,
		volatile uint32_t *p, uint32_t n)
{
	uint64_t at = n % PAGES * PAGE + 64 * kind;
	uint32_t val = n;

	if (kind == USER_WRITES)
		return region_write(v, hdm, at, &n, 4) == 4;
	if (kind == USER_READS)
		return region_read(v, hdm, at, &val, 4) == 4;
	if (!store(p + at / 4, n) || !load(p + at / 4, &val))
		return false;
	u->shared->wrong += val != n;
	return true;
}

void user_start(struct user *u, enum user_kind kind, struct vfio *v, uint32_t hdm,
		volatile uint32_t *p)
{
	struct sigaction action = { .sa_handler = on_sigbus };

	u->shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	u->pid = fork();
	if (u->pid)
		return;
	sigaction(SIGBUS, &action, NULL);
	for (uint32_t n = 1; !u->shared->stop; n++) {
		if (!use(u, kind, v, hdm, p, n))
			u->shared->refused++;
		u->shared->done++;
	}
	_exit(0);
}

bool user_goes_on(struct user *u)
{
	unsigned long before = u->shared->done;

	for (unsigned int i = 0; i < LAB_PATIENCE; i++) {
		if (u->shared->done > before + 2)
			return true;
		usleep(10000);
	}
	return false;
}

bool user_stop(struct user *u)
{
	int status;

	u->shared->stop = true;
	if (!lab_wait_child(u->pid, &status)) {
		kill(u->pid, SIGKILL);
		return false;
	}
	return !status;
}
