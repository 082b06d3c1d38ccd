# SPDX-License-Identifier: GPL-2.0-only
# Who waits at the gate and who is refused: gate_test.c.  What resets lose by part, and
# devices whose enables are off when they are first seen: lose_test.c.

bdf=$(dev)
modprobe t2lab
modprobe cxl-vfio-pci keep_memory=1
check "the device binds with keep_memory=1" equal "$(bind "$bdf")" 0
DEVICE=$bdf tap gate_test
DEVICE=$bdf tap lose_test
unbind "$bdf"

# What is off when the device is first seen: refused, or turned on
sound() { # errno
	[ "$1" != 0 ] ||
		DEVICE=$bdf gate_test -t enables_are_on_while_memory_can_be_touched
}
for case in --control=2 --control=3 --global-control=0; do
	t2ctl "$bdf" $case
	errno=$(bind "$bdf")
	check "$case when bound: it is refused, or works with the enables on ($errno)" sound "$errno"
	[ -z "$(driver_of "$bdf")" ] || unbind "$bdf"
	t2ctl "$bdf" restore
done
t2ctl "$bdf" --control=2 --config-lock=1
log_mark
check "CXL.mem off and locked when bound: it is refused" [ "$(bind "$bdf")" != 0 ]
check "CXL.mem off and locked when bound: the log names CONTROL" logged "$bdf: .*CONTROL"
[ -z "$(driver_of "$bdf")" ] || unbind "$bdf"
t2ctl "$bdf" restore

# Bits of CONTROL other than the enables are as firmware set them after a reset
control() {
	local at

	at=$(lspci -vv -s "$bdf" | sed -n 's/.*Capabilities: \[\([0-9a-f]*\) .*Vendor=1e98 ID=0000 .*/\1/p')
	od -An -tx2 -j $((0x$at + 0xc)) -N 2 "$PCI/devices/$bdf/config" | tr -d ' '
}
t2ctl "$bdf" --control=0x0a07
check "the device binds with snoop filter settings in CONTROL" equal "$(bind "$bdf")" 0
check "a CXL reset and FLR succeed" equal "$(vfio_reset "$bdf")" 0
check "snoop filter settings in CONTROL are put back after the reset" equal "$(control)" 0a07
unbind "$bdf"
t2ctl "$bdf" restore

# A lock in hardware that drops what the driver puts back is in the log, once a reset
check "the device binds with keep_memory=1" equal "$(bind "$bdf")" 0
t2ctl "$bdf" --lose=flr,cxl --lose-what=enables --config-lock=1
log_mark
vfio_reset "$bdf" > /dev/null 2>&1
check "the log names CONTROL, which is locked" logged "$bdf: .*CONTROL"
check "the log has one line for a reset that CONFIG_LOCK spoils" \
	sh -c "n=\$(klog 'lab: mark $$' | grep '$OURS $bdf: ' |
		grep -cvE 'resetting|reset done|vfio_ecap_init|can.t reserve|CONTROL'); [ \$n = 0 ]"
t2ctl "$bdf" restore
unbind "$bdf"

# Unbinding does not wait for memory that never becomes active, which may take 256 s
check "the device binds with keep_memory=1" equal "$(bind "$bdf")" 0
t2ctl "$bdf" --misbehave=reset-inactive --active-timeout=4
echo 1 > "$PCI/devices/$bdf/reset"
sleep 1
start=$SECONDS
unbind "$bdf"
check "unbinding does not wait for memory to become active" within 0 $((SECONDS - start)) 150
t2ctl "$bdf" restore
