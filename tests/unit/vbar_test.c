// SPDX-License-Identifier: GPL-2.0-only
/* The virtual BAR: its slots, its registers, its bytes */
#include "device.h"
#include "../../src/cxl_vfio.h"

#define MEMORY_ONLY	0x30000000ULL
#define BAR_SIZE	0x40000000ULL
#define POS(bar, at)	((loff_t)VFIO_PCI_INDEX_TO_OFFSET(bar) + (loff_t)(at))

static struct cxl_vfio_params params;
const struct cxl_vfio_params *const cxl_vfio_params = &params;

static struct cxl_vfio_abi abi;
static struct cxl_vfio_found found;
static struct cxl_vfio_device dev;
static struct cxl_vfio_hdm_mem mem;

/* Calls of other files */
static struct {
	unsigned int calls;
	char *buf;
	size_t count;
	u64 at;
	bool write;
	ssize_t ret;
} mem_rw;
static struct {
	unsigned int calls;
	struct vfio_region_sparse_mmap_area area;
	int ret;
} sparse;
static struct vfio_info_cap { int unused; } caps;
static struct {
	unsigned int calls;
	u64 addr;
} moved;

bool pci_ats_supported(struct pci_dev *pdev)
{
	return false;
}

void cxl_vfio_model_move_bar(struct cxl_vfio_device *d)
{
	assert_true(d == &dev && d->model.lock.taken);
	moved.calls++;
	moved.addr = d->vbar.addr;
}

ssize_t cxl_vfio_mem_rw(struct cxl_vfio_hdm_mem *m, char *buf, size_t count, u64 at, bool write)
{
	assert_ptr_equal(m, &mem);
	mem_rw.calls++;
	mem_rw.buf = buf;
	mem_rw.count = count;
	mem_rw.at = at;
	mem_rw.write = write;
	return mem_rw.ret;
}

int cxl_vfio_bar_add_sparse(struct vfio_info_cap *c,
			    const struct vfio_region_sparse_mmap_area *areas, unsigned int n)
{
	assert_ptr_equal(c, &caps);
	assert_int_equal(n, 1);
	sparse.calls++;
	sparse.area = *areas;
	return sparse.ret;
}

static int setup(void **state)
{
	unit_setup(state);
	memset(&dev, 0, sizeof(dev));
	memset(&mem, 0, sizeof(mem));
	memset(&mem_rw, 0, sizeof(mem_rw));
	memset(&sparse, 0, sizeof(sparse));
	memset(&moved, 0, sizeof(moved));
	memset(&unit.pdev.resource, 0, sizeof(unit.pdev.resource));
	abi.maps_hdm = false;
	found.bar = BAR;
	dev.found = &found;
	dev.abi = &abi;
	dev.core.pdev = &unit.pdev;
	dev.mem = &mem;
	mem.window = (struct cxl_vfio_window) {
		.dev = &dev, .phys = 0x1234500000000, .size = MEMORY_ONLY, .offset = 0x77,
		.mem = &mem,
	};
	params.vbar = VBAR_AUTO;
	return 0;
}

static void bind_at(unsigned int bar, u64 size)
{
	params.vbar = VBAR_SLOT_0 + bar / 2;
	mem.window.size = size;
	assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
	assert_int_equal(dev.vbar.bar, bar);
	unit.log[0] = 0;
}

/* Ways for a device to have a BAR in slot @bar */
enum { REGISTER, RESOURCE, BOTH, WAYS };

static void occupy(unsigned int bar, unsigned int way)
{
	if (way != RESOURCE)
		put32(PCI_BASE_ADDRESS_0 + 4 * bar, 0xc0000000);
	if (way != REGISTER)
		unit.pdev.resource[bar] = (struct resource) {
			.start = 0xc0000000, .size = 0x1000, .flags = IORESOURCE_MEM,
		};
}

static void vbar_takes_the_first_free_pair(void **state)
{
	for (unsigned int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		for (unsigned int way = 0; way < WAYS; way++) {
			setup(state);
			occupy(bar, way);
			assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
			assert_int_equal(dev.vbar.bar, bar < 2 ? 2 : 0);
			/* With slot 0 gone as well */
			occupy(0, way);
			assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
			assert_int_equal(dev.vbar.bar, bar == 2 || bar == 3 ? 4 : 2);
		}
	}
}

/*
 * A 64-bit BAR below 4 GiB that starts at register @bar: the upper register reads 0 and has
 * no resource.  The type is in the register, in the resource or in both.
 */
static void occupy_64(unsigned int bar, unsigned int way)
{
	put32(PCI_BASE_ADDRESS_0 + 4 * bar, way == RESOURCE ? 0 : 0xc000000c);
	if (way != REGISTER)
		unit.pdev.resource[bar] = (struct resource) {
			.start = 0xc0000000, .size = 0x1000,
			.flags = IORESOURCE_MEM | IORESOURCE_MEM_64,
		};
}

static void vbar_leaves_the_upper_half_of_a_64_bit_bar_alone(void **state)
{
	for (unsigned int way = 0; way < WAYS; way++) {
		for (unsigned int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
			setup(state);
			occupy_64(bar, way);
			assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
			assert_int_equal(dev.vbar.bar, bar == 0 ? 2 : bar == 1 ? 4 : 0);
			for (unsigned int slot = 0; slot < PCI_STD_NUM_BARS; slot += 2) {
				bool used = slot / 2 == bar / 2 || slot == bar + 1;

				params.vbar = VBAR_SLOT_0 + slot / 2;
				assert_int_equal(cxl_vfio_vbar_bind(&dev), used ? -EEXIST : 0);
			}
		}
		/* A large GPU has BARs 0, 1+2 and 3+4 */
		setup(state);
		occupy(0, way);
		occupy_64(1, way);
		occupy_64(3, way);
		assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
		assert_true(dev.vbar.bar == VBAR_NONE);
	}
}

/* Bits 2:1 are a type in registers of memory BARs alone */
static void vbar_may_follow_a_32_bit_or_io_bar(void **state)
{
	static const u32 registers[] = { 0xc0000000, 0xc0000008, 0xc0000002, 0xe005, 0xe00d };

	for (unsigned int i = 0; i < ARRAY_SIZE(registers); i++) {
		setup(state);
		put32(PCI_BASE_ADDRESS_1, registers[i]);
		assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
		assert_int_equal(dev.vbar.bar, 2);
	}
}

static void vbar_is_absent_without_a_free_pair(void **state)
{
	occupy(1, RESOURCE);
	occupy(2, REGISTER);
	occupy(5, RESOURCE);
	assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
	assert_true(dev.vbar.bar == VBAR_NONE);
	assert_logged("no free pair of BARs");
	/* A 64-bit BAR cannot begin at the last register, but a device may say so */
	occupy_64(5, BOTH);
	assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
	assert_true(dev.vbar.bar == VBAR_NONE);
}

static void vbar_takes_the_slot_that_the_parameter_names(void **state)
{
	for (unsigned int bar = 0; bar < PCI_STD_NUM_BARS; bar += 2) {
		setup(state);
		params.vbar = VBAR_SLOT_0 + bar / 2;
		for (unsigned int other = 0; other < PCI_STD_NUM_BARS; other++)
			if (other / 2 != bar / 2)
				occupy(other, BOTH);
		assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
		assert_int_equal(dev.vbar.bar, bar);
	}
}

static void vbar_refuses_a_slot_with_a_bar_of_the_device(void **state)
{
	char text[64];

	for (unsigned int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		for (unsigned int way = 0; way < WAYS; way++) {
			setup(state);
			params.vbar = VBAR_SLOT_0 + bar / 2;
			occupy(bar, way);
			assert_int_equal(cxl_vfio_vbar_bind(&dev), -EEXIST);
			assert_true(dev.vbar.bar == VBAR_NONE);
			snprintf(text, sizeof(text), "vbar=%u: the device has a BAR of its own",
				 bar & ~1);
			assert_logged(text);
		}
	}
}

static void vbar_takes_no_slot_of_a_device_that_is_gone(void **state)
{
	unit.gone = true;
	assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
	assert_true(dev.vbar.bar == VBAR_NONE);
}

static void vbar_can_be_turned_off(void **state)
{
	params.vbar = VBAR_OFF;
	assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
	assert_true(dev.vbar.bar == VBAR_NONE);
	assert_nothing_logged();
}

/* Such a VMM has the memory at an address of its own; a BAR that is asked for is made */
static void vbar_is_not_chosen_for_vmms_that_map_the_hdm_region(void **state)
{
	abi.maps_hdm = true;
	assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
	assert_true(dev.vbar.bar == VBAR_NONE);
	assert_nothing_logged();
	bind_at(4, MEMORY_ONLY);
	/* Without component registers it does not know that there is memory */
	found.bar = CXL_VFIO_BAR_NONE;
	params.vbar = VBAR_AUTO;
	assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
	assert_int_equal(dev.vbar.bar, 0);
}

static void vbar_has_the_next_power_of_two_as_its_size(void **state)
{
	static const struct {
		u64 memory, bar;
		const char *log;
	} cases[] = {
		{ 0x10000000, 0x10000000, "256 MiB of device memory in 256 MiB" },
		{ 0x30000000, 0x40000000, "768 MiB of device memory in 1024 MiB" },
		{ 0x110000000, 0x200000000, "4352 MiB of device memory in 8192 MiB" },
	};
	char text[100];

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(state);
		occupy(0, BOTH);
		mem.window.size = cases[i].memory;
		assert_int_equal(cxl_vfio_vbar_bind(&dev), 0);
		assert_true(dev.vbar.size == cases[i].bar);
		snprintf(text, sizeof(text), "virtual BAR 2: %s", cases[i].log);
		assert_logged(text);
		assert_true(dev.vbar.window.size == cases[i].memory);
		assert_true(dev.vbar.window.phys == mem.window.phys);
		assert_true(dev.vbar.window.offset == POS(2, 0));
		assert_ptr_equal(dev.vbar.window.mem, &mem);
		assert_ptr_equal(dev.vbar.window.dev, &dev);
	}
}

static u64 registers(void)
{
	u8 b[8];
	u64 val;

	cxl_vfio_vbar_config(&dev, 0, b, 8, false);
	memcpy(&val, b, 8);
	return val;
}

/* A 64-bit prefetchable memory BAR, PCIe 6.0 7.5.1.2.1: type bits 1100b are read-only */
static void vbar_registers_have_an_address_and_a_type(void **state)
{
	static const u64 sizes[] = { 0x10000000, 0x30000000, 0x110000000, 0x1000000000 };
	u8 ones[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, zeros[8] = {};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		bind_at(2, sizes[i]);
		cxl_vfio_vbar_config(&dev, 0, zeros, 8, true);
		assert_true(registers() == 0xc);
		cxl_vfio_vbar_config(&dev, 0, ones, 8, true);
		assert_true(registers() == (~(dev.vbar.size - 1) | 0xc));
		assert_true(dev.vbar.addr == ~(dev.vbar.size - 1));
		cxl_vfio_vbar_reset(&dev);
		assert_true(registers() == 0xc);
		assert_true(dev.vbar.addr == 0);
	}
}

static void vbar_writes_and_resets_move_the_decoders(void **state)
{
	u8 upper = 0x12;

	bind_at(2, 0x10000000);
	registers();
	assert_int_equal(moved.calls, 0);
	cxl_vfio_vbar_config(&dev, 4, &upper, 1, true);
	assert_int_equal(moved.calls, 1);
	assert_true(moved.addr == 0x1200000000);
	cxl_vfio_vbar_reset(&dev);
	assert_int_equal(moved.calls, 2);
	assert_true(moved.addr == 0);
}

static void vbar_registers_take_accesses_of_any_size(void **state)
{
	for (unsigned int at = 0; at < 8; at++) {
		for (unsigned int n = 1; n <= 8 - at; n++) {
			u8 buf[8] = { 0x91, 0x82, 0x73, 0x64, 0x55, 0x46, 0x37, 0x28 };
			u64 expected = 0x0123456780000000;
			u8 all[8], part[10];

			bind_at(4, 0x10000000);
			memcpy(all, &expected, 8);
			cxl_vfio_vbar_config(&dev, 0, all, 8, true);
			cxl_vfio_vbar_config(&dev, at, buf, n, true);
			memcpy((u8 *)&expected + at, buf, n);
			expected = (expected & 0xfffffffff0000000) | 0xc;
			assert_true(registers() == expected);

			memset(part, 0x5a, sizeof(part));
			cxl_vfio_vbar_config(&dev, at, part + 1, n, false);
			assert_memory_equal(part + 1, (u8 *)&expected + at, n);
			assert_int_equal(part[0], 0x5a);
			assert_int_equal(part[n + 1], 0x5a);
		}
	}
}

static void vbar_accesses_of_memory_go_to_the_memory(void **state)
{
	char buf[16];

	bind_at(4, MEMORY_ONLY);
	for (int write = 0; write < 2; write++) {
		static const u64 places[] = { 0, 0x1230, MEMORY_ONLY - 1 };

		for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
			ssize_t done = i ? 7 : 1;
			loff_t pos = POS(4, places[i]);

			mem_rw.ret = done;
			assert_int_equal(cxl_vfio_vbar_rw(&dev, buf, 16, &pos, write), done);
			assert_true(pos == POS(4, places[i] + done));
			assert_ptr_equal(mem_rw.buf, buf);
			assert_int_equal(mem_rw.count, 16);
			assert_true(mem_rw.at == places[i]);
			assert_int_equal(mem_rw.write, write);
			/* An error moves nothing, nor does an access that did nothing */
			for (mem_rw.ret = -EIO; mem_rw.ret <= 0; mem_rw.ret += EIO) {
				pos = POS(4, places[i]);
				assert_int_equal(cxl_vfio_vbar_rw(&dev, buf, 16, &pos, write),
						 mem_rw.ret);
				assert_true(pos == POS(4, places[i]));
			}
			assert_int_equal(mem_rw.calls, 3);
			mem_rw.calls = 0;
		}
	}
}

/* Between the end of the memory and the end of the BAR all bytes are ones */
static void vbar_past_the_memory_reads_ones_and_drops_writes(void **state)
{
	static const size_t counts[] = { 1, 8, 63, 64, 65, 128, 200 };
	u8 buf[202];

	bind_at(4, MEMORY_ONLY);
	for (unsigned int i = 0; i < ARRAY_SIZE(counts); i++) {
		loff_t pos = POS(4, MEMORY_ONLY);

		memset(buf, 0x5a, sizeof(buf));
		assert_int_equal(cxl_vfio_vbar_rw(&dev, (char *)buf + 1, counts[i], &pos, true),
				 counts[i]);
		assert_true(pos == POS(4, MEMORY_ONLY + counts[i]));
		for (unsigned int b = 0; b < sizeof(buf); b++)
			assert_int_equal(buf[b], 0x5a);
		assert_int_equal(cxl_vfio_vbar_rw(&dev, (char *)buf + 1, counts[i], &pos, false),
				 counts[i]);
		assert_true(pos == POS(4, MEMORY_ONLY + 2 * counts[i]));
		for (unsigned int b = 0; b < sizeof(buf); b++)
			assert_int_equal(buf[b], b < 1 || b > counts[i] ? 0x5a : 0xff);
	}
	assert_int_equal(mem_rw.calls, 0);
}

static void vbar_accesses_end_with_the_bar(void **state)
{
	loff_t pos;
	char buf[200];

	bind_at(4, MEMORY_ONLY);
	for (int write = 0; write < 2; write++) {
		pos = POS(4, BAR_SIZE - 100);
		assert_int_equal(cxl_vfio_vbar_rw(&dev, buf, 200, &pos, write), 100);
		assert_true(pos == POS(4, BAR_SIZE));
		assert_int_equal(cxl_vfio_vbar_rw(&dev, buf, 1, &pos, write), -EINVAL);
		assert_true(pos == POS(4, BAR_SIZE));
		pos = POS(4, BAR_SIZE - 1);
		assert_int_equal(cxl_vfio_vbar_rw(&dev, buf, 200, &pos, write), 1);
	}
}

static void vbar_reads_to_unmapped_user_memory_fail(void **state)
{
	loff_t pos = POS(4, MEMORY_ONLY);
	char buf[200];

	bind_at(4, MEMORY_ONLY);
	unit.unmapped = buf + 150;
	assert_int_equal(cxl_vfio_vbar_rw(&dev, buf, 200, &pos, false), -EFAULT);
	assert_int_equal(cxl_vfio_vbar_rw(&dev, buf, 200, &pos, true), 200);
}

static void vbar_region_is_mappable_where_it_has_memory(void **state)
{
	struct vfio_region_info info = {};

	bind_at(4, MEMORY_ONLY);
	sparse.ret = -ENOMEM;
	assert_int_equal(cxl_vfio_vbar_region_info(&dev, &info, &caps), -ENOMEM);
	sparse.ret = 0;
	assert_int_equal(cxl_vfio_vbar_region_info(&dev, &info, &caps), 0);
	assert_int_equal(sparse.calls, 2);
	assert_true(sparse.area.offset == 0 && sparse.area.size == MEMORY_ONLY);
	assert_true(info.offset == (u64)POS(4, 0) && info.size == BAR_SIZE);
	assert_int_equal(info.flags, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
			 VFIO_REGION_INFO_FLAG_MMAP);

	/* A BAR that is all memory needs no list of areas */
	bind_at(2, 0x20000000);
	assert_int_equal(cxl_vfio_vbar_region_info(&dev, &info, &caps), 0);
	assert_int_equal(sparse.calls, 2);
	assert_true(info.offset == (u64)POS(2, 0) && info.size == 0x20000000);
}

#define CASE(fn)	cmocka_unit_test_setup(fn, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(vbar_takes_the_first_free_pair),
		CASE(vbar_leaves_the_upper_half_of_a_64_bit_bar_alone),
		CASE(vbar_may_follow_a_32_bit_or_io_bar),
		CASE(vbar_is_absent_without_a_free_pair),
		CASE(vbar_takes_the_slot_that_the_parameter_names),
		CASE(vbar_refuses_a_slot_with_a_bar_of_the_device),
		CASE(vbar_takes_no_slot_of_a_device_that_is_gone),
		CASE(vbar_can_be_turned_off),
		CASE(vbar_is_not_chosen_for_vmms_that_map_the_hdm_region),
		CASE(vbar_has_the_next_power_of_two_as_its_size),
		CASE(vbar_registers_have_an_address_and_a_type),
		CASE(vbar_writes_and_resets_move_the_decoders),
		CASE(vbar_registers_take_accesses_of_any_size),
		CASE(vbar_accesses_of_memory_go_to_the_memory),
		CASE(vbar_past_the_memory_reads_ones_and_drops_writes),
		CASE(vbar_accesses_end_with_the_bar),
		CASE(vbar_reads_to_unmapped_user_memory_fail),
		CASE(vbar_region_is_mappable_where_it_has_memory),
	};

	return cmocka_run_group_tests_name("vbar", tests, NULL, NULL);
}
