// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /proc/cpuinfo says of this host's processors.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

bool cpu_has(const char *flag)
{
	char path[PATH_MAX], word[64];
	bool found = false;
	FILE *f;

	if (make_path(path, sizeof(path), "/proc/cpuinfo"))
		return false;
	f = fopen(path, "r");
	while (f && !found && fscanf(f, "%63s", word) == 1)
		found = !strcmp(word, flag);
	if (f)
		fclose(f);
	return found;
}

/* The word is in every arm64 CPU's entry, and in no other architecture's */
bool is_arm64(void)
{
	return cpu_has("implementer");
}

const char *iommu_remedy(void)
{
	static const char * const remedies[] = {
		"turn the SMMU on in firmware, and see that the kernel's command line has no iommu.passthrough or arm-smmu option against it",
		"turn VT-d on in firmware, and add intel_iommu=on to the kernel's command line",
		"turn the IOMMU on in firmware, on Intel also with intel_iommu=on on the kernel's command line",
	};

	return remedies[is_arm64() ? 0 : cpu_has("GenuineIntel") ? 1 : 2];
}
