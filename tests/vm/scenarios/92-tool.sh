# SPDX-License-Identifier: GPL-2.0-only
# Every command of cxl-vfio, as an operator types it.
# needs: tools

bdf=$(dev)
nic=$(lspci -Dn -d 8086:10d3 | awk '{print $1}')
short=${bdf#0000:}
tool=cxl-vfio
says() { # regex command...
	local regex=$1 output

	shift
	output=$("$@" 2>&1)
	grep -qE "$regex" <<< "$output" && return
	printf '%s\n' "$output"
	return 1
}
status_is() { # status command...
	local want=$1

	shift
	"$@" > /tmp/tool.log 2>&1
	[ $? = "$want" ] || { cat /tmp/tool.log; return 1; }
}
json() { # object's members as sh tests see them
	"$tool" --json "$@" | tr -d ' \n'
}

setpci -s "$bdf" COMMAND=0x2:0x2
check "list has the device" says "^$bdf +- +[0-9]+ +256 MiB" $tool list
check "and says nothing against it" sh -c "! $tool list | grep 'cannot be assigned'"
check "list --json has it" grep -q "\"address\":\"$bdf\".*\"base\":\"0x100000000\",\"size\":268435456.*\"usable\":true" <(json list)
check "bind by the short address" says "^$bdf: bound to $OURS" $tool bind "$short"
check "binds" equal "$(driver_of "$bdf")" "$OURS"
check "binding again does no harm" status_is 0 $tool bind "$bdf"
check "status shows the gate" says '^  gate +closed' $tool status
check "status --json has it" grep -q '"gate":"closed"' <(json status "$bdf")
check "xml names device and driver" says "<driver model='cxl_vfio_pci'/>" $tool xml "$bdf"
check "doctor finds nothing that keeps it from being assigned" says "^ok +device +$bdf \($OURS\)" $tool doctor
check "doctor --json says it as well" grep -q '"check":"iommu","state":"ok"' <(json doctor)
check "doctor has the versions of DKMS, QEMU and libvirt" \
	equal "$($tool doctor | grep -cE '^ok +(dkms|qemu|libvirt) .*[0-9]\.[0-9]')" 3
check "unbind" says "^$bdf: unbound, no driver has it now" $tool unbind "$bdf"
check "unbinds" [ -z "$(driver_of "$bdf")" ]
check "and clears the override" equal "$(cat "$PCI/devices/$bdf/driver_override")" "(null)"
check "status of what is not bound fails" status_is 1 $tool status "$bdf"

# Without driverctl, then with it
mv /usr/sbin/driverctl /tmp/driverctl
check "bind --persist binds" status_is 0 $tool bind --persist "$bdf"
check "and leaves a rule for udev" grep -q "KERNEL==\"$bdf\".*driver_override.*$OURS" "/etc/udev/rules.d/60-cxl-vfio-$bdf.rules"
check "unbind --persist unbinds" status_is 0 $tool unbind --persist "$bdf"
check "and removes the rule" [ ! -e "/etc/udev/rules.d/60-cxl-vfio-$bdf.rules" ]
mv /tmp/driverctl /usr/sbin/driverctl
check "bind --persist binds with driverctl as well" status_is 0 $tool bind --persist "$bdf"
check "to this driver" equal "$(driver_of "$bdf")" "$OURS"
check "and driverctl has it in its store" equal "$(driverctl list-persisted)" "$bdf $OURS"
check "which has no rule beside it" [ ! -e "/etc/udev/rules.d/60-cxl-vfio-$bdf.rules" ]
check "unbind --persist unbinds with driverctl" status_is 0 $tool unbind --persist "$bdf"
check "and clears driver and override" equal "$(driver_of "$bdf")$(cat "$PCI/devices/$bdf/driver_override")" "(null)"
check "and driverctl's store" [ -z "$(driverctl list-persisted)" ]

# What cannot be: each with its remedy, and nothing is changed
check "a network card is none of its business" says "no CXL device with memory; .cxl-vfio list" $tool bind "$nic"
check "with status 1" status_is 1 $tool bind "$nic"
check "a function that is not there" says "there is no such PCI function" $tool bind 0000:7f:00.0
t2ctl "$bdf" --decoder=0,committed=0
check "without a committed decoder list says why" says "cannot be assigned: no HDM decoder is committed" $tool list
check "and bind refuses" says "no HDM decoder is committed: have firmware do it" $tool bind "$bdf"
check "unless forced: then the driver refuses" says "$OURS refuses it, .dmesg. says why; no driver as before" $tool bind --force "$bdf"
check "and the override is as before" equal "$(cat "$PCI/devices/$bdf/driver_override")" "(null)"
t2ctl "$bdf" restore
check "a device that is all ones is no candidate" sh -c "t2ctl $bdf --misbehave=ones-dvsec; ! $tool list | grep -q $bdf; s=\$?; t2ctl $bdf restore; exit \$s"
check "no command" status_is 2 $tool
check "a command that is not there" status_is 2 $tool frobnicate
check "an address that is none" status_is 2 $tool bind 'zz:00.0'
check "too many arguments" status_is 2 $tool list "$bdf"
check "--help" says "^usage: cxl-vfio" $tool --help
check "who is not root is told so" says "only root can do that" setpriv --reuid 65534 $tool bind "$bdf"
