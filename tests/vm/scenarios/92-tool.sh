# SPDX-License-Identifier: GPL-2.0-only
# Every command of cxl-vfio, as an operator types it.
# needs: tools

bdf=$(dev)
nic=$(lspci -Dn -d 8086:10d3 | awk '{print $1}')
short=${bdf#0000:}
tool=cxl-vfio
machine=q35 programs="dkms|qemu|libvirt" number=3
# The root of an arm64 machine has no libvirt
has x86 || machine=virt programs="dkms|qemu" number=2
status_is() { # status command...
	local want=$1

	shift
	"$@" > /tmp/tool.log 2>&1
	[ $? = "$want" ] || { cat /tmp/tool.log; return 1; }
}
# The JSON answer of a command on one line without blanks
json() { # command...
	"$tool" --json "$@" | tr -d ' \n'
}

# Does QEMU make the machine of the printed options, but for the device itself?
qemu_takes() {
	eval "set -- $($tool qemu --topology "$bdf" | grep -v vfio-pci)"
	echo quit | qemu-system-x86_64 -nodefaults -display none -accel tcg -S -monitor stdio "$@"
}

setpci -s "$bdf" COMMAND=0x2:0x2
# In a machine of its own: before Linux 6.15 the device is in no IOMMU group here on arm64
check "cxl-vfio bind binds a device that may have had no driver yet" says "^$bdf: bound to $OURS" $tool bind "$bdf"
check "cxl-vfio unbind gives such a device back" status_is 0 $tool unbind "$bdf"
check "cxl-vfio list shows the device" says "^$bdf +- +[0-9]+ +256 MiB" $tool list
check "cxl-vfio list ADDRESS lists that device" says "^$bdf +- +[0-9]+ +256 MiB" $tool list "$bdf"
check "cxl-vfio list ADDRESS lists no network card" sh -c "! $tool list $nic"
check "cxl-vfio list does not say that the device cannot be assigned" sh -c "! $tool list | grep 'cannot be assigned'"
check "cxl-vfio list --json has the device as usable" grep -q "\"address\":\"$bdf\".*\"base\":\"0x100000000\",\"size\":268435456.*\"usable\":true" <(json list)
check "cxl-vfio bind takes an address without domain" says "^$bdf: bound to $OURS" $tool bind "$short"
check "cxl-vfio bind binds the device" equal "$(driver_of "$bdf")" "$OURS"
check "cxl-vfio bind succeeds for a device that is bound" status_is 0 $tool bind "$bdf"
check "cxl-vfio status shows the gate" says '^  gate +closed' $tool status
check "cxl-vfio status --json has the gate" grep -q '"gate":"closed"' <(json status "$bdf")
check "cxl-vfio xml names the driver" says "<driver model='cxl_vfio_pci'/>" $tool xml "$bdf"
check "cxl-vfio qemu prints a root port and the device behind it" \
	equal "$($tool qemu "$bdf" | tr -d '\\\n' | tr -s ' ')" \
	"-M $machine -device pcie-root-port,id=cxl-vfio-port,chassis=12 -device vfio-pci,host=$bdf,bus=cxl-vfio-port"
check "cxl-vfio qemu --json has the arguments one by one" grep -q "\"arguments\":\[\"-M\",\"$machine\",\"-device\"," <(json qemu "$bdf")
if has x86; then
	check "cxl-vfio qemu --topology has a window of the memory's size" says "cxl-fmw\.0\.size=256M" $tool qemu --topology "$bdf"
	check "cxl-vfio qemu --topology prints options that QEMU knows" qemu_takes
	check "cxl-vfio xml --topology puts the device behind the CXL root port" says "name='bus' type='string' value='cxl-vfio-port'" $tool xml --topology "$bdf"
	check "cxl-vfio qemu --topology refuses five devices" \
		says "at most 4 devices in its CXL topology: leave 1 of them out" \
		$tool qemu --topology 0d:00.0 0e:00.0 0f:00.0 10:00.0 11:00.0
else
	check "cxl-vfio qemu --topology is refused on arm64" says "topology makes options for guests on x86" $tool qemu --topology "$bdf"
	check "cxl-vfio xml --topology is refused on arm64" status_is 1 $tool xml --topology "$bdf"
fi
check "cxl-vfio doctor reports that the device can be assigned" says "^ok +device +$bdf \($OURS\)" $tool doctor
check "cxl-vfio doctor --json reports the IOMMU as ok" grep -q '"check":"iommu","state":"ok"' <(json doctor)
check "cxl-vfio doctor shows the versions of other programs: $programs" \
	equal "$($tool doctor | grep -cE "^ok +($programs) .*[0-9]\.[0-9]")" $number
check "cxl-vfio unbind says who has the device afterwards" says "^$bdf: unbound, driver now: none" $tool unbind "$bdf"
check "cxl-vfio unbind leaves the device without driver" [ -z "$(driver_of "$bdf")" ]
check "cxl-vfio unbind clears driver_override" equal "$(cat "$PCI/devices/$bdf/driver_override")" "(null)"
check "cxl-vfio status fails for a device that is not bound" status_is 1 $tool status "$bdf"
check "cxl-vfio qemu fails for a device that is not bound" says "is not bound to $OURS; bind it with .cxl-vfio bind $bdf" $tool qemu "$bdf"
check "cxl-vfio qemu refuses a device that is named twice" says "is there twice" $tool qemu "$bdf" "$short"
check "cxl-vfio xml --topology fails for a device that is not bound" status_is 1 $tool xml --topology "$bdf"

# What Proxmox VE does to a device that hostpci names, whatever it is bound to
$tool bind "$bdf" > /dev/null
modprobe vfio-pci
echo "1234 c712" > $PCI/drivers/vfio-pci/new_id
echo "$bdf" > "$PCI/devices/$bdf/driver/unbind"
check "vfio-pci does not get a device that cxl-vfio bind has bound" \
	equal "$(sysfs_write $PCI/drivers/vfio-pci/bind "$bdf")" ENODEV
check "such a device is left without a driver" [ -z "$(driver_of "$bdf")" ]
check "cxl-vfio bind gets such a device back" status_is 0 $tool bind "$bdf"
check "such a device is bound again" equal "$(driver_of "$bdf")" "$OURS"
echo "1234 c712" > $PCI/drivers/vfio-pci/remove_id
$tool unbind "$bdf" > /dev/null

# As after a boot at which a driver in the initramfs was first
bind "$bdf" vfio-pci > /dev/null
echo $OURS > "$PCI/devices/$bdf/driver_override"
check "cxl-vfio doctor names a driver that was bound before driver_override was set" \
	says "^WARNING +boot +$bdf: vfio-pci has the device although driver_override names $OURS" $tool doctor
check "cxl-vfio bind takes the device from that driver" status_is 0 $tool bind "$bdf"
check "the device has the driver that driver_override names" equal "$(driver_of "$bdf")" "$OURS"
$tool unbind "$bdf" > /dev/null
check "cxl-vfio doctor --report writes findings, devices and log" \
	sh -c "$tool doctor --report=/tmp/report > /dev/null; grep -q '\"findings\"' /tmp/report && grep -q '\"hdm_ranges\"' /tmp/report && grep -q 'HDM decoder 0' /tmp/report"
check "cxl-vfio doctor --report has no address of the host" sh -c "! grep -E '0x100000000|$short' /tmp/report"

# Without driverctl, then with it
mkdir -p /etc/systemd/system
unit=/etc/systemd/system/multi-user.target.wants/cxl-vfio@$bdf.service
mv /usr/sbin/driverctl /tmp/driverctl
check "cxl-vfio bind --persist succeeds without driverctl" status_is 0 $tool bind --persist "$bdf"
check "cxl-vfio bind --persist writes a udev rule without driverctl" grep -q "KERNEL==\"$bdf\".*driver_override.*$OURS" "/etc/udev/rules.d/60-cxl-vfio-$bdf.rules"
check "cxl-vfio bind --persist enables the unit" [ -e "$unit" ]
check "cxl-vfio unbind --persist succeeds without driverctl" status_is 0 $tool unbind --persist "$bdf"
check "cxl-vfio unbind --persist removes the udev rule" [ ! -e "/etc/udev/rules.d/60-cxl-vfio-$bdf.rules" ]
check "cxl-vfio unbind --persist disables the unit" [ ! -L "$unit" ]
mv /tmp/driverctl /usr/sbin/driverctl
check "cxl-vfio bind --persist succeeds with driverctl" status_is 0 $tool bind --persist "$bdf"
check "cxl-vfio bind --persist with driverctl binds to this driver" equal "$(driver_of "$bdf")" "$OURS"
check "driverctl lists the persistent binding" equal "$(driverctl list-persisted)" "$bdf $OURS"
check "cxl-vfio bind --persist with driverctl writes no udev rule" [ ! -e "/etc/udev/rules.d/60-cxl-vfio-$bdf.rules" ]
rm -f /tmp/let-go
hold "$bdf" /tmp/let-go > /tmp/hold.log 2>&1 &
holder=$!
for _ in $(seq 600); do grep -q ready /tmp/hold.log && break; sleep 0.1; done
check "cxl-vfio bind --persist succeeds for a device that a program has open" status_is 0 timeout 60 $tool bind --persist "$bdf"
check "cxl-vfio bind --persist leaves a device that is in use bound" equal "$(driver_of "$bdf")" "$OURS"
touch /tmp/let-go
wait $holder
check "cxl-vfio bind --persist leaves the memory of a device that is in use as it is" equal $? 0
check "cxl-vfio unbind --persist succeeds with driverctl" status_is 0 $tool unbind --persist "$bdf"
check "cxl-vfio unbind --persist clears driver and driver_override" equal "$(driver_of "$bdf")$(cat "$PCI/devices/$bdf/driver_override")" "(null)"
check "cxl-vfio unbind --persist empties the store of driverctl" [ -z "$(driverctl list-persisted)" ]

# Failures: each message has a remedy, and nothing is changed
check "cxl-vfio bind refuses a network card" says "not a CXL device with memory; see .cxl-vfio list" $tool bind "$nic"
check "cxl-vfio bind ends with status 1 for a network card" status_is 1 $tool bind "$nic"
check "cxl-vfio bind names a PCI function that does not exist" says "there is no such PCI function" $tool bind 0000:7f:00.0
t2ctl "$bdf" --decoder=0,committed=0
check "cxl-vfio list says that no HDM decoder is committed" says "cannot be assigned: HDM Decoder Capability: none of 1 decoders is committed.*\(ENODATA\)" $tool list
check "cxl-vfio bind refuses a device without committed decoder" says "none of 1 decoders is committed" $tool bind "$bdf"
check "cxl-vfio bind --json has the word for the refusal" grep -q '"done":false,"reason":"no-committed-decoder"' <(json bind "$bdf")
check "cxl-vfio bind --force reports that the driver refuses the device" says "$OURS refused the device \(ENODATA\): HDM Decoder Capability: none of 1 decoders.*; driver as before: none" $tool bind --force "$bdf"
check "a refused bind leaves driver_override clear" equal "$(cat "$PCI/devices/$bdf/driver_override")" "(null)"
t2ctl "$bdf" restore
t2ctl "$bdf" --misbehave=ones-dvsec
check "cxl-vfio list says that a device reads all ones" says "cannot be assigned: CXL Device DVSEC: CAPABILITY reads 0xffff.*\(ENODEV\)" $tool list
t2ctl "$bdf" restore
check "cxl-vfio without a command ends with status 2" status_is 2 $tool
check "cxl-vfio with an unknown command ends with status 2" status_is 2 $tool frobnicate
check "cxl-vfio bind with a malformed address ends with status 2" status_is 2 $tool bind 'zz:00.0'
for number in 0 -1 1x "" 4294967297 99999999999999999999; do
	check "cxl-vfio check with '$number' rounds ends with status 2" status_is 2 $tool check --rounds="$number" "$bdf"
done
check "cxl-vfio with too many arguments ends with status 2" status_is 2 $tool doctor "$bdf"
check "cxl-vfio --help shows the usage" says "^usage: cxl-vfio" $tool --help
check "cxl-vfio bind asks for root" says "this command needs root" setpriv --reuid 65534 $tool bind "$bdf"
