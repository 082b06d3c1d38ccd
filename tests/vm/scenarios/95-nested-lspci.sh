# SPDX-License-Identifier: GPL-2.0-only
# lspci in a nested guest shows of each device what it shows under stock vfio-pci, but for
# the differences in lspci-differences.txt.  One guest has all devices; it boots twice.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# needs: nested ends x86
# memmap: 512M$0x100000000
# t2dev: --profile=accelerator
# t2dev: --decoder=0,base=0x110000000

. /src/tests/vm/guest/nested.sh
. /src/tests/vm/guest/stock.sh
differences=/src/tests/vm/lspci-differences.txt
NESTED_APPEND="$NESTED_APPEND only-lspci"

all_bound() { # driver
	local n

	for n in "${!profiles[@]}"; do
		equal "$(bind "$(dev "$n")" "$1")" 0 || return
	done
}

# Boot a guest with all devices, write what its lspci shows to /tmp/PROFILE.DRIVER
record() { # driver
	local n more=()

	check "$1 binds the devices" all_bound "$1"
	for n in "${!profiles[@]}"; do
		[ "$n" -eq 0 ] || more+=(-device "pcie-root-port,id=rp$n,chassis=$((n + 1))"
			-device "vfio-pci,host=$(dev "$n"),bus=rp$n")
	done
	nested_boot "$(dev)" kvm -cpu host "${more[@]}"
	check "$1: the guest runs to its end" grep -q '^guest: finished' $NESTED/console.log
	check "$1: QEMU prints nothing but warnings" sh -c "! grep -v ': warning: ' $NESTED/qemu.log"
	nested_lspci > "/tmp/lspci.$1"
	for n in "${!profiles[@]}"; do
		awk -v nth=$((n + 1)) -f /src/tests/vm/guest/lspci.awk "/tmp/lspci.$1" > "/tmp/${profiles[$n]}.$1"
		unbind "$(dev "$n")"
	done
}

check "lspci-differences.txt names devices of the machine" words_known "$differences"
load_kvm
check "/dev/kvm exists" [ -c /dev/kvm ]
modprobe cxl-vfio-pci keep_memory=1
for n in "${!profiles[@]}"; do
	t2ctl "$(dev "$n")" "--allow-misuse=$misuse"
done
record vfio-pci
for n in "${!profiles[@]}"; do
	t2ctl "$(dev "$n")" restore
done
record "$OURS"
for name in "${profiles[@]}"; do
	check "$name: lspci in a guest shows what it shows under vfio-pci, but for lspci-differences.txt" \
		same_but_for "$differences" "$name cxl" "/tmp/$name.vfio-pci" "/tmp/$name.$OURS"
done
