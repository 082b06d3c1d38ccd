# SPDX-License-Identifier: GPL-2.0-only
# cxl-vfio and the driver come to the same verdict, with errno and sentence, on each profile of
# the software device, each of its misbehaviours, each parameter of the module, and states of
# the machine around it.
# needs: tools ends
# mem: 8G
# memmap: 5G$0x100000000
# t2dev: --io-bar --decoder=0,base=0x130000000
# t2dev: --profile=accelerator --decoder=0,base=0x110000000
# t2dev: --profile=odd-bars --decoder=0,base=0x120000000
# t2dev: --profile=full-bars --decoder=0,base=0x140000000
# t2dev: --profile=config-locked --decoder=0,base=0x150000000
# t2dev: --profile=intel-0d93-early-type2-dvsec8086
# t2dev: --profile=intel-0d93-rciep-cxl11
# t2dev: --profile=two-functions --decoder=0,base=0x160000000
# t2dev: @sibling --profile=two-functions-other
# t2dev: --profile=memory-off --decoder=0,base=0x170000000
# t2dev: --profile=component-block-last --decoder=0,base=0x1a0000000
# t2dev: --profile=no-locator --decoder=0,base=0x180000000
# t2dev: --profile=locked-platform-between --decoder=0,base=0x1d0000000 --decoder=1,base=0x1e0000000 --decoder=2,base=0x1e0000000 --decoder=3,base=0x1e0000000
# t2dev: --profile=32-bit-bars --decoder=0,base=0x190000000
# t2dev: --profile=ranges-locked --decoder=0,base=0x1b0000000 --decoder=1,base=0x1c0000000
# t2dev: --profile=locked-platform-first --decoder=0,base=0x1f0000000 --decoder=1,base=0x1f0000000 --decoder=2,base=0x1f0000000 --decoder=3,base=0x1f0000000
# t2dev: --profile=locked-platform-last --decoder=0,base=0x200000000 --decoder=1,base=0x210000000 --decoder=2,base=0x210000000 --decoder=3,base=0x210000000
# t2dev: --profile=component-block-first
# t2dev: --profile=component-block-middle --decoder=0,base=0x1a0000000
# t2dev: @root --profile=rciep-ranges --decoder=0,base=0x220000000
# t2dev: @root --profile=rciep-decoders --decoder=0,base=0x230000000

. /src/tests/vm/guest/verdicts.sh
. /src/tests/vm/guest/stock.sh
# An address in System RAM
ram=0x10000000
has x86 || ram=0x80000000
modprobe cxl-vfio-pci

# The devices in the order of the head: those below the root ports of the CXL host bridge, and
# two in the root complex
mapfile -t devices < <(for dir in "$PCI/devices/0000:0c:"*/0000:??:??.?; do
	basename "$dir"
done | sort; lspci -Dn -d 1234:c712 | sed -n 's/^\(0000:00:[^ ]*\) .*/\1/p' | sort)
bdf=${devices[0]} other=${devices[1]}

# As firmware leaves them, and then with memory space on
check "the machine has a device of each profile of t2dev" \
	equal "$(printf '%s\n' "${profiles[@]}" | sort)" \
	"$({ echo default; sed -n 's/^\t\t\.name = "\(.*\)",$/\1/p' /src/tests/t2dev/profiles.c; } | sort)"
check "the machine has as many devices as the scenario describes" equal ${#devices[@]} ${#profiles[@]}
# The debug kernel is slow, and binds each profile in 22-stock
for n in "${!profiles[@]}"; do
	! has debug || break
	name=${profiles[$n]} at=${devices[$n]}
	command=$(setpci -s "$at" COMMAND)
	facts "$at" > /tmp/facts
	# Without registers in a BAR the verdict is final
	if (( 0x$command & 2 )) || [ "$(fact reason)" != memory-off ]; then
		agree "$name as it is" "$at"
	else
		agree "$name with memory space off" "$at" memory-off
	fi
	setpci -s "$at" COMMAND=2:2
	agree "$name with memory space on" "$at"
	setpci -s "$at" "COMMAND=$command"
done

# The tool judges all functions: those that are not needed any more go
for at in "${devices[@]:2}"; do
	echo 1 > "$PCI/devices/$at/remove"
done

# Every refusal of the driver, and every misbehaviour that is not one of them
check "the scenario has a device for the refusals" equal "$bdf" "$(dev)"
misbehaviours() {
	sed -n 's/^\t\[MIS_[A-Z0-9_]*\] = { "\([^"]*\)".*/\1/p' /src/tests/t2dev/options.c
}
check "the misbehaviours of t2dev are found" [ "$(misbehaviours | wc -l)" -gt 30 ]
# On the debug kernel 30-refused alone has the refusals
cases() {
	has debug || sed "/^#/d; s/0x110000000/$ram/g" /src/tests/vm/refusals.txt
	misbehaviours | while read -r how; do
		grep -q -- "|--misbehave=$how\$" /src/tests/vm/refusals.txt ||
			echo "misbehaviour $how|||--misbehave=$how"
	done
}
while IFS='|' read -r what _ _ options; do
	unsure=''
	[[ $options != *not-active* ]] || unsure=memory-not-active
	t2ctl "$bdf" restore
	# shellcheck disable=SC2086 # one option a word
	t2ctl "$bdf" $options
	setpci -s "$bdf" COMMAND=2:2
	agree "$what" "$bdf" "$unsure"
done < <(cases)
t2ctl "$bdf" restore
setpci -s "$bdf" COMMAND=2:2
t2ctl "$bdf" --control=2
agree "CXL.mem off" "$bdf" mem-enable-off
setpci -s "$bdf" COMMAND=2:2
t2ctl "$bdf" restore
t2ctl "$bdf" --global-control=0
agree "decoders off" "$bdf" decoders-off
t2ctl "$bdf" restore

# Every parameter of the module, with the values that may change a verdict: parameter|reason
# that the tool may be unsure for.  The other device has ATS, and none of BARs 0, 1, 3 and 5
# is free
values='disable_cxl=all|
hide_hpa=N|
enable_sriov=Y|
vmm_abi=v2|
max_order=0|
reset_method=flr|
keep_memory=Y|
cxl_cache=off|cache-on
cxl_core=require|topology-required
cxl_core=off|
struct_pages=on|
vbar=off|
vbar=0|
vbar=2|
vbar=4|'
check "the scenario tries every parameter of the module" \
	equal "$(cut -d = -f 1 <<< "$values" | sort -u)" \
	"$(sed -n 's/^module_param[a-z_]*(\([a-z_]*\),.*/\1/p' /src/src/params.c | sort)"
setpci -s "$other" COMMAND=2:2
while IFS='|' read -r value unsure; do
	modprobe -r cxl-vfio-pci
	modprobe cxl-vfio-pci "$value"
	setpci -s "$bdf" COMMAND=2:2
	agree "$value" "$bdf" "$unsure"
	t2ctl "$bdf" restore
	[[ $value != cxl_cache=* ]] || unsure=
	agree "$value, the device with ATS" "$other" "$unsure"
	setpci -s "$other" COMMAND=2:2
done <<< "$values"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci cxl_cache=off
t2ctl "$bdf" --config-lock=1
setpci -s "$bdf" COMMAND=2:2
agree "cxl_cache=off, and CONTROL is locked" "$bdf"
t2ctl "$bdf" restore
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci "disable_cxl=0000:00:1f.7,$bdf"
agree "disable_cxl names the device" "$bdf"
agree "disable_cxl names another device" "$other"
modprobe -r cxl-vfio-pci
mkdir -p /run/modprobe.d
echo "options cxl-vfio-pci vbar=0" > /run/modprobe.d/verdicts.conf
setpci -s "$bdf" COMMAND=2:2
agree "vbar=0 in modprobe.d, the module is not loaded" "$bdf"
modprobe -r cxl-vfio-pci
echo "options cxl-vfio-pci vbar=1" > /run/modprobe.d/verdicts.conf
facts "$bdf" > /tmp/facts
check "vbar=1 in modprobe.d: the tool knows that the module does not load" \
	equal "$(fact usable) $(fact reason)" "false bad-parameter"
check "vbar=1 in modprobe.d: the module does not load" sh -c "! modprobe cxl-vfio-pci"
rm /run/modprobe.d/verdicts.conf
modprobe cxl-vfio-pci

# States of the host.  The software device ends if a register is read in D3hot
setpci -s "$bdf" COMMAND=2:2
setpci -s "$bdf" CAP_PM+4.w=3:3
agree "D3hot" "$bdf" asleep
setpci -s "$bdf" CAP_PM+4.w=0:3 COMMAND=2:2
check "vfio-pci binds the device" equal "$(bind "$bdf" vfio-pci)" 0
timeout 60 sh -c "until grep -q suspended $PCI/devices/$bdf/power/runtime_status; do sleep 0.1; done"
agree "vfio-pci has the device, and lets it sleep" "$bdf" asleep
setpci -s "$bdf" CAP_PM+4.w=0:3 COMMAND=2:2

# A bound device is found by its driver
bind "$bdf" > /dev/null
t2ctl "$bdf" --misbehave=reset-gone
vfio_reset "$bdf" > /dev/null 2>&1
check "a bound device that is gone reads all ones" equal "$(setpci -s "$bdf" 134.l)" ffffffff
check "cxl-vfio list has a bound device that is gone" grep -q "^$bdf  $OURS" <(cxl-vfio list)
check "cxl-vfio status has a bound device that is gone" cxl-vfio status "$bdf"
check "cxl-vfio unbind unbinds a device that is gone" cxl-vfio unbind "$bdf"
check "the device that is gone has no driver" [ -z "$(driver_of "$bdf")" ]

# Locked down as with Secure Boot, until the machine ends
if has debug; then
	skip "the debug kernel has no lockdown"
	return
fi
setpci -s "$other" COMMAND=2:2
mount -t securityfs none /sys/kernel/security 2> /dev/null
echo integrity > /sys/kernel/security/lockdown
check "the kernel is locked down" grep -q '\[integrity\]' /sys/kernel/security/lockdown
agree "lockdown" "$other" lockdown
