# SPDX-License-Identifier: GPL-2.0-only
# A guest of two processors: one writes to config space, then resets the device, again
# and again, while the other uses device memory.  A minute of the guest's own clock.  The
# guest is a program without interrupts and locks, from guest/storm: on a busy host a
# Linux guest now and then stands still here, with both processors waiting for one lock.
# cpu: EPYC-v4,+svm,+npt
# smp: 2
# needs: nested x86
# full: yes

if has debug; then
	skip "a nested guest of two processors takes too long on the debug kernel"
	return
fi
. /src/tests/vm/guest/nested.sh
bdf=$(dev)
load_kvm
check "this machine has KVM" [ -c /dev/kvm ]
check "the device binds" equal "$(bind "$bdf")" 0
NESTED_KERNEL=$(command -v storm-guest)
NESTED_APPEND=storm=60
NESTED_SMP=2
nested_boot "$bdf" kvm -cpu host
nested_report
grep ' times, ' $NESTED/console.log
check "QEMU has no complaint" sh -c "! grep -v ': warning: ' $NESTED/qemu.log"
