// SPDX-License-Identifier: GPL-2.0-only
/*
 * `cxl-vfio check --guest`: boots a guest of the operator with the device, on stock QEMU with
 * the options that `cxl-vfio qemu` prints, and waits for the guest's word on its serial line.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define QEMU		"qemu-system-x86_64"
#define SERIAL_LOG	"guest.log"
#define QEMU_LOG	"guest-qemu.log"
#define WORD		"cxl-vfio-guest: "
#define POLL_MS		100
#define END_S		60		/* for QEMU to end after it was asked to */
#define MAX_ARGS	64

static void add(struct json_object *args, const char *option, const char *value)
{
	json_object_array_add(args, json_object_new_string(option));
	json_object_array_add(args, json_object_new_string(value));
}

/* The first file of a directory, by name, that begins with one of two words */
static int find_file(const char *dir, const char *word, const char *other, char *path, size_t size)
{
	struct dirent **list;
	int n = scandir(dir, &list, NULL, alphasort), ret = -ENOENT;

	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		if (ret && (!strncmp(name, word, strlen(word)) ||
			    !strncmp(name, other, strlen(other)))) {
			snprintf(path, size, "%s/%s", dir, name);
			ret = 0;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return ret;
}

/* A directory with kernel, initrd and, if there is one, a line for the kernel */
static int add_directory(struct json_object *args, const char *image)
{
	char path[PATH_MAX], line[512] = "", words[600];
	int ret = find_file(image, "vmlinuz", "bzImage", path, sizeof(path));

	if (ret)
		return ret;
	add(args, "-kernel", path);
	if (!find_file(image, "initrd", "initramfs", path, sizeof(path)))
		add(args, "-initrd", path);
	snprintf(path, sizeof(path), "%s/cmdline", image);
	read_line(path, line, sizeof(line));
	snprintf(words, sizeof(words), "console=ttyS0 panic=-1 %s", line);
	add(args, "-append", words);
	return 0;
}

int guest_image(const char *image, struct json_object *args)
{
	char value[PATH_MAX + 64];
	struct stat st;

	if (stat(image, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return add_directory(args, image);
	/* QEMU takes a comma twice for one in a name, and writes to a copy that it forgets */
	if (strchr(image, ','))
		return -EINVAL;
	snprintf(value, sizeof(value), "file=%s,if=virtio,snapshot=on", image);
	add(args, "-drive", value);
	return 0;
}

enum guest_word guest_word(char *log, size_t len, char *says, size_t size)
{
	char *p = log;

	*says = 0;
	for (size_t i = 0; i < len; i++)
		if (!log[i])
			log[i] = ' ';
	log[len] = 0;
	while ((p = strstr(p, WORD))) {
		p += strlen(WORD);
		/* A line that has not ended may go on */
		if (!strpbrk(p, "\r\n"))
			break;
		snprintf(says, size, "%.*s", (int)strcspn(p, "\r\n"), p);
		if (!strcmp(says, "ok"))
			return GUEST_OK;
		if (!strncmp(says, "FAIL", 4))
			return GUEST_FAIL;
	}
	return GUEST_SILENT;
}

/* The end of a file, @buf has room for one byte more */
static size_t read_end(const char *name, char *buf, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	off_t len = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	ssize_t n = 0;

	if (len > 0)
		n = pread(fd, buf, size, len > (off_t)size ? len - (off_t)size : 0);
	if (fd >= 0)
		close(fd);
	return n > 0 ? n : 0;
}

static enum guest_word listen(char *says, size_t size)
{
	static char log[(64 << 10) + 1];

	return guest_word(log, read_end(SERIAL_LOG, log, sizeof(log) - 1), says, size);
}

static pid_t start(struct json_object *args)
{
	char *argv[MAX_ARGS + 2] = { QEMU };
	size_t n = json_object_array_length(args);
	pid_t pid;
	int fd;

	for (size_t i = 0; i < n && i < MAX_ARGS; i++)
		argv[i + 1] = (char *)json_object_get_string(json_object_array_get_idx(args, i));
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	fd = open(QEMU_LOG, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(fd, STDIN_FILENO);
	execvp(QEMU, argv);
	fprintf(stderr, "%s: %s\n", QEMU, strerror(errno));
	_exit(127);
}

static void pause_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

/* Has the guest, or its firmware, turned the memory on?  Then nothing holds the gate */
static bool gate_is_open(const char *address)
{
	char path[PATH_MAX], state[32];

	return !device_path(path, sizeof(path), address, "cxl_vfio/gate") &&
	       !read_line(path, state, sizeof(state)) && !strcmp(state, "open");
}

static void end(pid_t pid)
{
	kill(pid, SIGTERM);
	for (unsigned int ms = 0; ms < END_S * 1000; ms += POLL_MS) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		pause_ms(POLL_MS);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The last line of QEMU's own output */
static void qemu_says(char *says, size_t size)
{
	char log[2049], *line;
	size_t n = read_end(QEMU_LOG, log, sizeof(log) - 1);

	while (n && log[n - 1] == '\n')
		n--;
	log[n] = 0;
	line = strrchr(log, '\n');
	snprintf(says, size, "%.*s", (int)size - 1, line ? line + 1 : log);
}

static void judge(struct check *c, enum guest_word word, const char *says, bool ended, bool open)
{
	char qemu[300];

	if (word == GUEST_FAIL)
		line(c, "guest", LINE_FAIL, "the guest says: %s", says);
	else if (word == GUEST_OK && !open)
		line(c, "guest", LINE_FAIL, "the guest says ok, but has never turned the device's memory on");
	else if (word == GUEST_OK)
		line(c, "guest", LINE_OK, "the guest boots with the device and says ok");
	else if (ended) {
		qemu_says(qemu, sizeof(qemu));
		line(c, "guest", LINE_FAIL, "QEMU ended before the guest said anything%s%s",
		     *qemu ? ": " : ", see " SERIAL_LOG, qemu);
	} else {
		line(c, "guest", LINE_FAIL, "the guest said nothing in %u s, memory was%s turned on, see %s",
		     options.guest_time, open ? "" : " never", SERIAL_LOG);
	}
}

static void wait_for(struct check *c, pid_t pid)
{
	enum guest_word word = GUEST_SILENT;
	bool ended = false, open = false;
	time_t began = time(NULL);
	char says[200] = "";

	while (word == GUEST_SILENT && !ended && time(NULL) - began < options.guest_time) {
		pause_ms(POLL_MS);
		progress(c, "guest");
		ended = waitpid(pid, NULL, WNOHANG) != 0;
		open |= gate_is_open(c->address);
		word = listen(says, sizeof(says));
	}
	if (!ended)
		end(pid);
	judge(c, word, says, ended, open);
}

static void run_guest(struct check *c, struct json_object *args)
{
	int ret = qemu_arguments((const char *const[]){ c->address }, 1, args);
	pid_t pid;

	if (ret) {
		line(c, "guest", LINE_FAIL, "there are no options of QEMU for the device");
		return;
	}
	ret = guest_image(options.guest, args);
	if (ret) {
		line(c, "guest", LINE_FAIL, "%s is no disk image, and no directory with a kernel: %s",
		     options.guest, strerror(-ret));
		return;
	}
	pid = start(args);
	if (pid > 0)
		wait_for(c, pid);
	else
		line(c, "guest", LINE_FAIL, "QEMU cannot be started: %s", strerror(errno));
}

void check_guest(struct check *c)
{
	static const char * const fixed[] = {
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-cpu", "max",
		"-accel", "kvm", "-accel", "tcg", "-m", "2G",
		"-serial", "file:" SERIAL_LOG,
	};
	struct json_object *args;
	struct utsname u;

	if (!options.guest)
		return;
	progress(c, "guest");
	if (uname(&u) || strcmp(u.machine, "x86_64")) {
		line(c, "guest", LINE_SKIP, "the options of QEMU are for x86-64");
		return;
	}
	if (c->vbar < 0) {
		line(c, "guest", LINE_SKIP, "without a virtual BAR a guest on stock QEMU does not get the memory");
		return;
	}
	unlink(SERIAL_LOG);
	args = json_object_new_array();
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		json_object_array_add(args, json_object_new_string(fixed[i]));
	run_guest(c, args);
	json_object_put(args);
}
