# SPDX-License-Identifier: GPL-2.0-only
# The guest of 96-nested-topology.sh with OVMF, which places the BAR above 4 GiB.  Emulation
# inside emulation: with KVM in the emulated machine OVMF ends QEMU 11.1 with "assertion failed:
# (bql_locked())".
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# timeout: 10800
# needs: nested_topology tools x86
# full: yes

. /src/tests/vm/guest/topology.sh
bdf=$(dev)
check "the device binds" equal "$(bind "$bdf")" 0
topology_options "$bdf"
TOPOLOGY_APPEND=rescan
TOPOLOGY_ACCEL="tcg -cpu max,la57=off"
NESTED_TIMEOUT=7200 topology_boot "${qemu[@]}" -bios /usr/share/ovmf/OVMF.fd
topology_report 4
check "the table has moved the window" guest_says 'table: done$'
check "decoders and region are at the address of BAR 4" topology_is_at_the_bar start
check "after remove and rescan the region is at the address of BAR 4" topology_is_at_the_bar rescanned
grep -E '^guest: |PCI Bus|CXL Window' $NESTED/lines
