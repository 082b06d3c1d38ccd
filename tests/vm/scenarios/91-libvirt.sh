# SPDX-License-Identifier: GPL-2.0-only
# Stock libvirt: define a domain with the device, start it, and have it back; the
# device's memory has struct pages here, and none in 90-nested.sh.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# needs: nested newest

. /src/tests/vm/guest/nested.sh
bdf=$(dev)
nic=$(lspci -Dn -d 8086:10d3 | awk '{print $1}')
load_kvm
# Where systemd would make /dev/vfio/vfio
modprobe vfio
export LIBVIRT_DEFAULT_URI=qemu:///system

# A host without systemd: libvirt's daemons by hand, QEMU as root in no cgroup
mkdir -p /run/libvirt /etc/libvirt
{
	echo 'user = "root"'
	echo 'group = "root"'
	echo 'cgroup_controllers = []'
	echo 'namespaces = []'
	echo 'security_driver = "none"'
	echo 'stdio_handler = "file"'
} > /etc/libvirt/qemu.conf
[ -s /etc/machine-id ] || echo 0123456789abcdef0123456789abcdef > /etc/machine-id
mkdir -p /sys/fs/cgroup
virtlogd -d
libvirtd -d
check "libvirt's daemon is there" timeout 60 sh -c 'until virsh list >/dev/null 2>&1; do sleep 0.5; done'

# domain NAME ADDRESS [DRIVER]: its XML
domain() {
	local a=${2//[:.]/ }

	# shellcheck disable=SC2086 # the parts of an address
	set -- "$1" $a "${3:-}"
	cat <<-EOF
		<domain type='kvm'>
		  <name>$1</name>
		  <memory unit='MiB'>512</memory>
		  <vcpu>1</vcpu>
		  <os>
		    <type arch='x86_64' machine='q35'>hvm</type>
		    <kernel>$(nested_kernel)</kernel>
		    <initrd>$NESTED/initrd</initrd>
		    <cmdline>$NESTED_APPEND</cmdline>
		  </os>
		  <features><acpi/></features>
		  <cpu mode='host-passthrough'/>
		  <on_reboot>destroy</on_reboot>
		  <devices>
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		    <serial type='file'><source path='$NESTED/console.log'/></serial>
		    <controller type='usb' model='none'/>
		    <memballoon model='none'/>
		    <hostdev mode='subsystem' type='pci' managed='yes'>
		      ${6:+<driver model='$6'/>}
		      <source><address domain='0x$2' bus='0x$3' slot='0x$4' function='0x$5'/></source>
		    </hostdev>
		  </devices>
		</domain>
	EOF
}

modprobe cxl-vfio-pci struct_pages=on
modprobe pci-stub ids=1234:c712
check "another driver has the device" equal "$(driver_of "$bdf")" pci-stub
nested_make
domain accelerator "$bdf" cxl_vfio_pci > /tmp/accelerator.xml
check "virsh define" virsh define /tmp/accelerator.xml
check "virsh start" virsh start accelerator
check "libvirt bound it to this driver" equal "$(driver_of "$bdf")" "$OURS"
check "its memory has struct pages" \
	sh -c "! grep none $PCI/devices/$bdf/cxl_vfio/struct_pages"
timeout 500 sh -c "until grep -q 'guest: finished' $NESTED/console.log; do sleep 1; done"
nested_report
virsh destroy accelerator > /dev/null 2>&1
timeout 20 sh -c "while [ \"\$(basename \$(readlink $PCI/devices/$bdf/driver))\" = $OURS ]; do sleep 0.5; done"
check "then it is its former driver's again" equal "$(driver_of "$bdf")" pci-stub
virsh undefine accelerator > /dev/null

# Without <driver>, libvirt chooses by the aliases of the kernel's modules
driver_chosen() { # address
	domain chosen "$1" > /tmp/chosen.xml
	virsh define /tmp/chosen.xml > /dev/null && virsh start chosen > /dev/null
	driver_of "$1"
	virsh destroy chosen > /dev/null 2>&1
	virsh undefine chosen > /dev/null
}
check "a device of no known id gets vfio-pci" equal "$(driver_chosen "$bdf")" vfio-pci
check "so does a network card" equal "$(driver_chosen "$nic")" vfio-pci
# What a module built with CXL_VFIO_IDS=1234:c712 adds (see dkms.sh)
echo "alias vfio_pci:v00001234d0000C712sv*sd*bc*sc*i* cxl_vfio_pci" >> "/lib/modules/$(uname -r)/modules.alias"
check "with an alias for its id it gets this driver" equal "$(driver_chosen "$bdf")" "$OURS"
check "and the network card still vfio-pci" equal "$(driver_chosen "$nic")" vfio-pci
kill "$(cat /run/libvirtd.pid)"
