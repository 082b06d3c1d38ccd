# SPDX-License-Identifier: GPL-2.0-only
# HDM memory with struct pages: what they cost, what KVM makes of them, and that
# nothing else is different.
# t2dev: --decoders=4 --decoder=0,base=5G,size=2G --decoder=1,base=7G,size=256M,committed=1 --decoder=2,base=0x1d0000000,size=512M,committed=1
# dimm: 3G 0x140000000

bdf=$(dev)
sysfs=$PCI/devices/$bdf/cxl_vfio
huge=$(huge_order "$SERIES")
# MiB that the page array takes: folded, or 64 bytes a page where KVM pins pages
at_least=0 at_most=1
! has kvm_pins || at_least=44 at_most=48
modprobe t2lab
modprobe kvm

modprobe cxl-vfio-pci keep_memory=1
log_mark
bind "$bdf" > /dev/null
check "struct_pages=auto: none where the CPU has no VMX" equal "$(cat "$sysfs/struct_pages")" none
let_clear "$bdf"
DEVICE=$bdf HPA=0x140000000 REGIONS=3 HUGE=$huge PAGES=0 tap mem_test \
	-t kvm_takes_it_for_memory_if_it_has_struct_pages
check "and nothing is said of them" sh -c "! klog 'lab: mark' | grep -q 'struct page'"
unbind "$bdf"
modprobe -r cxl-vfio-pci

before=$(iomem)
modprobe cxl-vfio-pci struct_pages=on keep_memory=1
free=$(free_memory)
log_mark
check "struct_pages=on: binding works" equal "$(bind "$bdf")" 0
taken=$(((free - $(free_memory)) / 1024))
bytes=$(cat "$sysfs/struct_pages")
check "the log tells what they cost, for each range" \
	equal "$(log_since | grep -cE "$bdf: struct pages for \[mem .*\] take [0-9]+ KiB of host memory")" 3
check "sysfs tells as well, in bytes" within $((at_least << 20)) "$bytes" $((at_most << 20))
check "and that is what is gone of the host's memory" within $((at_least - 2)) "$taken" $((at_most + 4))
check "the range is no System RAM" \
	sh -c "! grep -E '^ *1[4-e][0-9a-f]{7}-.*System RAM' /proc/iomem"
check "and no dump of the kernel's memory reads it" \
	sh -c "! readelf -lW /proc/kcore | awk '\$1 == \"LOAD\" { print \$4 }' | grep -qi '0x0*14'"
let_clear "$bdf"
# What has to do with pages; all of it by make check-full
only=(-t faults_are_as_large_as_they_can_be -t page_tables_say_write_back
	-t kvm_takes_it_for_memory_if_it_has_struct_pages -t get_user_pages_is_refused
	-t mappings_move_change_and_shrink -t processes_share_it -t gate_heeds_memory_active
	-t type1_maps_it_for_dma -t dma_buf_follows_the_gate -t memory_error_takes_one_page)
! full || only=()
DEVICE=$bdf HPA=0x140000000 REGIONS=3 MAX_ORDER=18 HUGE=$huge POISON=1 PAGES=1 \
	tap mem_test "${only[@]}"
check "the kernel's list has the range as write-back" \
	grep -q '0x0000000140000000-0x00000001c0000000. write-back' /sys/kernel/debug/x86/pat_memtype_list
unbind "$bdf"

# Someone in the kernel who has a page
bind "$bdf" > /dev/null
hold_page 0x140005000 4 > /tmp/hold.log &
holder=$!
until grep -q ready /tmp/hold.log; do sleep 0.1; done
log_mark
start=$SECONDS
unbind "$bdf"
check "unbinding waits while somebody has a page" within 2 $((SECONDS - start)) 60
check "and says so" logged "$bdf: pages of device memory are still held, waiting"
wait $holder

# Again and again: what the kernel counts, if it does, and what is free after ten
# rounds, of which it keeps a few MiB on its lists
counted() { awk '$1 == "nr_memmap_pages" { print $2 }' /proc/vmstat; }
array=$(counted)
for round in $(seq 50); do
	[ "$round" != 10 ] || free=$(free_memory)
	[ "$(bind "$bdf")" = 0 ] || echo "@@ fail binding again"
	most=$(counted)
	unbind "$bdf"
done
if [ -n "$array" ]; then
	check "the kernel counts the page array" [ "$most" -gt "$array" ]
	check "and none of it after 50 rounds of bind and unbind" equal "$(counted)" "$array"
fi
check "50 rounds take no memory for good" within -16384 $((free - $(free_memory))) 16384
modprobe -r cxl-vfio-pci
check "/proc/iomem is as it was" equal "$(iomem)" "$before"

# No memory to spare: as without, with one warning
free=$(awk '/^MemFree:/ { print $2 }' /proc/meminfo)
spare=$(cat /proc/sys/vm/min_free_kbytes)
modprobe cxl-vfio-pci struct_pages=on keep_memory=1
echo $((free * 7 / 10)) > /proc/sys/vm/min_free_kbytes
log_mark
check "without memory to spare it is bound as well" equal "$(bind "$bdf")" 0
echo "$spare" > /proc/sys/vm/min_free_kbytes
check "with one warning" \
	equal "$(log_since | grep -c "$bdf: no struct pages for .* (error -12), going on without")" 1
check "and none in sysfs" equal "$(cat "$sysfs/struct_pages")" none
DEVICE=$bdf HPA=0x140000000 REGIONS=3 MAX_ORDER=18 HUGE=$huge PAGES=0 tap mem_test \
	-t kvm_takes_it_for_memory_if_it_has_struct_pages -t page_tables_say_write_back
unbind "$bdf"
modprobe -r cxl-vfio-pci
check "a wrong value is refused" sh -c "! modprobe cxl-vfio-pci struct_pages=yes"
