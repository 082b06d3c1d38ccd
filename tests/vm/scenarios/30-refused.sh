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

# Where arm64 machines have RAM, BARs, the claim on ECAM, and nothing
places() {
	sed -e 's/0x110000000/0x80000000/g; s/0x11fffffff/0x8fffffff/' \
		-e 's/0xf0000000/0x10000000/g; s/0xffffffff\]/0x1fffffff]/' \
		-e 's/0xb0000000/0x4010000000/g; s/0xbfffffff/0x401fffffff/' \
		-e 's/0x8000000000/0x20000000000/g; s/0x800fffffff/0x2000fffffff/'
}

while IFS='|' read -r what errno message options; do
	[[ $what != \#* ]] || continue
	t2ctl "$bdf" restore
	# shellcheck disable=SC2086 # one option a word
	t2ctl "$bdf" $options
	log_mark
	check "$what: bind fails with $errno" equal "$(bind "$bdf")" "$errno"
	# Only the driver's lines, without those of the PCI core and the IOMMU about the probe
	lines=$(log_since | sed -n "/probe with driver/d; /enabling device/d; /Adding to iommu/d; s/.*$OURS $bdf: //p")
	check "$what: the log says why the bind fails" begins "$lines" "$message"
	check "$what: the driver logs exactly one line" [ "${lines//$'\n'/}" = "$lines" ]
	echo > "$PCI/devices/$bdf/driver_override"
done < <(if has x86; then cat /src/tests/vm/refusals.txt; else places < /src/tests/vm/refusals.txt; fi)

t2ctl "$bdf" restore
check "the restored device binds" equal "$(bind "$bdf")" 0
