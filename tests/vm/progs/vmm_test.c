// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VMM that knows CXL does with the device, from its start over resets and reboots
 * of its guest to its end, with a check after each step.  Fixture v2 follows the public
 * client of vmm_abi=v2, the CXL functions of NVIDIA's QEMU.  There is no public VMM for v3:
 * fixture v3 does what the text and the smoke tests of that posting require.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"

#include "../../t2dev/t2dev_regs.h"
#include "vfio.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define LOCK		CXL_VFIO_HDM_CTRL_LOCK
#define COMMIT		CXL_VFIO_HDM_CTRL_COMMIT
#define COMMITTED	CXL_VFIO_HDM_CTRL_COMMITTED
#define STATE		(LOCK | COMMIT | COMMITTED)
#define MARK		0x0c01dbee
/* Guest addresses: the machine's CXL window, and one that is nothing */
#define WINDOW		0x110000000ull
#define NOWHERE		0x770000000ull
/* The software device has its PCI Express capability here */
#define DEVCTL		(0x50 + PCI_EXP_DEVCTL)

/**
 * struct machine - what a VMM knows of its device
 * @bar: BAR with the component registers
 * @cm: offset of the CXL.cache/mem area in @bar
 * @comp: COMP_REGS region
 * @comp_size: its size, bytes
 * @comp_start: its start, as an offset in @bar
 * @hdm: region of device memory
 * @size: its size, bytes
 * @decoder: first decoder, as an offset in @bar
 */
struct machine {
	struct vfio v;
	uint32_t bar;
	uint64_t cm;
	uint32_t comp;
	uint64_t comp_size;
	uint64_t comp_start;
	uint32_t hdm;
	uint64_t size;
	uint64_t decoder;
	uint16_t dvsec;
	volatile uint32_t *memory;
};

/* A guest's access to @bar: the VMM lays COMP_REGS over the BAR, a dword at a time */
static uint32_t guest_read(struct machine *m, uint64_t at)
{
	if (at >= m->comp_start && at < m->comp_start + m->comp_size)
		return region_read32(&m->v, m->comp, at - m->comp_start);
	return region_read32(&m->v, m->bar, at);
}

static void guest_write(struct machine *m, uint64_t at, uint32_t val)
{
	if (at >= m->comp_start && at < m->comp_start + m->comp_size)
		region_write32(&m->v, m->comp, at - m->comp_start, val);
	else
		region_write32(&m->v, m->bar, at, val);
}

static uint64_t guest_base(struct machine *m)
{
	return guest_read(m, m->decoder + CXL_VFIO_HDM_BASE_LOW) |
	       (uint64_t)guest_read(m, m->decoder + CXL_VFIO_HDM_BASE_HIGH) << 32;
}

static uint64_t guest_size(struct machine *m)
{
	return guest_read(m, m->decoder + CXL_VFIO_HDM_SIZE_LOW) |
	       (uint64_t)guest_read(m, m->decoder + CXL_VFIO_HDM_SIZE_HIGH) << 32;
}

static uint32_t guest_state(struct machine *m)
{
	return guest_read(m, m->decoder + CXL_VFIO_HDM_CTRL) & STATE;
}

static uint64_t range_base(struct machine *m)
{
	return (uint64_t)config_read32(&m->v, m->dvsec + CXL_VFIO_DVSEC_RANGE_BASE_HIGH(0)) << 32 |
	       config_read32(&m->v, m->dvsec + CXL_VFIO_DVSEC_RANGE_BASE_LOW(0));
}

static void write_base(struct machine *m, uint64_t base)
{
	guest_write(m, m->decoder + CXL_VFIO_HDM_BASE_LOW, base);
	guest_write(m, m->decoder + CXL_VFIO_HDM_BASE_HIGH, base >> 32);
}

static void write_ctrl(struct machine *m, uint32_t ctrl)
{
	guest_write(m, m->decoder + CXL_VFIO_HDM_CTRL, ctrl);
}

static void write16(struct machine *m, uint16_t at, uint16_t val)
{
	region_write(&m->v, CONFIG, at, &val, 2);
}

static uint16_t read16(struct machine *m, uint16_t at)
{
	uint16_t val = 0;

	region_read(&m->v, CONFIG, at, &val, 2);
	return val;
}

/* Reset of the machine, by its VMM: at its start, and when the guest reboots */
static int reset_machine(struct machine *m)
{
	const uint32_t none = 0;
	uint32_t bar[6];
	int ret;

	region_read(&m->v, CONFIG, PCI_BASE_ADDRESS_0, bar, sizeof(bar));
	set_command(&m->v, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ret = ioctl(m->v.device, VFIO_DEVICE_RESET) ? -errno : 0;
	for (unsigned int i = 0; i < 6; i++)
		region_write(&m->v, CONFIG, PCI_BASE_ADDRESS_0 + 4 * i, &none, sizeof(none));
	/* The guest's firmware assigns addresses, its driver turns memory on */
	region_write(&m->v, CONFIG, PCI_BASE_ADDRESS_0, bar, sizeof(bar));
	set_command(&m->v, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	return ret;
}

static int hot_reset(struct machine *m)
{
	struct {
		struct vfio_pci_hot_reset req;
		int32_t fd;
	} arg = { .req.argsz = sizeof(arg), .req.count = 1, .fd = m->v.group };

	return ioctl(m->v.device, VFIO_DEVICE_PCI_HOT_RESET, &arg) ? -errno : 0;
}

static void guest_flr(struct machine *m)
{
	write16(m, DEVCTL, read16(m, DEVCTL) | PCI_EXP_DEVCTL_BCR_FLR);
	set_command(&m->v, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
}

/* Returns Reset Complete and Reset Error of STATUS2 */
static uint16_t guest_cxl_reset(struct machine *m)
{
	write16(m, m->dvsec + CXL_VFIO_DVSEC_CTRL2, CXL_VFIO_DVSEC_CTRL2_INIT_RST);
	set_command(&m->v, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	return read16(m, m->dvsec + CXL_VFIO_DVSEC_STATUS2) & 6;
}

/* Does the device store at a guest address what the guest then finds in its memory? */
static bool device_reaches_window(struct machine *m, uint32_t word)
{
	struct accel_op op = {
		.opcode = T2DEV_OP_FILL, .dst = WINDOW + PAGE, .len = 64, .pattern = word,
	};

	set_command(&m->v, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	m->memory[PAGE / 4] = 0;
	return !accel_run(&m->v, &op, NULL) && m->memory[PAGE / 4] == word;
}

/* The walk of the capability array, to the HDM decoders */
static const char *find_decoders(struct machine *m)
{
	uint32_t header = guest_read(m, m->cm), hdm = 0;

	if ((header & CXL_VFIO_CM_CAP_HDR_ID) != 1)
		return "the capability array has an id other than 1";
	for (uint32_t i = 1; i <= header >> 24; i++) {
		uint32_t entry = guest_read(m, m->cm + CXL_VFIO_CM_CAP_ENTRY(i));

		if ((entry & CXL_VFIO_CM_CAP_ENTRY_ID) == CXL_VFIO_CM_CAP_ID_HDM)
			hdm = entry >> 20;
	}
	if (!hdm)
		return "the capability array has no HDM decoders";
	m->decoder = m->cm + hdm + CXL_VFIO_HDM_DECODER(0);
	return NULL;
}

static uint64_t region_size(struct machine *m, uint32_t index, uint32_t subtype, uint32_t flags)
{
	struct vfio_region_info *info = vfio_region(&m->v, index);
	struct vfio_region_info_cap_type *type = NULL;
	uint64_t size = 0;

	if (info && info->flags & VFIO_REGION_INFO_FLAG_CAPS)
		type = (void *)vfio_cap(info, info->cap_offset, VFIO_REGION_INFO_CAP_TYPE);
	if (type && type->type == CXL_VFIO_REGION_TYPE && type->subtype == subtype &&
	    (info->flags & 7) == flags)
		size = info->size;
	free(info);
	return size;
}

/*
 * The start of a VMM: what v2 and v3 call by other names.  Returns NULL, or the
 * reason why the VMM refuses the device.
 */
static const char *realize(struct machine *m, bool v2)
{
	struct vfio_info_cap_header *cap;

	memset(m, 0, sizeof(*m));
	if (vfio_open(&m->v, input("DEVICE")))
		return "the device cannot be opened";
	if (!(m->v.info.flags & VFIO_DEVICE_FLAGS_CXL))
		return "the device has no CXL flag";
	cap = vfio_cap(&m->v.info, m->v.info.cap_offset, VFIO_DEVICE_INFO_CAP_CXL);
	if (!cap || cap->version != 1)
		return "the device has no CXL capability of version 1";
	if (v2) {
		struct cxl_vfio_device_info_cap_v2 *c = (void *)cap;

		if (!(c->flags & CXL_VFIO_CAP_V2_FIRMWARE_COMMITTED))
			return "firmware did not commit the decoder";
		m->bar = c->hdm_regs_bar_index;
		m->cm = c->hdm_regs_offset;
		m->comp = c->comp_regs_region_index;
		m->comp_start = m->cm;
		m->hdm = c->dpa_region_index;
	} else {
		struct cxl_vfio_device_info_cap_v3 *c = (void *)cap;

		if (!(c->flags & CXL_VFIO_CAP_V3_HOST_FIRMWARE_COMMITTED))
			return "firmware did not commit the decoder";
		m->bar = c->comp_reg_bar;
		m->cm = c->comp_reg_offset + CXL_VFIO_CM_OFFSET;
		m->comp = c->comp_reg_region_idx;
		m->comp_start = c->comp_reg_offset;
		m->hdm = c->hdm_region_idx;
	}
	m->size = region_size(m, m->hdm, CXL_VFIO_REGION_SUBTYPE_HDM,
			      VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
			      VFIO_REGION_INFO_FLAG_MMAP);
	if (!m->size)
		return "no region of device memory to read, write and map";
	m->comp_size = region_size(m, m->comp, CXL_VFIO_REGION_SUBTYPE_COMP_REGS,
				   VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE);
	if (!m->comp_size)
		return "no COMP_REGS region to read and write";
	m->memory = region_map(&m->v, m->hdm, 0, m->size, PROT_READ | PROT_WRITE);
	if (m->memory == MAP_FAILED)
		return "device memory cannot be mapped as a whole";
	m->dvsec = find_dvsec(&m->v, CXL_VFIO_DVSEC_ID_DEVICE);
	if (!m->dvsec)
		return "no CXL Device DVSEC";
	return find_decoders(m);
}

static void unrealize(struct machine *m)
{
	if (m->memory && m->memory != MAP_FAILED)
		munmap((void *)m->memory, m->size);
	vfio_close(&m->v);
}

/* Number of areas of the BAR that can be mapped; 0 if one of them touches the block */
static uint32_t areas_around_the_block(struct machine *m)
{
	uint64_t start = m->cm - CXL_VFIO_CM_OFFSET, end = start + CXL_VFIO_COMP_BLOCK_SIZE;
	struct vfio_region_info_cap_sparse_mmap *sparse = NULL;
	struct vfio_region_info *info = vfio_region(&m->v, m->bar);
	uint32_t n = 0;

	if (info && info->flags & VFIO_REGION_INFO_FLAG_MMAP &&
	    info->flags & VFIO_REGION_INFO_FLAG_CAPS)
		sparse = (void *)vfio_cap(info, info->cap_offset, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	for (uint32_t i = 0; sparse && i < sparse->nr_areas; i++) {
		void *p = region_map(&m->v, m->bar, sparse->areas[i].offset, sparse->areas[i].size,
				     PROT_READ);

		if (p == MAP_FAILED || (sparse->areas[i].offset < end &&
					sparse->areas[i].offset + sparse->areas[i].size > start)) {
			free(info);
			return 0;
		}
		munmap(p, sparse->areas[i].size);
		n++;
	}
	free(info);
	return n;
}

/* The guest finds decoder 0 at @base in this state, and its memory behind it */
#define EXPECT_DECODER(m, base, state) do {					\
	EXPECT_EQ((base), guest_base(m));					\
	EXPECT_EQ((state), guest_state(m));					\
	EXPECT_EQ((m)->size, guest_size(m));					\
	EXPECT_EQ(guest_base(m), range_base(m));				\
	EXPECT_FALSE(raises_sigbus((m)->memory, true));				\
	*(m)->memory = MARK;							\
	EXPECT_EQ(MARK, region_read32(&(m)->v, (m)->hdm, 0));			\
} while (0)

FIXTURE(v2) {
	struct machine m;
	uint64_t initial;	/* what decoder 0 shows before the VMM programs it */
};

/* The VMM takes the device, or the test ends with the reason */
#define ASSERT_REALIZED(m, v2) do {						\
	const char *why_ = realize(m, v2);					\
										\
	ASSERT_EQ(NULL, why_) {							\
		TH_LOG("%s", why_);						\
	}									\
} while (0)

FIXTURE_SETUP(v2)
{
	ASSERT_REALIZED(&self->m, true);
	self->initial = input_yes("HIDE") ? 0 : input_number("HPA", 0);
}

FIXTURE_TEARDOWN(v2)
{
	unrealize(&self->m);
}

/* When the guest's address map is known, before the first reset of the machine */
static void machine_done(struct machine *m, bool lock)
{
	uint32_t ctrl = guest_read(m, m->decoder + CXL_VFIO_HDM_CTRL);

	/* Firmware's lock is in the way of the guest's address */
	if (ctrl & LOCK)
		write_ctrl(m, ctrl & ~LOCK);
	write_base(m, WINDOW);
	ctrl = guest_read(m, m->decoder + CXL_VFIO_HDM_CTRL);
	if (lock)
		write_ctrl(m, ctrl | COMMIT | LOCK);
}

/* The guest tries to change what the VMM locked */
static void meddle(struct machine *m)
{
	write_base(m, NOWHERE);
	write_ctrl(m, COMMIT | COMMITTED);
	write_ctrl(m, 0);
	write_base(m, NOWHERE);
	guest_write(m, m->decoder + CXL_VFIO_HDM_SIZE_LOW, 0);
}

TEST_F(v2, client_finds_what_it_needs)
{
	struct machine *m = &self->m;
	struct vfio_region_info *info;
	uint64_t block = m->cm - CXL_VFIO_CM_OFFSET;

	EXPECT_EQ(T2DEV_COMP_BAR, m->bar);
	EXPECT_NE(m->hdm, m->comp);
	EXPECT_EQ(256ull << 20, m->size);
	/* The overlay ends behind the last decoder, and dwords alone are asked for */
	EXPECT_EQ(m->decoder + 0x20, m->cm + m->comp_size);
	EXPECT_LE(1u, areas_around_the_block(m));
	EXPECT_EQ(0, guest_read(m, m->cm + m->comp_size));
	EXPECT_EQ(0, guest_read(m, block));
	EXPECT_EQ(guest_read(m, m->cm), region_read32(&m->v, m->bar, m->cm));
	EXPECT_EQ(self->initial, guest_base(m));
	EXPECT_EQ(COMMIT | COMMITTED, guest_state(m) & ~LOCK);
	/* The client has device memory in the window, so that a BAR with it would be twice */
	info = vfio_region(&m->v, VFIO_PCI_BAR4_REGION_INDEX);
	ASSERT_NE(NULL, info);
	EXPECT_EQ(0, info->size);
	free(info);
}

TEST_F(v2, guest_finds_its_base_from_machine_start_to_the_end)
{
	struct machine *m = &self->m;

	machine_done(m, true);
	set_command(&m->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_DECODER(m, WINDOW, STATE);
	ASSERT_EQ(0, dma_map(&m->v, (void *)m->memory, WINDOW, m->size));
	EXPECT_TRUE(device_reaches_window(m, 1));

	TH_LOG("the reset that follows at once");
	ASSERT_EQ(0, reset_machine(m));
	EXPECT_DECODER(m, WINDOW, STATE);
	EXPECT_TRUE(device_reaches_window(m, 2));

	for (unsigned int boot = 1; boot < 4; boot++) {
		TH_LOG("reboot %u of the guest", boot);
		meddle(m);
		EXPECT_DECODER(m, WINDOW, STATE);
		ASSERT_EQ(0, reset_machine(m));
		EXPECT_DECODER(m, WINDOW, STATE);
		EXPECT_TRUE(device_reaches_window(m, boot));
	}

	TH_LOG("FLR by the guest");
	guest_flr(m);
	EXPECT_DECODER(m, WINDOW, STATE);
	TH_LOG("CXL reset by the guest");
	EXPECT_EQ(CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE, guest_cxl_reset(m));
	EXPECT_DECODER(m, WINDOW, STATE);
	TH_LOG("hot reset");
	EXPECT_EQ(0, hot_reset(m));
	set_command(&m->v, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	EXPECT_DECODER(m, WINDOW, STATE);
	meddle(m);
	EXPECT_DECODER(m, WINDOW, STATE);
	EXPECT_TRUE(device_reaches_window(m, 3));
}

/* The posting's own text has the VMM write BASE, and nothing else */
TEST_F(v2, guest_finds_a_base_that_is_not_locked)
{
	struct machine *m = &self->m;

	machine_done(m, false);
	ASSERT_EQ(0, reset_machine(m));
	EXPECT_DECODER(m, WINDOW, COMMIT | COMMITTED);
	EXPECT_EQ(CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE, guest_cxl_reset(m));
	EXPECT_DECODER(m, WINDOW, COMMIT | COMMITTED);

	TH_LOG("the guest decommits the decoder, and reboots");
	write_ctrl(m, 0);
	write_base(m, NOWHERE);
	EXPECT_EQ(0, guest_state(m));
	ASSERT_EQ(0, reset_machine(m));
	EXPECT_DECODER(m, WINDOW, COMMIT | COMMITTED);
	guest_flr(m);
	EXPECT_DECODER(m, WINDOW, COMMIT | COMMITTED);
}

TEST_F(v2, next_vmm_starts_from_the_state_at_bind)
{
	struct machine *m = &self->m;
	uint32_t state = guest_state(m);

	machine_done(m, true);
	ASSERT_EQ(0, reset_machine(m));
	EXPECT_DECODER(m, WINDOW, STATE);
	unrealize(m);
	ASSERT_REALIZED(m, true);
	set_command(&m->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_DECODER(m, self->initial, state);
	machine_done(m, true);
	ASSERT_EQ(0, reset_machine(m));
	EXPECT_DECODER(m, WINDOW, STATE);
}

/* Decoders that cannot be put back, until a later reset of the machine */
TEST_F(v2, guest_finds_its_base_after_the_device_was_lost)
{
	struct machine *m = &self->m;

	machine_done(m, true);
	ASSERT_EQ(0, reset_machine(m));
	ASSERT_EQ(0, system("t2ctl $DEVICE --lose=flr,cxl --misbehave=commit-stuck"));
	/* Found when Memory Space is on */
	EXPECT_EQ(0, reset_machine(m));
	EXPECT_EQ(0, guest_state(m));
	EXPECT_TRUE(raises_sigbus(m->memory, true));
	ASSERT_EQ(0, system("t2ctl $DEVICE restore"));
	ASSERT_EQ(0, reset_machine(m));
	EXPECT_DECODER(m, WINDOW, STATE);
}

FIXTURE(v3) {
	struct machine m;
	uint64_t initial;
};

FIXTURE_SETUP(v3)
{
	ASSERT_REALIZED(&self->m, false);
	self->initial = input_yes("HIDE") ? 0 : input_number("HPA", 0);
	set_command(&self->m.v, PCI_COMMAND_MEMORY, 0);
}

FIXTURE_TEARDOWN(v3)
{
	unrealize(&self->m);
}

/* The posting's smoke tests: what is where, and in which units it can be accessed */
TEST_F(v3, vmm_finds_what_the_posting_describes)
{
	struct machine *m = &self->m;
	struct cxl_vfio_device_info_cap_v3 *cap = vfio_cxl_cap(&m->v);
	uint8_t bytes[8];

	EXPECT_EQ(CXL_VFIO_CAP_V3_HOST_FIRMWARE_COMMITTED, cap->flags);
	EXPECT_LE(9u, m->hdm);
	EXPECT_LE(9u, m->comp);
	EXPECT_NE(m->hdm, m->comp);
	EXPECT_EQ(cap->comp_reg_size, m->comp_size);
	EXPECT_EQ(CXL_VFIO_COMP_BLOCK_SIZE, m->comp_size);
	EXPECT_LE(1u, areas_around_the_block(m));
	EXPECT_EQ(MAP_FAILED, region_map(&m->v, m->bar, m->comp_start, PAGE, PROT_READ));

	EXPECT_EQ(1, region_read32(&m->v, m->comp, CXL_VFIO_CM_OFFSET) & 0xffff);
	for (uint32_t at = 0; at < CXL_VFIO_CM_OFFSET; at += 4)
		ASSERT_EQ(0, region_read32(&m->v, m->comp, at));
	for (uint32_t at = m->decoder - m->comp_start + 0x20; at < m->comp_size; at += 4)
		ASSERT_EQ(0, region_read32(&m->v, m->comp, at));
	EXPECT_EQ(8, region_read(&m->v, m->comp, CXL_VFIO_CM_OFFSET, bytes, 8));
	EXPECT_EQ(-EINVAL, region_read(&m->v, m->comp, CXL_VFIO_CM_OFFSET + 2, bytes, 4));
	EXPECT_EQ(-EINVAL, region_write(&m->v, m->comp, CXL_VFIO_CM_OFFSET, bytes, 2));
	EXPECT_EQ(-EINVAL, region_read(&m->v, m->comp, m->comp_size, bytes, 4));
	EXPECT_EQ(1, region_read(&m->v, CONFIG, m->dvsec + CXL_VFIO_DVSEC_LOCK, bytes, 1));
	EXPECT_EQ(0, bytes[0] & 1);
	EXPECT_DECODER(m, self->initial, COMMIT | COMMITTED);
}

/* The posting's state machine of a decoder, as its smoke test writes CTRL */
TEST_F(v3, decoder_goes_through_the_states_of_the_posting)
{
	struct machine *m = &self->m;

	write_base(m, WINDOW);
	EXPECT_DECODER(m, self->initial, COMMIT | COMMITTED);
	write_ctrl(m, LOCK | COMMIT);
	EXPECT_DECODER(m, self->initial, COMMIT | COMMITTED);
	write_ctrl(m, 0);
	EXPECT_DECODER(m, self->initial, 0);
	write_ctrl(m, COMMIT);
	EXPECT_DECODER(m, self->initial, COMMIT | COMMITTED);
	write_ctrl(m, 0);
	write_base(m, WINDOW);
	write_ctrl(m, COMMIT | LOCK);
	EXPECT_DECODER(m, WINDOW, STATE);
	meddle(m);
	EXPECT_DECODER(m, WINDOW, STATE);
}

/* A VMM or guest of v3 programs decoders like hardware's, and again after each reboot */
TEST_F(v3, each_boot_of_the_guest_programs_the_decoder)
{
	struct machine *m = &self->m;

	ASSERT_EQ(0, dma_map(&m->v, (void *)m->memory, WINDOW, m->size));
	for (unsigned int boot = 0; boot < 3; boot++) {
		ASSERT_EQ(0, reset_machine(m));
		TH_LOG("boot %u of the guest", boot);
		EXPECT_DECODER(m, self->initial, COMMIT | COMMITTED);
		write_ctrl(m, 0);
		write_base(m, WINDOW);
		write_ctrl(m, COMMIT | LOCK);
		EXPECT_DECODER(m, WINDOW, STATE);
		EXPECT_TRUE(device_reaches_window(m, boot + 1));
		guest_flr(m);
		EXPECT_DECODER(m, WINDOW, STATE);
		EXPECT_EQ(CXL_VFIO_DVSEC_STATUS2_RST_COMPLETE, guest_cxl_reset(m));
		EXPECT_DECODER(m, WINDOW, STATE);
		EXPECT_TRUE(device_reaches_window(m, boot + 10));
	}
}

TEST_F(v3, next_vmm_starts_from_the_state_at_bind)
{
	struct machine *m = &self->m;

	write_ctrl(m, 0);
	write_base(m, WINDOW);
	write_ctrl(m, COMMIT | LOCK);
	EXPECT_DECODER(m, WINDOW, STATE);
	unrealize(m);
	ASSERT_REALIZED(m, false);
	set_command(&m->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_DECODER(m, self->initial, COMMIT | COMMITTED);
}

TEST_HARNESS_MAIN
