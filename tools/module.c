// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: what is installed for a kernel, who signed it, and why the kernel
 * refused it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libkmod.h>

#include "tool.h"

static void take(char *buf, size_t size, const struct kmod_list *entry)
{
	snprintf(buf, size, "%s", kmod_module_info_get_value(entry));
}

static void take_info(struct module *m, struct kmod_list *info)
{
	struct kmod_list *entry;

	kmod_list_foreach(entry, info) {
		const char *key = kmod_module_info_get_key(entry);

		if (!strcmp(key, "signer"))
			take(m->signer, sizeof(m->signer), entry);
		else if (!strcmp(key, "srcversion"))
			take(m->srcversion, sizeof(m->srcversion), entry);
		else if (!strcmp(key, "version"))
			take(m->version, sizeof(m->version), entry);
		else if (!strcmp(key, "probes"))
			take(m->probes, sizeof(m->probes), entry);
	}
}

int find_module(struct module *m, const char *release)
{
	struct kmod_list *list = NULL, *info = NULL;
	struct kmod_module *mod;
	struct kmod_ctx *ctx;
	char dir[PATH_MAX];

	*m = (struct module){ .version = "unknown" };
	if (make_path(dir, sizeof(dir), "/lib/modules/%s", release))
		return -ENAMETOOLONG;
	ctx = kmod_new(dir, NULL);
	if (!ctx || kmod_module_new_from_lookup(ctx, MODULE, &list) || !list) {
		kmod_unref(ctx);
		return -ENOENT;
	}
	mod = kmod_module_get_module(list);
	if (kmod_module_get_info(mod, &info) > 0)
		take_info(m, info);
	kmod_module_info_free_list(info);
	kmod_module_unref(mod);
	kmod_module_unref_list(list);
	kmod_unref(ctx);
	return 0;
}

/* What DKMS's configuration says; the last setting of a file counts */
static bool configured_certificate(const char *file, char *cert, size_t size)
{
	char line[PATH_MAX], value[PATH_MAX];
	FILE *f = fopen(file, "r");
	bool found = false;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " mok_certificate = \"%4095[^\"\n]", value) != 1 &&
		    sscanf(line, " mok_certificate = %4095[^\"\n]", value) != 1)
			continue;
		snprintf(cert, size, "%s", value);
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

void signing_certificate(char *cert, size_t size)
{
	/* Ubuntu's DKMS signs with the key of shim-signed, others' with one of DKMS's own */
	static const char * const places[] = {
		"/var/lib/shim-signed/mok/MOK.der", "/var/lib/dkms/mok.pub",
	};
	char path[PATH_MAX];
	glob_t files = {};
	bool found = false;

	if (!make_path(path, sizeof(path), "/etc/dkms/framework.conf"))
		found = configured_certificate(path, cert, size);
	if (!make_path(path, sizeof(path), "/etc/dkms/framework.conf.d/*.conf") &&
	    !glob(path, 0, NULL, &files))
		for (size_t i = 0; i < files.gl_pathc; i++)
			found |= configured_certificate(files.gl_pathv[i], cert, size);
	globfree(&files);
	for (size_t i = 0; !found && i < sizeof(places) / sizeof(*places); i++) {
		snprintf(cert, size, "%s", places[i]);
		found = !make_path(path, sizeof(path), "%s", places[i]) && exists(path);
	}
}

bool kernel_has_key(const char *signer)
{
	char path[PATH_MAX], line[512];
	bool found = false;
	FILE *f;

	if (!*signer || make_path(path, sizeof(path), "/proc/keys"))
		return false;
	f = fopen(path, "r");
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, " asymmetri ") && strstr(line, signer);
	if (f)
		fclose(f);
	return found;
}

enum remedy { REBUILD, NO_BTF, SIGN };

static const char * const remedies[] = {
	[REBUILD] =
		"it was built for another kernel: install the headers of exactly this one, then dkms build --force and dkms install --force",
	[NO_BTF] =
		"its type information is not this kernel's: rebuild it with the headers of exactly this kernel, or without: make modules CONFIG_DEBUG_INFO_BTF_MODULES=",
	[SIGN] = "sign it with a key that is enrolled, see secure boot",
};

static const struct {
	const char *text;
	enum remedy remedy;
} refusals[] = {
	{ "disagrees about version of symbol", REBUILD },
	{ "Unknown symbol", REBUILD },
	{ "version magic", REBUILD },
	{ " BTF: ", NO_BTF },
	{ "is rejected", SIGN },
};

const char *find_refusal(char *found, size_t size)
{
	char path[PATH_MAX], line[8192], *text;
	const char *remedy = NULL;
	FILE *f = NULL;
	int fd;

	if (make_path(path, sizeof(path), "/sys/module/%s", DRIVER) || exists(path) ||
	    make_path(path, sizeof(path), "/dev/kmsg"))
		return NULL;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		f = fdopen(fd, "r");
	/* One record at a time, of which none is larger */
	if (f)
		setvbuf(f, NULL, _IOFBF, sizeof(line));
	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, DRIVER))
			continue;
		for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
			if (!strstr(line, refusals[i].text))
				continue;
			text = strchr(line, ';') ? strchr(line, ';') + 1 : line;
			snprintf(found, size, "%.*s", (int)strcspn(text, "\n"), text);
			remedy = remedies[refusals[i].remedy];
		}
	}
	if (f)
		fclose(f);
	return remedy;
}
