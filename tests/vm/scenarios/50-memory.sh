# SPDX-License-Identifier: GPL-2.0-only
# HDM memory as a user sees it, with three regions and pages of every size: mem_test.c
# has the expectations.
# t2dev: --decoders=4 --decoder=0,base=5G,size=2G --decoder=1,base=7G,size=256M,committed=1 --decoder=2,base=0x1d0000000,size=512M,committed=1
# t2dev: --decoder=0,base=8G,size=64G
# memmap: 3G$5G,64G$8G
# mem: 72G

bdf=$(dev)
huge=$(huge_order "$SERIES")
types=/sys/kernel/debug/x86/pat_memtype_list
poison=0
! has memory_errors || poison=1
modprobe t2lab
! has x86 || modprobe kvm
# No limit, the pages of one page table, and single pages
case $(getconf PAGESIZE) in
16384) table=11 ;;
65536) table=13 ;;
*) table=9 ;;
esac
for order in 18 $table 0; do
	modprobe cxl-vfio-pci max_order=$order keep_memory=1
	check "the device binds with max_order=$order" equal "$(bind "$bdf")" 0
	# Tests that do not depend on the size of pages run once
	only=()
	[ $order = 18 ] || only=(-t faults_are_as_large_as_they_can_be -t page_tables_say_write_back
		-t a_fault_maps_pages_around_it_at_any_alignment -t sub_ranges_show_the_right_bytes)
	let_clear "$bdf"
	DEVICE=$bdf HPA=0x140000000 REGIONS=3 MAX_ORDER=$order HUGE=$huge POISON=$poison RAW_RAM=1 \
		LABEL="max_order=$order" tap mem_test "${only[@]}"
	if has x86; then
		check "max_order=$order: the kernel's memory type list has the range as write-back" \
			grep -q '0x0000000140000000-0x00000001c0000000. write-back' "$types"
		check "max_order=$order: the list has no other type for the range" \
			sh -c "! grep -v write-back $types | grep -E 'mem 0x00000001[4-f][0-9a-f]{7}-'"
	fi
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
done

# MTRRs that make the range uncached cause a warning, not a refusal
if has x86; then
	echo 'base=0x140000000 size=0x40000000 type=uncachable' > /proc/mtrr
	modprobe cxl-vfio-pci keep_memory=1
	log_mark
	check "a device whose memory the MTRRs make uncached binds" equal "$(bind "$bdf")" 0
	check "uncached MTRR: the log has a warning" logged "HDM decoder 0: the platform maps .mem 0x140000000-0x1bfffffff. other than write-back"
	check "uncached MTRR: the log has the warning once" equal "$(log_since | grep -c 'other than write-back')" 1
	unbind "$bdf"
	reg=$(grep -n 'base=0x140000000' /proc/mtrr | cut -d: -f2)
	echo "disable=${reg#reg}" > /proc/mtrr
else
	skip "MTRRs and the kernel's list of memory types are of x86"
	modprobe cxl-vfio-pci keep_memory=1
fi

# A memory error that the driver has no memory to note
if has memory_errors; then
	check "the device binds again" equal "$(bind "$bdf")" 0
	log_mark
	DEVICE=$bdf HPA=0x140000000 NO_MEMORY=1 LABEL="no host memory" tap mem_test \
		-t memory_error_without_host_memory_closes_the_gate
	check "the log says that the error could not be noted" \
		logged "$bdf: memory error at 0x140900000, and no host memory to note it"
	unbind "$bdf"
	check "the device binds after the unbind" equal "$(bind "$bdf")" 0
	let_clear "$bdf"
	check "after that the gate is not poisoned" \
		sh -c "! grep -qw poisoned $PCI/devices/$bdf/cxl_vfio/holds"
	unbind "$bdf"
fi
