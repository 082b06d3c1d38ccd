# SPDX-License-Identifier: GPL-2.0-only
# cxl-vfio check boots a guest with the device, and reports what the guest says.
# full: yes
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# mem: 5G
# needs: nested tools newest x86

. /src/tests/vm/guest/nested.sh
bdf=$(dev)
load_kvm
check "/dev/kvm exists" [ -c /dev/kvm ]
setpci -s "$bdf" COMMAND=2:2
cd /tmp || return
mkdir -p $NESTED image
nested_make
ln -s "$(nested_kernel)" image/vmlinuz
ln -s $NESTED/initrd image/initrd

# Run a check with words for the guest's kernel, which are its environment too
run() { # words
	echo "$NESTED_APPEND only-lspci $1" > image/cmdline
	cxl-vfio check --yes --rounds=1 --guest=image --guest-time=1500 "$bdf" > check.log 2>&1
	echo $?
}
has_line() { # regex
	grep -qE "$1" check.log && return
	cat check.log guest-qemu.log
	tail -n 20 guest.log
	return 1
}

check "a guest with the memory as a BAR: cxl-vfio check ends with status 0" equal "$(run "")" 0
check "a guest with the memory as a BAR: the line guest is ok" \
	has_line '^ok +guest +the guest boots with the device and says ok'
check "guest.log has the guest's serial line" grep -q '^guest: finished' guest.log
check "QEMU prints nothing but warnings" sh -c "! grep -v ': warning: \|terminating on signal' guest-qemu.log"
check "a guest without it: cxl-vfio check ends with status 1" equal "$(run want=nothing)" 1
check "a guest without it: the line guest has the guest's reason" \
	has_line '^FAIL +guest +the guest says: FAIL no BAR for the memory'
check "a guest without it: no other line fails" has_line '^FAILED: [0-9]+ ok, 1 failed'
cd / || return
