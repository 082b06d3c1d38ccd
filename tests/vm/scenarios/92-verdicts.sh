# SPDX-License-Identifier: GPL-2.0-only
# cxl-vfio and the driver come to the same verdict on each software device, each of its
# misbehaviours, and each state of the host: the errno and the sentence of a refusal.
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
# t2dev: --profile=no-locator
# t2dev: --profile=locked-platform-between --decoder=0,base=0x1d0000000 --decoder=1,base=0x1e0000000 --decoder=2,base=0x1e0000000 --decoder=3,base=0x1e0000000

bdf=$(dev)
modprobe cxl-vfio-pci

# Members of a device in the tool's list, one a line
facts() { # bdf
	cxl-vfio --json list | awk -v bdf="\"$1\"" '
		/"address": / { on = index($0, bdf) }
		on && /"(address|usable|reason|errno|message|remedy)"/ { sub(/^ */, ""); sub(/,$/, ""); print }'
}
fact() { sed -n "s/^\"$1\": \"\\?\\([^\"]*\\)\"\\?\$/\\1/p" /tmp/facts; }

# Compare the verdicts on a device
agree() { # what bdf [reason that the tool may be unsure for]
	local usable result sentence

	facts "$2" > /tmp/facts
	usable=$(fact usable)
	log_mark
	result=$(bind "$2")
	[ "$result" = 0 ] || echo > "$PCI/devices/$2/driver_override"
	sentence=$(log_since | sed -n "/probe with driver/d; /enabling device/d; s/.*$OURS $2: //p" | tail -n 1)
	case $result:$usable in
	0:true) verdict=same ;;
	0:) verdict="unsure for $(fact reason)" ;;
	*:false) verdict="$(fact errno)|$(fact message)" ;;
	*:) verdict="unsure for $(fact reason)" ;;
	*) verdict="'$usable', and the driver '$result'" ;;
	esac
	if [ "$result" = 0 ] && [ ! -e "$PCI/devices/$2/cxl_vfio/gate" ]; then
		check "$1: the tool lists no plain function" [ ! -s /tmp/facts ]
	elif [ -n "${3:-}" ]; then
		check "$1: the tool leaves the verdict to bind" equal "$verdict" "unsure for $3"
	elif [ "$result" = 0 ]; then
		check "$1: the tool and the driver take the device" equal "$verdict" same
	else
		check "$1: the tool has the errno and the sentence of the driver" \
			equal "$verdict" "$result|$sentence"
		check "$1: the tool has a word for the refusal" [ "$(fact reason)" != refused ]
	fi
	[ "$result" != 0 ] || unbind "$2"
}

# As firmware leaves them, and then with memory space on
for other in "$PCI/devices/0000:0c:"*/0000:??:??.?; do
	other=${other##*/}
	command=$(setpci -s "$other" COMMAND)
	if (( 0x$command & 2 )) || [ -z "$(facts "$other")" ] || grep -q no-component <(facts "$other"); then
		agree "$other as it is" "$other"
	else
		agree "$other with memory space off" "$other" memory-off
	fi
	setpci -s "$other" COMMAND=2:2
	agree "$other with memory space on" "$other"
	setpci -s "$other" "COMMAND=$command"
done

# Every refusal of the driver
setpci -s "$bdf" COMMAND=2:2
while IFS='|' read -r what _ _ options; do
	[[ $what != \#* ]] || continue
	unsure=''
	[[ $options != *not-active* ]] || unsure=memory-not-active
	t2ctl "$bdf" restore
	# shellcheck disable=SC2086 # one option a word
	t2ctl "$bdf" $options
	agree "$what" "$bdf" $unsure
	setpci -s "$bdf" COMMAND=2:2
done < <(sed 's/0x110000000/0x10000000/g' /src/tests/vm/refusals.txt)
t2ctl "$bdf" restore
t2ctl "$bdf" --control=2
agree "CXL.mem off" "$bdf" mem-enable-off
setpci -s "$bdf" COMMAND=2:2
t2ctl "$bdf" restore
t2ctl "$bdf" --global-control=0
agree "decoders off" "$bdf" decoders-off
t2ctl "$bdf" restore

# States of the host.  The software device ends if a register is read in D3hot
setpci -s "$bdf" COMMAND=2:2 CAP_PM+4.w=3:3
agree "D3hot" "$bdf" asleep
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
other=$(dev 1)
setpci -s "$other" COMMAND=2:2
mount -t securityfs none /sys/kernel/security 2> /dev/null
echo integrity > /sys/kernel/security/lockdown
check "the kernel is locked down" grep -q '\[integrity\]' /sys/kernel/security/lockdown
agree "lockdown" "$other" lockdown
