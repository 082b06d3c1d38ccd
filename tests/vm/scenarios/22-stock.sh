# SPDX-License-Identifier: GPL-2.0-only
# What a VMM sees of each software device equals what it sees under stock vfio-pci, but
# for the differences in stock-differences.txt.  stock-binds.txt has the devices that this
# driver refuses, and those that it takes for plain functions.
# needs: ends
# mem: 8G
# memmap: 5G$0x100000000
# t2dev:
# t2dev: --profile=accelerator --decoder=0,base=0x110000000
# t2dev: --profile=odd-bars --decoder=0,base=0x120000000
# t2dev: --profile=full-bars --decoder=0,base=0x130000000
# t2dev: --profile=32-bit-bars --decoder=0,base=0x140000000
# t2dev: --profile=config-locked --decoder=0,base=0x150000000
# t2dev: --profile=intel-0d93-early-type2-dvsec8086
# t2dev: --profile=intel-0d93-rciep-cxl11
# t2dev: --profile=two-functions --decoder=0,base=0x160000000
# t2dev: @sibling --profile=two-functions-other
# t2dev: --profile=memory-off --decoder=0,base=0x170000000
# t2dev: --profile=component-block-first --decoder=0,base=0x180000000
# t2dev: --profile=component-block-middle --decoder=0,base=0x190000000
# t2dev: --profile=component-block-last --decoder=0,base=0x1a0000000
# t2dev: --profile=locked-platform-first --decoder=0,base=0x1b0000000 --decoder=1,base=0x1b0000000 --decoder=2,base=0x1b0000000 --decoder=3,base=0x1b0000000
# t2dev: --profile=locked-platform-last --decoder=0,base=0x1c0000000 --decoder=1,base=0x1d0000000 --decoder=2,base=0x1d0000000 --decoder=3,base=0x1d0000000
# t2dev: --profile=locked-platform-between --decoder=0,base=0x1d0000000 --decoder=1,base=0x1e0000000 --decoder=2,base=0x1e0000000 --decoder=3,base=0x1e0000000
# t2dev: --profile=rciep-ranges --decoder=0,base=0x1f0000000
# t2dev: --profile=rciep-decoders --decoder=0,base=0x200000000
# t2dev: --profile=ranges-locked --decoder=0,base=0x210000000 --decoder=1,base=0x220000000
# t2dev: --profile=no-locator --decoder=0,base=0x230000000

. /src/tests/vm/guest/stock.sh
differences=/src/tests/vm/stock-differences.txt
binds=/src/tests/vm/stock-binds.txt
# The functions below the root ports of the CXL host bridge
mapfile -t devices < <(for dir in "$PCI/devices/0000:0c:"*/0000:??:??.?; do
	basename "$dir"
done | sort)

all_profiles() {
	echo default
	sed -n 's/^\t\t\.name = "\(.*\)",$/\1/p' /src/tests/t2dev/profiles.c
}

# What stock-binds.txt says about a profile: an errno or "plain", nothing if it is not there
expected() { awk -F '|' -v name="$1" '$1 == name { print $2 }' "$binds"; }

# Write what a VMM sees to a file; prints 0, or the errno of the bind
record() { # bdf driver file
	local result

	result=$(bind "$1" "$2")
	if [ "$result" = 0 ]; then
		view "$1" > "$3" 2> /tmp/view.log || result="0, and view says $(cat /tmp/view.log)"
		unbind "$1"
	else
		echo > "$PCI/devices/$1/driver_override"
	fi
	echo "$result"
}

compare() { # bdf profile class
	local software result

	software=$(lspci -Dn -d 1234:c712 -s "$1")
	[ -z "$software" ] || t2ctl "$1" "--allow-misuse=$misuse"
	check "$2: vfio-pci binds the device" equal "$(record "$1" vfio-pci "/tmp/$2.stock")" 0
	[ -z "$software" ] || t2ctl "$1" restore
	result=$(record "$1" "$OURS" "/tmp/$2.driver")
	check "$2: this driver binds the device" equal "$result" 0
	[ "$result" != 0 ] ||
		check "$2: a VMM sees what it sees under vfio-pci, but for stock-differences.txt" \
			same_but_for "$differences" "$2 $3" "/tmp/$2.stock" "/tmp/$2.driver"
}

check "the machine has a device of each profile of t2dev" \
	equal "$(printf '%s\n' "${profiles[@]}" | sort)" "$(all_profiles | sort)"
check "the machine has as many devices as the scenario describes" equal ${#devices[@]} ${#profiles[@]}
check "stock-differences.txt and stock-binds.txt name devices of the machine" \
	words_known "$differences" "$binds"
modprobe cxl-vfio-pci keep_memory=1
for n in "${!profiles[@]}"; do
	bdf=${devices[$n]} name=${profiles[$n]} as=$(expected "${profiles[$n]}")
	case $as in
	"") compare "$bdf" "$name" cxl ;;
	plain) compare "$bdf" "$name" plain ;;
	*) check "$name: bind fails with $as" equal "$(record "$bdf" "$OURS" /tmp/none)" "$as" ;;
	esac
done
