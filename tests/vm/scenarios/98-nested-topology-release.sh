# SPDX-License-Identifier: GPL-2.0-only
# The guest of 96-nested-topology.sh on the QEMU of the Debian release, which is older.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# guestqemu: release
# needs: nested_topology tools x86
# full: yes

. /src/tests/vm/guest/topology.sh
bdf=$(dev)
dir=/src/build/vm/release-qemu
load_kvm
check "the device binds" equal "$(bind "$bdf")" 0
topology_options "$bdf"
TOPOLOGY_QEMU=$dir/qemu-system-x86_64
# QEMU's own modules are of the other version
export QEMU_MODULE_DIR=/nowhere
version=$($TOPOLOGY_QEMU --version | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')
check "the QEMU is of another version than the one in PATH" \
	sh -c "echo $version && ! qemu-system-x86_64 --version | grep -q 'version $version'"
LABEL="QEMU ${version%.*}"
topology_boot -L $dir -L /usr/share/seabios "${qemu[@]}"
cat $NESTED/lines $NESTED/qemu.log
check "$LABEL: the table has moved the window" guest_says 'table: done$'
check "$LABEL: decoders and region of the guest are at the address of BAR 4" topology_is_at_the_bar start
topology_report 3
