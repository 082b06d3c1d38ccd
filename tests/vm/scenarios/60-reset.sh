# SPDX-License-Identifier: GPL-2.0-only
# Every way to reset the device, with one that keeps its decoders and with one
# that loses them, and with struct pages and without: reset_test.c says what must be
# left.

bdf=$(dev)
try() { # lose pages
	[ "$1" = N ] || t2ctl "$bdf" --lose=flr,cxl,bus,d3
	modprobe cxl-vfio-pci keep_memory=1 "struct_pages=$2"
	check "binding works, the device loses its decoders: $1, struct pages: $2" \
		equal "$(bind "$bdf")" 0
	DEVICE=$bdf LOSE=$1 KEEP=1 tap reset_test
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
	# Not kept, which takes time at each open
	bind "$bdf" > /dev/null
	DEVICE=$bdf LOSE=$1 tap reset_test -t closed_in_low_power
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
	t2ctl "$bdf" restore
}

try N off
try Y on
! full || try N on
! full || try Y off

# What the log says of devices that fail, one line each
bind "$bdf" >/dev/null
for case in "--lose=flr,cxl --misbehave=commit-stuck|HDM decoder 0: CTRL reads 0x[0-9a-f]*, it does not commit again" \
	"--misbehave=reset-resizes|HDM decoder 0: locked other than it was at bind" \
	"--misbehave=reset-gone|is the device gone|not in the capability chain" \
	"--misbehave=reset-hangs|CXL reset does not complete" \
	"--misbehave=reset-error|CXL reset reports an error"; do
	# shellcheck disable=SC2086 # one option a word
	t2ctl "$bdf" ${case%%|*}
	log_mark
	vfio_reset "$bdf" >/dev/null 2>&1
	check "${case%%|*}: the log says what failed" logged "$bdf: .*${case#*|}"
	# Each of the resets at open, by the user and at close fails, and says so once
	check "${case%%|*}: in a line for each reset, and no other" \
		sh -c "n=\$(klog 'lab: mark $$' | grep '$OURS $bdf: ' |
			grep -cvE 'resetting|reset done|vfio_ecap_init|can.t reserve|${case#*|}'); [ \$n = 0 ]"
	t2ctl "$bdf" restore
done
unbind "$bdf"
