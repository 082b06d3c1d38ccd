# SPDX-License-Identifier: GPL-2.0-only
# Every way to reset the device, with a device that keeps its decoders and one that loses
# them, with and without struct pages: reset_test.c has the expectations.

bdf=$(dev)
try() { # lose pages
	local label="decoders kept"

	[ "$1" = N ] || label="decoders lost"
	label="$label, struct_pages=$2"
	[ "$1" = N ] || t2ctl "$bdf" --lose=flr,cxl,bus,d3
	modprobe cxl-vfio-pci keep_memory=1 "struct_pages=$2"
	check "the device binds ($label)" \
		equal "$(bind "$bdf")" 0
	DEVICE=$bdf LOSE=$1 KEEP=Y LABEL="$label" tap reset_test
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
	# With keep_memory=N, which takes time at each open
	bind "$bdf" > /dev/null
	DEVICE=$bdf LOSE=$1 LABEL="$label, keep_memory=N" tap reset_test -t a_device_closed_in_low_power_wakes_up_for_the_next_user
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
	t2ctl "$bdf" restore
}

try N off
try Y on
! full || try N on
! full || try Y off

# A device that fails is logged with one line for each reset
bind "$bdf" >/dev/null
for case in "--lose=flr,cxl --misbehave=commit-stuck|HDM decoder 0: CTRL reads 0x[0-9a-f]*, the decoder does not commit again" \
	"--misbehave=reset-resizes|HDM decoder 0: locked with settings that differ from bind time" \
	"--misbehave=reset-gone|is the device gone|not in the capability chain" \
	"--misbehave=reset-hangs|CXL reset does not complete" \
	"--misbehave=reset-error|CXL reset reports an error"; do
	# shellcheck disable=SC2086 # one option a word
	t2ctl "$bdf" ${case%%|*}
	log_mark
	vfio_reset "$bdf" >/dev/null 2>&1
	check "${case%%|*}: the log says why the reset fails" logged "$bdf: .*${case#*|}"
	# The resets at open, by the user and at close fail, and each is logged once
	check "${case%%|*}: the driver logs no other line than one for each reset" \
		sh -c "n=\$(klog 'lab: mark $$' | grep '$OURS $bdf: ' |
			grep -cvE 'resetting|reset done|vfio_ecap_init|can.t reserve|${case#*|}'); [ \$n = 0 ]"
	t2ctl "$bdf" restore
done
unbind "$bdf"

# The next bind finds what the first one found, also after a reset that failed, or one at
# the last close that nothing looked after yet
found() { cat "$PCI/devices/$bdf/cxl_vfio/decoders" 2>&1; }
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci reset_method=cxl
bind "$bdf" > /dev/null
before=$(found)
for fault in --misbehave=reset-error --misbehave=reset-hangs --lose=flr; do
	t2ctl "$bdf" restore
	t2ctl "$bdf" $fault
	vfio_reset "$bdf" > /dev/null 2>&1
	log_mark
	unbind "$bdf"
	check "$fault: the driver has no complaint at the unbind" sh -c "! klog 'lab: mark $$' | grep '$bdf: unbound without'"
	check "$fault: the device binds again after the unbind" equal "$(bind "$bdf")" 0
	check "$fault: the bind finds the decoders of before" equal "$(found)" "$before"
done
t2ctl "$bdf" --misbehave=commit-error
vfio_reset "$bdf" > /dev/null 2>&1
log_mark
unbind "$bdf"
check "--misbehave=commit-error: the log of the unbind says what to do" \
	logged "$bdf: unbound without the memory that firmware had set up \(-5\): reboot"
check "--misbehave=commit-error: the next bind finds no memory" equal "$(bind "$bdf")" ENODATA
echo > "$PCI/devices/$bdf/driver_override"
t2ctl "$bdf" restore
