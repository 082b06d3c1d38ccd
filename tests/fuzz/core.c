// SPDX-License-Identifier: GPL-2.0-only
/* vfio-pci-core's map of config space, see core.h; as of Linux 7.3 */
#include "core.h"

#define VARIABLE	0xff

static u32 dword(const u8 *config, u32 at)
{
	u32 val = 0;

	for (u32 i = 0; i < 4 && at + i < CORE_CFG_SIZE; i++)
		val |= (u32)config[at + i] << (8 * i);
	return val;
}

/* Virtual channels, with the arbitration table of the function */
static u32 vc_length(const u8 *config, u16 at)
{
	u32 len = 0x10 + (1 + (dword(config, at + 4) & 7)) * 12, kinds = dword(config, at + 8);
	u32 phases = kinds & 8 ? 128 : kinds & 4 ? 64 : kinds & 2 ? 32 : 0;

	return phases ? round_up(len, 16) + phases / 2 : len;
}

static u32 variable_length(const u8 *config, u16 at, u16 id)
{
	u32 first = dword(config, at + 4), bits;

	switch (id) {
	case PCI_EXT_CAP_ID_VNDR:
	case PCI_EXT_CAP_ID_DVSEC:
		return first >> 20;
	case PCI_EXT_CAP_ID_VC:
	case PCI_EXT_CAP_ID_VC9:
	case PCI_EXT_CAP_ID_MFVC:
		return vc_length(config, at);
	case PCI_EXT_CAP_ID_ACS:
		bits = first >> 8 & 0xff;
		if (!(first & PCI_ACS_EC))
			return 8;
		return 8 + (bits ? round_up(bits, 32) : 256) / 8;
	case PCI_EXT_CAP_ID_REBAR:
		return 4 + (dword(config, at + 8) >> 5 & 7) * 8;
	case PCI_EXT_CAP_ID_DPA:
		return 16 + (first & 0x1f) + 1;
	case PCI_EXT_CAP_ID_TPH:
		if ((first & 0x600) == 0x200)
			return 12 + (first >> 16 & 0x7ff) * 2 + 2;
		return 12;
	}
	return 0;
}

u32 core_cap_length(const struct core_config *core, const u8 *config, u16 at)
{
	/* Of the capabilities that are not listed, vfio-pci-core shows none */
	static const u8 lengths[] = {
		[PCI_EXT_CAP_ID_ERR] = 0x2c, [PCI_EXT_CAP_ID_VC] = VARIABLE,
		[PCI_EXT_CAP_ID_DSN] = 12, [PCI_EXT_CAP_ID_PWR] = 16,
		[PCI_EXT_CAP_ID_MFVC] = VARIABLE, [PCI_EXT_CAP_ID_VC9] = VARIABLE,
		[PCI_EXT_CAP_ID_VNDR] = VARIABLE, [PCI_EXT_CAP_ID_ACS] = VARIABLE,
		[PCI_EXT_CAP_ID_ARI] = 8, [PCI_EXT_CAP_ID_ATS] = 8,
		[PCI_EXT_CAP_ID_SRIOV] = 64, [PCI_EXT_CAP_ID_MCAST] = 40,
		[PCI_EXT_CAP_ID_PRI] = 16, [PCI_EXT_CAP_ID_REBAR] = VARIABLE,
		[PCI_EXT_CAP_ID_DPA] = VARIABLE, [PCI_EXT_CAP_ID_TPH] = VARIABLE,
		[PCI_EXT_CAP_ID_LTR] = 8, [PCI_EXT_CAP_ID_DVSEC] = VARIABLE,
	};
	u16 id = dword(config, at);

	if (id >= ARRAY_SIZE(lengths) || (id == PCI_EXT_CAP_ID_DVSEC && !core->knows_dvsecs))
		return 0;
	return lengths[id] == VARIABLE ? variable_length(config, at, id) : lengths[id];
}

static void put_vconfig(struct core_config *core, u16 at, u32 val)
{
	for (u32 i = 0; i < 4; i++)
		core->vconfig[at + i] = val >> (8 * i);
}

void core_config_init(struct core_config *core, const u8 *config, bool knows_dvsecs)
{
	u16 at = PCI_CFG_SPACE_SIZE, prev = 0;
	bool any = false;

	memset(core->map, 0, PCI_STD_HEADER_SIZEOF);
	memset(core->map + PCI_STD_HEADER_SIZEOF, CORE_INVALID,
	       CORE_CFG_SIZE - PCI_STD_HEADER_SIZEOF);
	memset(core->vconfig, 0, CORE_CFG_SIZE);
	memcpy(core->vconfig, config, PCI_STD_HEADER_SIZEOF);
	core->knows_dvsecs = knows_dvsecs;

	for (int left = (CORE_CFG_SIZE - PCI_CFG_SPACE_SIZE) / 4;
	     left && at >= PCI_CFG_SPACE_SIZE; left--) {
		u32 header = dword(config, at), len = core_cap_length(core, config, at);
		bool hidden = !len;

		if (hidden && prev) {
			put_vconfig(core, prev, (dword(core->vconfig, prev) & ~(0xffcU << 20)) |
				    (header & 0xffcU << 20));
			at = header >> 20 & 0xffc;
			continue;
		}
		/* The first one stays as a placeholder, to anchor the chain */
		len = min_t(u32, hidden ? 4 : len, CORE_CFG_SIZE - at);
		memset(core->map + at, header & 0xffff, len);
		memcpy(core->vconfig + at, config + at, len);
		if (hidden)
			put_vconfig(core, at, header & 0xffcU << 20);
		any |= !hidden;
		prev = at;
		at = header >> 20 & 0xffc;
	}
	if (!any)
		put_vconfig(core, PCI_CFG_SPACE_SIZE, 0);
}

u8 core_config_byte(const struct core_config *core, const u8 *config, u16 at)
{
	u16 start = at & ~3;

	if (core->map[at] == CORE_VIRTUAL)
		return core->vconfig[at];
	if (core->map[at] == CORE_INVALID || at < PCI_CFG_SPACE_SIZE)
		return config[at];
	/* The header is vconfig's, which has the chain that users see */
	while (start > PCI_CFG_SPACE_SIZE && core->map[start - 1] == core->map[at])
		start--;
	return at - start < 4 ? core->vconfig[at] : config[at];
}
