// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module parameters: parsed once while the module loads, constant afterwards.
 *
 * A parameter with a list of allowed words is a row of choices[].  Its value in
 * struct cxl_vfio_params is the index of the chosen word in that list.
 */
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/pgtable.h>

#include "abi.h"
#include "params.h"

/* No limit: no architecture maps device memory with pages above those of a PUD */
#define MAX_ORDER_DEFAULT	(PUD_SHIFT - PAGE_SHIFT)

static struct cxl_vfio_params params = {
	.view = { .hide_hpa = true, .guest_reset = true },
	.max_order = MAX_ORDER_DEFAULT,
};

const struct cxl_vfio_params *const cxl_vfio_params = &params;

static char *disable_cxl = "";
module_param(disable_cxl, charp, 0444);
MODULE_PARM_DESC(disable_cxl,
		 "PCI addresses (0000:0d:00.0,...) of functions to assign as plain PCI functions, or 'all'");

module_param_named(hide_hpa, params.view.hide_hpa, bool, 0444);
MODULE_PARM_DESC(hide_hpa, "Hide host physical addresses from users (default: Y)");

module_param_named(enable_sriov, params.enable_sriov, bool, 0444);
MODULE_PARM_DESC(enable_sriov,
		 "Let root create virtual functions of an assigned function, which its user's resets end (default: N)");

static char *vmm_abi = "v3";
module_param(vmm_abi, charp, 0444);
MODULE_PARM_DESC(vmm_abi,
		 "Posted interface that VMMs were built for: v3 (June 2026, default) or v2 (April 2026)");

module_param_named(max_order, params.max_order, uint, 0444);
MODULE_PARM_DESC(max_order,
		 "Largest user mapping of device memory, as a power of two of pages: 0 for single pages (default: no limit; 1 GiB with 4 KiB pages is 18)");

static char *reset_method = "auto";
module_param(reset_method, charp, 0444);
MODULE_PARM_DESC(reset_method,
		 "What VFIO_DEVICE_RESET does: CXL reset if the device supports it, then function reset (auto, default), only cxl or only flr");

module_param_named(keep_memory, params.keep_memory, bool, 0444);
MODULE_PARM_DESC(keep_memory, "Do not clear device memory between users (default: N)");

static char *cxl_cache = "keep";
module_param(cxl_cache, charp, 0444);
MODULE_PARM_DESC(cxl_cache,
		 "CXL.cache of an assigned device: as it is (keep, default) or off, which refuses devices with ATS");

static char *cxl_core = "auto";
module_param(cxl_core, charp, 0444);
MODULE_PARM_DESC(cxl_core,
		 "Join the kernel's CXL topology: if there is one (auto, default), require or off");

static char *struct_pages = "auto";
module_param(struct_pages, charp, 0444);
MODULE_PARM_DESC(struct_pages,
		 "Struct pages for device memory, with which guests on Intel hosts get it cached: where the CPU has VMX (auto, default), on or off");

static char *vbar = "auto";
module_param(vbar, charp, 0444);
MODULE_PARM_DESC(vbar,
		 "BAR that gives device memory to a VMM that does not know CXL: a free one (auto, default), 0, 2, 4 or off");

static const char *const reset_methods[] = {
	[RESET_AUTO] = "auto", [RESET_CXL_ONLY] = "cxl", [RESET_FLR_ONLY] = "flr",
};

static const char *const cache_modes[] = {
	[CACHE_KEEP] = "keep", [CACHE_OFF] = "off",
};

static const char *const topology_modes[] = {
	[TOPOLOGY_AUTO] = "auto", [TOPOLOGY_REQUIRE] = "require", [TOPOLOGY_OFF] = "off",
};

static const char *const pages_modes[] = {
	[PAGES_AUTO] = "auto", [PAGES_ON] = "on", [PAGES_OFF] = "off",
};

static const char *const vbars[] = {
	[VBAR_AUTO] = "auto", [VBAR_OFF] = "off", [VBAR_SLOT_0] = "0", "2", "4",
};

/**
 * struct choice - a parameter whose value is one of a list of words
 * @name: name of the parameter
 * @text: the parameter's value as the administrator wrote it
 * @words: pointer to the first of the allowed words
 * @count: number of allowed words
 * @stride: bytes from one word's pointer to the next
 * @value: set to the index of the chosen word
 */
struct choice {
	const char *name;
	char **text;
	const void *words;
	unsigned int count;
	size_t stride;
	unsigned int *value;
};

static const struct choice choices[] = {
	{ "reset_method", &reset_method, reset_methods, ARRAY_SIZE(reset_methods),
	  sizeof(reset_methods[0]), &params.reset_method },
	{ "cxl_cache", &cxl_cache, cache_modes, ARRAY_SIZE(cache_modes),
	  sizeof(cache_modes[0]), &params.cache },
	{ "cxl_core", &cxl_core, topology_modes, ARRAY_SIZE(topology_modes),
	  sizeof(topology_modes[0]), &params.topology },
	{ "struct_pages", &struct_pages, pages_modes, ARRAY_SIZE(pages_modes),
	  sizeof(pages_modes[0]), &params.pages },
	{ "vbar", &vbar, vbars, ARRAY_SIZE(vbars), sizeof(vbars[0]), &params.vbar },
	{ "vmm_abi", &vmm_abi, &cxl_vfio_abis[0].name, CXL_VFIO_NR_ABIS,
	  sizeof(cxl_vfio_abis[0]), &params.abi },
};

static const char *word_of(const struct choice *choice, unsigned int i)
{
	return *(const char *const *)(choice->words + i * choice->stride);
}

static int choose(const struct choice *choice)
{
	char all[64] = "";

	for (unsigned int i = 0, at = 0; i < choice->count; i++) {
		const char *word = word_of(choice, i);

		if (!strcmp(word, *choice->text)) {
			*choice->value = i;
			return 0;
		}
		at += scnprintf(all + at, sizeof(all) - at, "%s%s",
				!i ? "" : i + 1 == choice->count ? " or " : ", ", word);
	}
	pr_err(KBUILD_MODNAME ": %s=%s: expected %s\n", choice->name, *choice->text, all);
	return -EINVAL;
}

static bool is_at(const struct pci_dev *pdev, unsigned int domain, unsigned int bus,
		  unsigned int devfn)
{
	return pdev && domain == pci_domain_nr(pdev->bus) && bus == pdev->bus->number &&
	       devfn == pdev->devfn;
}

/*
 * Is @pdev named in disable_cxl?  Returns -EINVAL if an address before @pdev's is
 * malformed.  No address names NULL, so with NULL the whole list is checked.
 */
static int find_disabled(const struct pci_dev *pdev)
{
	unsigned int domain, bus, slot, func;
	const char *p = disable_cxl;
	int n;

	if (!strcmp(p, "all"))
		return 1;
	while (*p) {
		if (sscanf(p, "%x:%x:%x.%x%n", &domain, &bus, &slot, &func, &n) != 4 ||
		    domain > U16_MAX || bus > U8_MAX || slot > 31 || func > 7 ||
		    (p[n] && p[n] != ','))
			return -EINVAL;
		if (is_at(pdev, domain, bus, PCI_DEVFN(slot, func)))
			return 1;
		p += n + (p[n] == ',');
	}
	return 0;
}

/**
 * cxl_vfio_is_disabled() - is a function named in disable_cxl?
 * @pdev: the function
 *
 * Return: true if the function must be assigned as a plain PCI function.
 */
bool cxl_vfio_is_disabled(const struct pci_dev *pdev)
{
	return find_disabled(pdev) > 0;
}

/**
 * cxl_vfio_params_init() - parse the module's parameters
 *
 * Return: 0, or -EINVAL with a log line for each wrong parameter.
 */
int cxl_vfio_params_init(void)
{
	int ret = 0;

	if (find_disabled(NULL) < 0) {
		pr_err(KBUILD_MODNAME ": disable_cxl=%s: expected 'all' or addresses like 0000:0d:00.0, separated by commas\n",
		       disable_cxl);
		ret = -EINVAL;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(choices); i++)
		ret = choose(&choices[i]) ?: ret;
	params.view.base_rw = cxl_vfio_abis[params.abi].base_rw;
	return ret;
}
