# SPDX-License-Identifier: GPL-2.0-only
# Every way to reset the device, with one that keeps its decoders and with one
# that loses them: reset_test.c says what must be left.

bdf=$(dev)
for lose in N Y; do
	[ $lose = N ] || t2ctl "$bdf" --lose=flr,cxl,bus,d3
	check "binding works, the device loses its decoders: $lose" equal "$(bind "$bdf")" 0
	DEVICE=$bdf LOSE=$lose tap reset_test
	unbind "$bdf"
	t2ctl "$bdf" restore
done

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
		sh -c "n=\$(dmesg | tac | sed '/lab: mark $$/q' | grep '$OURS $bdf: ' |
			grep -cvE 'resetting|reset done|vfio_ecap_init|can.t reserve|${case#*|}'); [ \$n = 0 ]"
	t2ctl "$bdf" restore
done
unbind "$bdf"
