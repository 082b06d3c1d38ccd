// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's parameters, as params.c of the driver declares them: those of the loaded
 * module, or those that it would be loaded with.
 */
#include <limits.h>
#include <stdio.h>
#include <sys/utsname.h>

#include <libkmod.h>

#include "kernel/kernel.h"

#include "../src/abi.h"
#include "../src/params.h"
#include "tool.h"

#define PARAMETERS	"/sys/module/" DRIVER "/parameters"

/* What of ../src/abi.c matters to a bind */
const struct cxl_vfio_abi cxl_vfio_abis[CXL_VFIO_NR_ABIS] = {
	{ .name = "v3" },
	{ .name = "v2", .base_rw = true, .maps_hdm = true },
};

static struct setting *settings;

void add_setting(struct setting *setting)
{
	if (setting->type == SETTING_charp)
		setting->word = *(char **)setting->value;
	else if (setting->type == SETTING_uint)
		setting->number = *(unsigned int *)setting->value;
	else
		setting->number = *(bool *)setting->value;
	setting->next = settings;
	settings = setting;
}

static void set_default(struct setting *setting)
{
	if (setting->type == SETTING_charp)
		*(char **)setting->value = setting->word;
	else if (setting->type == SETTING_uint)
		*(unsigned int *)setting->value = setting->number;
	else
		*(bool *)setting->value = setting->number;
}

static void set(struct setting *setting, const char *text)
{
	snprintf(setting->text, sizeof(setting->text), "%s", text);
	if (setting->type == SETTING_charp)
		*(char **)setting->value = setting->text;
	else if (setting->type == SETTING_uint)
		*(unsigned int *)setting->value = strtoul(text, NULL, 0);
	else
		*(bool *)setting->value = !*text || strchr("yY1tT", *text) ||
					  !strcasecmp(text, "on");
}

static void set_by_name(const char *name, const char *text)
{
	for (struct setting *setting = settings; setting; setting = setting->next)
		if (!strcmp(setting->name, name))
			set(setting, text);
}

static void set_as_loaded(void)
{
	for (struct setting *setting = settings; setting; setting = setting->next) {
		char path[PATH_MAX], text[4096];

		if (!make_path(path, sizeof(path), PARAMETERS "/%s", setting->name) &&
		    !read_line(path, text, sizeof(text)))
			set(setting, text);
	}
}

/* "name=value ...", where a value may be in quotation marks */
static void set_options(const char *list)
{
	char text[4096], *save = NULL;

	snprintf(text, sizeof(text), "%s", list);
	for (char *word = strtok_r(text, " \t\"", &save); word;
	     word = strtok_r(NULL, " \t\"", &save)) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = 0;
		set_by_name(word, value ?: "");
	}
}

static void set_as_configured(void)
{
	static const char * const dirs[] = {
		"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d",
		"/usr/lib/modprobe.d", "/lib/modprobe.d",
	};
	char paths[ARRAY_SIZE(dirs)][PATH_MAX], modules[PATH_MAX];
	const char *list[ARRAY_SIZE(dirs) + 1] = {};
	struct kmod_module *mod = NULL;
	struct kmod_ctx *ctx;
	const char *found;
	struct utsname u;

	uname(&u);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (make_path(paths[i], PATH_MAX, "%s", dirs[i]))
			return;
		list[i] = paths[i];
	}
	if (make_path(modules, sizeof(modules), "/lib/modules/%s", u.release))
		return;
	ctx = kmod_new(modules, list);
	if (!ctx)
		return;
	if (!kmod_module_new_from_name(ctx, MODULE, &mod)) {
		found = kmod_module_get_options(mod);
		if (found)
			set_options(found);
		kmod_module_unref(mod);
	}
	kmod_unref(ctx);
}

int read_settings(void)
{
	char path[PATH_MAX];

	for (struct setting *setting = settings; setting; setting = setting->next)
		set_default(setting);
	if (!make_path(path, sizeof(path), "/sys/module/" DRIVER) && exists(path))
		set_as_loaded();
	else
		set_as_configured();
	return cxl_vfio_params_init();
}
