// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options: one table for the command line, for --help and for the control
 * capability through which a test changes the device while it runs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

static const struct {
	const char *name;
	const char *what;
} misbehaviours[MIS_COUNT] = {
	[MIS_NO_DVSEC] = { "no-dvsec", "no CXL Device DVSEC in the chain" },
	[MIS_NO_MEM_CAPABLE] = { "no-mem-capable", "DVSEC CAPABILITY: Mem_Capable is clear" },
	[MIS_NO_LOCATOR] = { "no-locator", "no Register Locator DVSEC" },
	[MIS_LOCATOR_LONG] = { "locator-long", "Register Locator: length past config space" },
	[MIS_LOCATOR_SHORT] = { "locator-short", "Register Locator: entries past its length" },
	[MIS_LOCATOR_REPEATED] = { "locator-repeated", "Register Locator: the entry twice" },
	[MIS_BIR_INVALID] = { "bir-invalid", "Register Locator: BAR 7" },
	[MIS_BIR_UNIMPLEMENTED] = { "bir-unimplemented", "Register Locator: BAR 5, of size 0" },
	[MIS_BIR_IO] = { "bir-io", "Register Locator: BAR 4, with --io-bar an I/O BAR" },
	[MIS_BLOCK_OUTSIDE_BAR] = { "block-outside-bar", "Register Locator: offset past the BAR" },
	[MIS_BLOCK_WRAPS] = { "block-wraps", "Register Locator: offset that wraps in 64 bits" },
	[MIS_ARRAY_HEADER] = { "array-header", "capability array header of another id" },
	[MIS_ARRAY_255] = { "array-255", "capability array of 255 entries" },
	[MIS_NO_HDM_CAP] = { "no-hdm-cap", "no HDM Decoder Capability in the array" },
	[MIS_TWO_HDM] = { "two-hdm", "two HDM Decoder Capabilities in the array" },
	[MIS_HDM_COUNT_13] = { "hdm-count-13", "decoder count is a reserved encoding" },
	[MIS_HDM_COUNT_14] = { "hdm-count-14", "decoder count is a reserved encoding" },
	[MIS_HDM_COUNT_15] = { "hdm-count-15", "decoder count is a reserved encoding" },
	[MIS_CAP_PAST_BLOCK] = { "cap-past-block", "HDM capability runs past the block's end" },
	[MIS_CAP_IN_ARRAY] = { "cap-in-array", "HDM capability points into the array itself" },
	[MIS_CAP_LOOP] = { "cap-loop", "HDM capability points to the array's header" },
	[MIS_NOT_ACTIVE] = { "not-active", "Memory_Active is never set" },
	[MIS_ONES_DVSEC] = { "ones-dvsec", "the CXL Device DVSEC's body reads all ones" },
	[MIS_ONES_LOCATOR] = { "ones-locator", "the Register Locator's entries read all ones" },
	[MIS_ONES_RANGE] = { "ones-range", "RANGE1 SIZE LOW reads all ones" },
	[MIS_ALL_ONES] = { "all-ones", "the component block reads all ones" },
	[MIS_ONES_HDM] = { "ones-hdm", "the HDM Decoder Capability reads all ones" },
	[MIS_RESET_HANGS] = { "reset-hangs", "a CXL reset never completes" },
	[MIS_CLEAR_FAILS] = { "clear-fails", "Reset Memory Clear leaves the memory as it is" },
	[MIS_RESET_ERROR] = { "reset-error", "a CXL reset ends with an error" },
	[MIS_RESET_RESIZES] = { "reset-resizes", "a reset locks decoder 0 at half its size" },
	[MIS_RESET_INACTIVE] = { "reset-inactive", "Memory_Active is not set again after a reset" },
	[MIS_RESET_SLOW] = { "reset-slow", "Memory_Active is set a while after a reset" },
	[MIS_RESET_GONE] = { "reset-gone", "everything reads all ones after a reset" },
	[MIS_COMMIT_STUCK] = { "commit-stuck", "a decoder never commits" },
	[MIS_COMMIT_ERROR] = { "commit-error", "a decoder refuses to commit" },
	[MIS_ONES_DECODER] = { "ones-decoder", "the decoders' registers read all ones" },
};

static const char * const reset_names[RESET_KINDS] = { "flr", "cxl", "bus", "d3" };

void options_default(struct options *o)
{
	memset(o, 0, sizeof(*o));
	o->bar_size = 256 * 1024;
	o->block = BLOCK_MIDDLE;
	o->decoders = 1;
	o->dvsec_length = 0x3c;
	o->mem_clear = true;
	o->control = 7;
	o->global_control = 2;
	o->watch = WATCH_NONE;
	o->decoder[0].base = 0x100000000;
	o->decoder[0].size = GRANULE;
	o->decoder[0].committed = true;
}

/* A whole number, with k, M or G: 0 or -EINVAL */
static int number(const char *s, uint64_t *val)
{
	static const char units[] = "kMG";
	const char *unit;
	char *end;

	errno = 0;
	*val = strtoull(s, &end, 0);
	if (end == s || *s == '-' || errno)
		return -EINVAL;
	if (!*end)
		return 0;
	unit = strchr(units, *end);
	if (!unit || end[1] || *val > UINT64_MAX >> (10 * (unit - units + 1)))
		return -EINVAL;
	*val <<= 10 * (unit - units + 1);
	return 0;
}

static int set_socket(struct options *o, const char *arg)
{
	if (!*arg || strlen(arg) >= sizeof(o->socket))
		return -EINVAL;
	strcpy(o->socket, arg);
	return 0;
}

static int set_keep(struct options *o, const char *arg)
{
	(void)arg;
	o->keep = true;
	return 0;
}

static int set_io_bar(struct options *o, const char *arg)
{
	(void)arg;
	o->io_bar = true;
	return 0;
}

static int set_verbose(struct options *o, const char *arg)
{
	(void)arg;
	o->verbose = true;
	return 0;
}

static int set_bar_size(struct options *o, const char *arg)
{
	uint64_t val;

	if (number(arg, &val) || val < BLOCK_SIZE || val > 1 << 30 || (val & (val - 1)))
		return -EINVAL;
	o->bar_size = val;
	return 0;
}

static int set_block(struct options *o, const char *arg)
{
	static const char * const names[] = { "start", "middle", "end" };

	for (unsigned int i = 0; i < 3; i++) {
		if (!strcmp(arg, names[i])) {
			o->block = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_decoders(struct options *o, const char *arg)
{
	uint64_t val;

	if (number(arg, &val) || !val || val > MAX_DECODERS || (val > 1 && val % 2))
		return -EINVAL;
	o->decoders = val;
	return 0;
}

static int decoder_field(struct decoder_options *d, const char *name, uint64_t val)
{
	if (!strcmp(name, "base"))
		d->base = val;
	else if (!strcmp(name, "size"))
		d->size = val;
	else if (!strcmp(name, "committed") && val <= 1)
		d->committed = val;
	else if (!strcmp(name, "locked") && val <= 1)
		d->locked = val;
	else if (!strcmp(name, "target") && val <= 1)
		d->target = val;
	else if (!strcmp(name, "iw") && val <= 15)
		d->iw = val;
	else if (!strcmp(name, "ig") && val <= 15)
		d->ig = val;
	else
		return -EINVAL;
	return 0;
}

/* "N,field=value,..." */
static int set_decoder(struct options *o, const char *arg)
{
	char copy[256], *save, *word, *eq;
	uint64_t n, val;

	if (strlen(arg) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, arg);
	word = strtok_r(copy, ",", &save);
	if (!word || number(word, &n) || n >= MAX_DECODERS)
		return -EINVAL;
	while ((word = strtok_r(NULL, ",", &save))) {
		eq = strchr(word, '=');
		if (!eq)
			return -EINVAL;
		*eq = 0;
		if (number(eq + 1, &val) || decoder_field(&o->decoder[n], word, val))
			return -EINVAL;
	}
	return 0;
}

static int set_dvsec_length(struct options *o, const char *arg)
{
	uint64_t val;

	if (number(arg, &val) || val < 0x0c || val > 0x3c)
		return -EINVAL;
	o->dvsec_length = val;
	return 0;
}

static int small_number(const char *arg, uint64_t max, unsigned int *to)
{
	uint64_t val;

	if (number(arg, &val) || val > max)
		return -EINVAL;
	*to = val;
	return 0;
}

static int set_capability(struct options *o, const char *arg)
{
	return small_number(arg, 0xffff, &o->capability);
}

static int set_rciep(struct options *o, const char *arg)
{
	(void)arg;
	o->rciep = true;
	return 0;
}

static int set_control(struct options *o, const char *arg)
{
	return small_number(arg, 0x4fff, &o->control);
}

static int set_global_control(struct options *o, const char *arg)
{
	return small_number(arg, 2, &o->global_control);
}

static int set_status(struct options *o, const char *arg)
{
	return small_number(arg, 0x4000, &o->status) ?: o->status & ~0x4000u ? -EINVAL : 0;
}

static int set_status2(struct options *o, const char *arg)
{
	return small_number(arg, 0x8008, &o->status2) ?: o->status2 & ~0x8008u ? -EINVAL : 0;
}

static int set_config_lock(struct options *o, const char *arg)
{
	unsigned int lock;

	if (small_number(arg, 1, &lock))
		return -EINVAL;
	o->config_lock = lock;
	return 0;
}

static int set_memory_off(struct options *o, const char *arg)
{
	(void)arg;
	o->memory_off = true;
	return 0;
}

static int set_soft_reset(struct options *o, const char *arg)
{
	(void)arg;
	o->soft_reset = true;
	return 0;
}

static int set_ras_uncorrectable(struct options *o, const char *arg)
{
	return small_number(arg, 0x1cfff, &o->ras_uncorrectable);
}

static int set_ras_correctable(struct options *o, const char *arg)
{
	return small_number(arg, 0x7f, &o->ras_correctable);
}

static int set_mem_clear(struct options *o, const char *arg)
{
	unsigned int can;

	if (small_number(arg, 1, &can))
		return -EINVAL;
	o->mem_clear = can;
	return 0;
}

static int set_active_timeout(struct options *o, const char *arg)
{
	return small_number(arg, 4, &o->active_timeout);
}

static int set_watch(struct options *o, const char *arg)
{
	uint64_t val;

	if (!strcmp(arg, "none")) {
		o->watch = WATCH_NONE;
		return 0;
	}
	if (number(arg, &val) || val % 4)
		return -EINVAL;
	o->watch = val;
	return 0;
}

static int reset_mask(const char *arg, unsigned int *mask)
{
	char copy[64], *save, *word;

	if (!*arg || strlen(arg) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, arg);
	*mask = 0;
	for (word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		unsigned int i = 0;

		while (i < RESET_KINDS && strcmp(word, reset_names[i]))
			i++;
		if (i == RESET_KINDS && strcmp(word, "none"))
			return -EINVAL;
		*mask |= i < RESET_KINDS ? 1u << i : 0;
	}
	return 0;
}

static int set_lose(struct options *o, const char *arg)
{
	return reset_mask(arg, &o->lose);
}

static int set_lose_memory(struct options *o, const char *arg)
{
	return reset_mask(arg, &o->lose_memory);
}

static int lose_word(const char *word, unsigned int *mask)
{
	uint64_t n;

	if (!strcmp(word, "enables"))
		*mask |= LOSE_ENABLES;
	else if (!strcmp(word, "global"))
		*mask |= LOSE_GLOBAL;
	else if (!strcmp(word, "ranges"))
		*mask |= LOSE_RANGES;
	else if (!strncmp(word, "decoder", 7) && !number(word + 7, &n) && n < MAX_DECODERS)
		*mask |= LOSE_DECODER(n);
	else if (strcmp(word, "all"))
		return -EINVAL;
	return 0;
}

static int set_lose_what(struct options *o, const char *arg)
{
	char copy[64], *save, *word;
	unsigned int mask = 0;

	if (!*arg || strlen(arg) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, arg);
	for (word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save))
		if (lose_word(word, &mask))
			return -EINVAL;
	o->lose_what = mask;
	return 0;
}

static int set_misbehave(struct options *o, const char *arg)
{
	char copy[256], *save, *word;

	if (!*arg || strlen(arg) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, arg);
	o->misbehave = 0;
	for (word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		unsigned int i = 0;

		while (i < MIS_COUNT && strcmp(word, misbehaviours[i].name))
			i++;
		if (i == MIS_COUNT && strcmp(word, "none"))
			return -EINVAL;
		o->misbehave |= i < MIS_COUNT ? 1ull << i : 0;
	}
	return 0;
}

static int set_allow_misuse(struct options *o, const char *arg)
{
	char copy[256], *save, *word;

	if (!*arg || strlen(arg) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, arg);
	o->allow_misuse = 0;
	for (word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		int kind = misuse_find(word);

		if (kind < 0 && strcmp(word, "none"))
			return -EINVAL;
		o->allow_misuse |= kind < 0 ? 0 : 1u << kind;
	}
	return 0;
}

/* A profile's options come first: those after it on the command line have their way */
static int set_profile(struct options *o, const char *arg)
{
	const struct profile *p = profile_find(arg);
	char line[T2DEV_CTL_LINE_MAX], *words[OPTIONS_MAX_WORDS + 1];

	if (!p)
		return -EINVAL;
	o->profile = p;
	snprintf(line, sizeof(line), "%s", p->line ?: "");
	return options_parse(o, options_split(line, words), words, true);
}

static const struct option_def {
	const char *name;
	const char *arg;	/* NULL: takes none */
	bool start_only;
	int (*set)(struct options *o, const char *arg);
	const char *help;
} defs[] = {
	{ "socket", "PATH", true, set_socket, "Unix socket to listen on (needed)" },
	{ "keep", NULL, true, set_keep, "wait for the next client when one has left" },
	{ "verbose", NULL, false, set_verbose, "log every access" },
	{ "bar-size", "BYTES", true, set_bar_size,
	  "size of BAR 0, a power of two from 64k to 1G (256k)" },
	{ "io-bar", NULL, true, set_io_bar, "BAR 4 is an I/O BAR of 32 bytes" },
	{ "block", "PLACE", false, set_block,
	  "component block at the start, middle or end of BAR 0 (middle)" },
	{ "decoders", "N", false, set_decoders, "HDM decoders: 1, 2, 4, 6, 8 or 10 (1)" },
	{ "decoder", "N,FIELD=VALUE,...", false, set_decoder,
	  "decoder N as firmware left it: base, size, committed, locked, target, iw, ig "
	  "(0,base=4G,size=256M,committed=1)" },
	{ "dvsec-length", "BYTES", false, set_dvsec_length,
	  "length of the CXL Device DVSEC, 0x0c to 0x3c (0x3c)" },
	{ "capability", "VALUE", false, set_capability,
	  "CAPABILITY of the CXL Device DVSEC, 0 for the usual one (0)" },
	{ "rciep", NULL, true, set_rciep, "the function is integrated into the root complex" },
	{ "mem-clear", "0|1", false, set_mem_clear,
	  "CAPABILITY: a CXL reset can clear memory (1)" },
	{ "control", "VALUE", false, set_control,
	  "CONTROL of the CXL Device DVSEC as firmware left it (7)" },
	{ "global-control", "VALUE", false, set_global_control,
	  "HDM Global Control as firmware left it (2)" },
	{ "active-timeout", "CODE", false, set_active_timeout,
	  "how long Memory_Active may take: 1, 4, 16, 64 or 256 s as 0 to 4 (0)" },
	{ "status", "VALUE", false, set_status,
	  "STATUS at start, 0x4000 on a device that is capable of viral (0)" },
	{ "status2", "VALUE", false, set_status2,
	  "STATUS2 at start, of 8 (preservation error) and 0x8000 (PM init complete) (0)" },
	{ "config-lock", "0|1", false, set_config_lock,
	  "CONFIG_LOCK: hardware drops writes of CONTROL (0)" },
	{ "memory-off", NULL, true, set_memory_off,
	  "the first write that enables memory space, which is firmware's, has no effect" },
	{ "soft-reset", NULL, true, set_soft_reset,
	  "No_Soft_Reset is clear: from D3hot to D0 the function loses its CXL.io state" },
	{ "ras-uncorrectable", "BITS", false, set_ras_uncorrectable,
	  "RAS Uncorrectable Error Status at start (0)" },
	{ "ras-correctable", "BITS", false, set_ras_correctable,
	  "RAS Correctable Error Status at start (0)" },
	{ "lose", "RESETS", false, set_lose,
	  "resets that lose decoders, ranges and enables which they should keep: flr, cxl, bus, d3, "
	  "none (none)" },
	{ "lose-what", "NAMES", false, set_lose_what,
	  "what those lose: all, or some of enables, ranges, global, decoderN (all)" },
	{ "lose-memory", "RESETS", false, set_lose_memory,
	  "resets that clear HDM memory, as for --lose (none)" },
	{ "watch", "OFFSET", false, set_watch,
	  "dword in decoder 0's range that is not to change while memory is off, or none (none)" },
	{ "misbehave", "NAMES", false, set_misbehave, "see below (none)" },
	{ "allow-misuse", "KINDS", false, set_allow_misuse,
	  "what the host may do wrong, see below (none)" },
	{ "profile", "NAME", true, set_profile, "a device of the list below" },
};

#define NUM_DEFS	(sizeof(defs) / sizeof(defs[0]))

void options_help(void)
{
	puts("usage: t2dev --socket PATH [OPTION...]\n"
	     "A CXL Type-2 device in software, for QEMU's vfio-user-pci.\n");
	for (unsigned int i = 0; i < NUM_DEFS; i++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", defs[i].name, defs[i].arg ? "=" : "",
			 defs[i].arg ?: "");
		printf("  %-30s %s\n", left, defs[i].help);
	}
	puts("  --help                         show this\n"
	     "  --version                      show the version\n"
	     "Numbers may be hexadecimal and end in k, M or G.\n\n"
	     "Ways to misbehave, several separated by commas:");
	for (unsigned int i = 0; i < MIS_COUNT; i++)
		printf("  %-18s %s\n", misbehaviours[i].name, misbehaviours[i].what);
	misuse_help();
	profiles_help();
}

static const struct option_def *find_def(const char *word, size_t len)
{
	for (unsigned int i = 0; i < NUM_DEFS; i++)
		if (strlen(defs[i].name) == len && !strncmp(defs[i].name, word, len))
			return &defs[i];
	return NULL;
}

/* One option at argv[*i], which is moved past it: 0 or -EINVAL, told on stderr */
static int parse_one(struct options *o, int argc, char **argv, int *i, bool at_start)
{
	const char *word = argv[(*i)++], *arg = "";
	const struct option_def *def = NULL;

	if (!strncmp(word, "--", 2))
		def = find_def(word + 2, strcspn(word + 2, "="));
	if (!def) {
		log_line("unknown option '%s', see --help", word);
		return -EINVAL;
	}
	if (def->start_only && !at_start) {
		log_line("option --%s can only be given at start", def->name);
		return -EINVAL;
	}
	if (strchr(word, '='))
		arg = strchr(word, '=') + 1;
	else if (def->arg && *i < argc)
		arg = argv[(*i)++];
	if (def->set(o, arg)) {
		log_line("option --%s: '%s' is not valid: %s", def->name, arg, def->help);
		return -EINVAL;
	}
	return 0;
}

/* Cut a line into words, behind a name as main() has it: their number, for options_parse() */
int options_split(char *line, char **words)
{
	char *save, *word = strtok_r(line, " ", &save);
	int n = 1;

	for (words[0] = "t2dev"; word && n < OPTIONS_MAX_WORDS; word = strtok_r(NULL, " ", &save))
		words[n++] = word;
	words[n] = NULL;
	return n;
}

/* Options on top of what *@options has; changed only if all are valid */
int options_parse(struct options *options, int argc, char **argv, bool at_start)
{
	struct options copy = *options;

	for (int i = 1; i < argc;)
		if (parse_one(&copy, argc, argv, &i, at_start))
			return -EINVAL;
	*options = copy;
	return 0;
}
