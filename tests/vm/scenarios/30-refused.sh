# SPDX-License-Identifier: GPL-2.0-only
# A device that contradicts the specification is not bound.  refusals.txt has each case
# with its errno and its line in the log.
# t2dev: @type3
# t2dev: --io-bar --decoder=0,base=0x130000000
# t2dev:
# t2dev: @sibling --misbehave=no-mem-capable
# t2dev: @igb
# memmap: 256M$0x100000000,256M$0x130000000

bdf=$(dev)

begins() { # line pattern
	# shellcheck disable=SC2053 # a pattern
	[[ $1 == ${2//\[/\\[}* ]] && return
	echo "the log says: $1"
	return 1
}

while IFS='|' read -r what errno message options; do
	[[ $what != \#* ]] || continue
	t2ctl "$bdf" restore
	# shellcheck disable=SC2086 # one option a word
	t2ctl "$bdf" $options
	log_mark
	check "$what: bind fails with $errno" equal "$(bind "$bdf")" "$errno"
	# Only the driver's lines, without that of the PCI core about the probe
	lines=$(log_since | sed -n "/probe with driver/d; s/.*$OURS $bdf: //p")
	check "$what: the log says why the bind fails" begins "$lines" "$message"
	check "$what: the driver logs exactly one line" [ "${lines//$'\n'/}" = "$lines" ]
	echo > "$PCI/devices/$bdf/driver_override"
done < /src/tests/vm/refusals.txt

t2ctl "$bdf" restore
check "the restored device binds" equal "$(bind "$bdf")" 0
