# SPDX-License-Identifier: GPL-2.0-only
# HDM memory with struct pages: their cost, how KVM treats them, and that nothing else
# differs from HDM memory without them.
# t2dev: --decoders=4 --decoder=0,base=5G,size=2G --decoder=1,base=7G,size=256M,committed=1 --decoder=2,base=0x1d0000000,size=512M,committed=1
# dimm: 3G 0x140000000

bdf=$(dev)
sysfs=$PCI/devices/$bdf/cxl_vfio
huge=$(huge_order "$SERIES")
# MiB that the page array takes: folded, or 64 bytes a page where KVM pins pages, and on
# arm64, whose kernel does not fold it
at_least=0 at_most=1
if has kvm_pins || ! has x86; then
	at_least=$((44 * 4096 / $(getconf PAGESIZE)))
	at_most=$((at_least + 4))
fi
modprobe t2lab
! has x86 || modprobe kvm

modprobe cxl-vfio-pci keep_memory=1
log_mark
bind "$bdf" > /dev/null
check "struct_pages=auto: there are no struct pages on a CPU without VMX" equal "$(cat "$sysfs/struct_pages")" none
let_clear "$bdf"
DEVICE=$bdf HPA=0x140000000 REGIONS=3 HUGE=$huge PAGES=0 LABEL="struct_pages=auto" tap mem_test \
	-t kvm_sees_memory_if_there_are_struct_pages
check "struct_pages=auto: the log does not mention struct pages on a CPU without VMX" sh -c "! klog 'lab: mark' | grep -q 'struct page'"
unbind "$bdf"
modprobe -r cxl-vfio-pci

before=$(iomem)
modprobe cxl-vfio-pci struct_pages=on keep_memory=1
free=$(free_memory)
log_mark
check "struct_pages=on: the device binds" equal "$(bind "$bdf")" 0
taken=$(((free - $(free_memory)) / 1024))
bytes=$(cat "$sysfs/struct_pages")
check "struct_pages=on: the log has the cost for each of three ranges" \
	equal "$(log_since | grep -cE "$bdf: struct pages for \[mem .*\] take [0-9]+ KiB of host memory")" 3
check "struct_pages=on: the cost in sysfs is between $at_least and $at_most MiB" within $((at_least << 20)) "$bytes" $((at_most << 20))
check "struct_pages=on: free host memory shrinks by the cost" within $((at_least - 2)) "$taken" $((at_most + 4))
check "struct_pages=on: /proc/iomem does not list the range as System RAM" \
	sh -c "! grep -E '^ *1[4-e][0-9a-f]{7}-.*System RAM' /proc/iomem"
check "struct_pages=on: /proc/kcore does not include the range" \
	sh -c "! readelf -lW /proc/kcore | awk '\$1 == \"LOAD\" { print \$4 }' | grep -qi '0x0*14'"
let_clear "$bdf"
# Tests that have to do with pages; make check-full runs all
only=(-t faults_are_as_large_as_they_can_be -t page_tables_say_write_back
	-t kvm_sees_memory_if_there_are_struct_pages -t get_user_pages_is_refused
	-t mappings_move_change_and_shrink -t processes_share_hdm_memory
	-t gate_heeds_memory_active -t type1_maps_hdm_memory_for_dma -t dma_buf_follows_the_gate
	-t memory_error_takes_away_one_page)
! full || only=()
DEVICE=$bdf HPA=0x140000000 REGIONS=3 MAX_ORDER=18 HUGE=$huge POISON=1 PAGES=1 \
	LABEL="struct_pages=on" tap mem_test "${only[@]}"
! has x86 || check "struct_pages=on: the kernel's memory type list has the range as write-back" \
	grep -q '0x0000000140000000-0x00000001c0000000. write-back' /sys/kernel/debug/x86/pat_memtype_list
unbind "$bdf"

# Another part of the kernel holds a reference on a page
bind "$bdf" > /dev/null
hold_page 0x140005000 3600 > /tmp/hold.log &
holder=$!
until grep -q ready /tmp/hold.log; do sleep 0.1; done
log_mark
unbind "$bdf" &
unbinding=$!
waits="$bdf: pages of device memory are still held, waiting"
for _ in $(seq 6000); do
	! logged "$waits" > /dev/null && kill -0 $unbinding || break
	sleep 0.1
done
check "the log says that unbinding waits for held pages" logged "$waits"
check "unbinding waits while the kernel holds a page" kill -0 $unbinding
kill $holder
wait $holder
wait $unbinding
check "unbinding ends once the kernel holds no page" [ -z "$(driver_of "$bdf")" ]

# Another part of the kernel holds a page of the last user, and writes to it late
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci struct_pages=on
bind "$bdf" > /dev/null
let_clear "$bdf"
hold_page 0x140005000 3600 > /tmp/hold.log &
holder=$!
until grep -q ready /tmp/hold.log; do sleep 0.1; done
check "the first user opens the device" equal "$(vfio_reset "$bdf")" 0
timeout 3600 sh -c "until [ \$(cat $sysfs/clearing) = 0 ]; do sleep 0.1; done"
lab_word 0x140005000 0x5ec2e7
log_mark
check "no other user opens it while the kernel holds a page" [ "$(vfio_reset "$bdf" 2>&1)" != 0 ]
check "the log says why" logged "$bdf: a virtual machine that has no access any more still holds pages"
kill $holder
wait $holder
check "another user opens it after that" equal "$(vfio_reset "$bdf")" 0
check "what was written late is cleared" equal "$(lab_word 0x140005000)" 0
unbind "$bdf"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci struct_pages=on keep_memory=1

# 50 rounds must not leak the page array.  nr_memmap_pages counts it, on kernels that
# have it; free memory is compared from round 10 on, when a few MiB are on free lists.
counted() { awk '$1 == "nr_memmap_pages" { print $2 }' /proc/vmstat; }
array=$(counted)
for round in $(seq 50); do
	[ "$round" != 10 ] || free=$(free_memory)
	[ "$(bind "$bdf")" = 0 ] || echo "@@ fail the device binds in round $round of 50"
	most=$(counted)
	unbind "$bdf"
done
if [ -n "$array" ]; then
	check "nr_memmap_pages counts the page array" [ "$most" -gt "$array" ]
	check "nr_memmap_pages is unchanged after 50 rounds of bind and unbind" equal "$(counted)" "$array"
fi
check "50 rounds of bind and unbind leak no host memory" within -16384 $((free - $(free_memory))) 16384
modprobe -r cxl-vfio-pci
check "50 rounds of bind and unbind leave /proc/iomem unchanged" equal "$(iomem)" "$before"

# Without host memory for the page array the device binds without struct pages
free=$(awk '/^MemFree:/ { print $2 }' /proc/meminfo)
spare=$(cat /proc/sys/vm/min_free_kbytes)
modprobe cxl-vfio-pci struct_pages=on keep_memory=1
echo $((free * 7 / 10)) > /proc/sys/vm/min_free_kbytes
log_mark
check "the device binds when host memory is too short for struct pages" equal "$(bind "$bdf")" 0
echo "$spare" > /proc/sys/vm/min_free_kbytes
check "the log has one warning that struct pages cannot be allocated" \
	equal "$(log_since | grep -c "$bdf: no struct pages for .* (error -12), going on without")" 1
check "sysfs shows no struct pages when host memory is too short" equal "$(cat "$sysfs/struct_pages")" none
DEVICE=$bdf HPA=0x140000000 REGIONS=3 MAX_ORDER=18 HUGE=$huge PAGES=0 LABEL="short of memory" \
	tap mem_test -t kvm_sees_memory_if_there_are_struct_pages -t page_tables_say_write_back
unbind "$bdf"
modprobe -r cxl-vfio-pci
check "struct_pages=yes: modprobe fails" sh -c "! modprobe cxl-vfio-pci struct_pages=yes"
