# SPDX-License-Identifier: GPL-2.0-only
# Devices whose memory is enabled by the ranges of the CXL Device DVSEC, and devices in the
# root complex, from the bind to the next user: ranges_test.c has the expectations.
# t2dev: @root --profile=rciep-ranges
# t2dev: @root --profile=rciep-decoders --decoder=0,base=0x110000000
# t2dev: --profile=ranges-locked --decoder=0,base=0x120000000 --decoder=1,base=0x130000000
# t2dev: --profile=no-locator --decoder=0,base=0x140000000
# memmap: 1280M$0x100000000
# mem: 4G
# needs: ends

modprobe t2lab
cxl_vfio() { cat "$PCI/devices/$1/cxl_vfio/$2"; } # bdf file
cleared() { # bdf: nothing is left to clear, in the end
	for _ in $(seq 6000); do
		[ "$(cxl_vfio "$1" clearing)" != 0 ] || return 0
		sleep 0.1
	done
	return 1
}
# The device's own registers: CONTROL and both bases, which begin 0x0c and 0x20 bytes
# behind the DVSEC's start
registers() { # bdf
	setpci -s "$1" 13c.w 150.l 154.l 160.l 164.l | paste -sd ' '
}

# name bdf hpa source regions comp root log
try() {
	local name=$1 bdf=$2 hpa=$3 source=$4 regions=$5 comp=$6 root=$7 log=$8 before lose

	before=$(registers "$bdf")
	lab_word "$hpa" 0xdecade > /dev/null
	log_mark
	check "$name: the device binds" equal "$(bind "$bdf")" 0
	check "$name: the device is alone in its IOMMU group" \
		equal "$(ls "$PCI/devices/$bdf/iommu_group/devices")" "$bdf"
	check "$name: the log says what its memory is" logged "$bdf: $log: \[mem $hpa-0x[0-9a-f]*\], 256 MiB"
	check "$name: sysfs says what its memory is of" equal "$(cxl_vfio "$bdf" source)" "$source"
	check "$name: sysfs lists $regions ranges" equal "$(cxl_vfio "$bdf" decoders | wc -l)" "$regions"
	check "$name: /proc/iomem has the driver's claim" \
		grep -q "${hpa#0x}-.* : $OURS" /proc/iomem
	check "$name: cxl-vfio status says what its memory is of" \
		sh -c "! command -v cxl-vfio > /dev/null || cxl-vfio status $bdf | grep -q '^  source  *$source'"
	check "$name: clearing ends after the bind" cleared "$bdf"
	check "$name: what was in the memory before the bind is gone" equal "$(lab_word "$hpa")" 0
	check "$name: the bind changes no register" equal "$(registers "$bdf")" "$before"
	unbind "$bdf"
	modprobe -r cxl-vfio-pci

	modprobe cxl-vfio-pci keep_memory=1
	for lose in none flr,cxl,bus,d3; do
		# CONFIG_LOCK keeps registers that no reset may lose then
		[ "$lose" = none ] || [ "$name" != ranges-locked ] || continue
		t2ctl "$bdf" "--lose=$lose"
		bind "$bdf" > /dev/null
		DEVICE=$bdf HPA=$hpa REGIONS=$regions RANGES=$([ "$source" = ranges ] && echo 1 || echo 0) \
			COMP=$comp ROOT=$root LABEL="$name, resets lose $lose" tap ranges_test
		check "$name, resets lose $lose: registers are as before" \
			equal "$(registers "$bdf")" "$before"
		[ "$lose" = none ] || check "$name, resets lose $lose: sysfs counts restores" \
			[ "$(cxl_vfio "$bdf" restores)" -gt 0 ]
		unbind "$bdf"
		t2ctl "$bdf" restore
	done
	modprobe -r cxl-vfio-pci

	modprobe cxl-vfio-pci
	bind "$bdf" > /dev/null
	DEVICE=$bdf HPA=$hpa LABEL=$name tap clear_test
	unbind "$bdf"
}

stock() { # name bdf
	check "$1: vfio-pci binds the device" equal "$(bind "$2" vfio-pci)" 0
	DEVICE=$2 ROOT=1 LABEL="$1, under vfio-pci" tap ranges_test -t bus_resets_of_the_root_complex_are_refused
	unbind "$2"
}

# The card of the dump has its BARs elsewhere
export ACCEL=0
try rciep-ranges "$(dev 0)" 0x100000000 ranges 1 0 1 "CXL Device DVSEC: RANGE1"
stock rciep-ranges "$(dev 0)"
unset ACCEL
try rciep-decoders "$(dev 1)" 0x110000000 decoders 1 1 1 "HDM decoder 0"
try ranges-locked "$(dev 2)" 0x120000000 ranges 2 1 0 "CXL Device DVSEC: RANGE1"
try no-locator "$(dev 3)" 0x140000000 ranges 1 0 0 "CXL Device DVSEC: RANGE1"

# The virtual BAR is that of a device without component registers for every VMM interface
for abi in v3 v2; do
	modprobe -r cxl-vfio-pci
	modprobe cxl-vfio-pci keep_memory=1 vmm_abi=$abi
	bind "$(dev 3)" > /dev/null
	check "no-locator, vmm_abi=$abi: the virtual BAR is BAR 4" equal "$(cxl_vfio "$(dev 3)" vbar)" 4
	DEVICE=$(dev 3) BAR=4 SIZE=256 LABEL="no-locator, vmm_abi=$abi" tap vbar_test
	unbind "$(dev 3)"
done

# Ranges that do not come back: memory stays closed, and the log says why
for case in "2|--lose=flr,cxl|CXL Device DVSEC: RANGE1 BASE differs from bind time and CONFIG_LOCK is set" \
	"2|--lose=flr,cxl --lose-what=enables|CXL Device DVSEC: CONTROL reads 0x0002, it was 0x0007 at bind and CONFIG_LOCK is set" \
	"3|--misbehave=no-locator,no-hdm-cap,reset-inactive|CXL Device DVSEC: RANGE1 SIZE LOW reads 0x[0-9a-f]* after"; do
	IFS='|' read -r n options log <<< "$case"
	bdf=$(dev "$n")
	bind "$bdf" > /dev/null
	# shellcheck disable=SC2086 # one option a word
	t2ctl "$bdf" $options
	log_mark
	check "$options: a reset fails with EIO" equal "$(vfio_reset "$bdf")" EIO
	check "$options: the log says why memory stays closed" logged "$bdf: $log"
	t2ctl "$bdf" restore
	unbind "$bdf"
done
