# SPDX-License-Identifier: GPL-2.0-only
# The guest of 96-nested-topology.sh with two devices, by the options that cxl-vfio prints for
# both.
# t2dev:
# t2dev: --decoder=0,base=0x130000000
# memmap: 256M$0x100000000,256M$0x130000000
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# needs: nested_topology tools x86
# full: yes

. /src/tests/vm/guest/topology.sh
load_kvm
check "the first device binds" equal "$(bind "$(dev)")" 0
check "the second device binds" equal "$(bind "$(dev 1)")" 0
topology_options "$(dev)" "$(dev 1)"
TOPOLOGY_APPEND=rescan
# The BARs of two devices are above 4 GiB, where SeaBIOS takes the last addresses that the processor
# has.  With 40 bits they are in a range that Linux reserves on AMD's processors
TOPOLOGY_ACCEL="kvm -cpu host,host-phys-bits-limit=39"
topology_boot "${qemu[@]}"
cat $NESTED/lines
check "QEMU prints nothing but warnings" sh -c "! grep -v ': warning: ' $NESTED/qemu.log"
check "the table has moved both windows" guest_says 'table: done, done$'
check "the guest's CXL stack has two memdevs and regions" guest_says 'start: bus .*mem0 mem1 .*region0 region1'
for moment in start rebound "after CXL reset" rescanned; do
	check "$moment: each device has a region and decoders at the address of its BAR 4" \
		topology_is_at_the_bar "$moment" 2
done
check "the guest resets both functions" equal "$(grep -c 'guest: function reset done' $NESTED/lines)" 2
check "the guest does a CXL reset of both devices" equal "$(grep -c 'guest: CXL reset done' $NESTED/lines)" 2
topology_report 8
check "the guest's kernel has no complaint" \
	sh -c "! grep -E 'ACPI (BIOS )?Error|WARNING|BUG:|Expanded resource' $NESTED/lines"
for n in 0 1; do
	check "device $n: the gate is closed after QEMU has ended" \
		equal "$(cat "$PCI/devices/$(dev $n)/cxl_vfio/gate")" closed
done
