# SPDX-License-Identifier: GPL-2.0-only
# A guest gets 64 GiB of HDM memory as a BAR, by the options that cxl-vfio prints and no
# others.  Firmware finds the room for it.  With OVMF it is emulation inside emulation, see
# 98-nested-topology-ovmf.sh.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# t2dev: --decoder=0,base=8G,size=64G
# memmap: 64G$8G
# mem: 72G
# timeout: 10800
# needs: nested_topology large tools x86
# full: yes

. /src/tests/vm/guest/nested.sh
bdf=$(dev)
load_kvm
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
modprobe cxl-vfio-pci keep_memory=1
check "a device with 64 GiB binds" equal "$(bind "$bdf")" 0
eval "options=($(cxl-vfio qemu "$bdf"))"
# The guest lets the host count pages before it resets the function, which takes them away
NESTED_APPEND+=" t2guest.size_mib=65536 t2guest.linger=30"

# The largest number of pages of 1 GiB that KVM has mapped at a time
count_pages() {
	local n max=0

	while sleep 1; do
		n=$(cat /sys/kernel/debug/kvm/pages_1g)
		[ "${n:-0}" -le $max ] || max=$n
		echo $max > /tmp/pages_1g
	done
}

try() { # what accel qemu-options...
	echo "== $1"
	rm -f $NESTED/console.log
	nested_run "${@:2}" "${options[@]}"
	nested_report
	check "$1: lspci in the guest shows 64 GiB as BAR 4" \
		nested_shows 'Region 4: Memory at .* \(64-bit, prefetchable\) .*\[size=64G\]'
	grep -h 'Region 4' $NESTED/console.log
}

count_pages &
counter=$!
try SeaBIOS kvm -cpu host
kill $counter
check "KVM has mapped all of the memory in pages of 1 GiB" equal "$(cat /tmp/pages_1g)" 64
NESTED_TIMEOUT=7200 try OVMF tcg -cpu max,la57=off -bios /usr/share/ovmf/OVMF.fd
