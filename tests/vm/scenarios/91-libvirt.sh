# SPDX-License-Identifier: GPL-2.0-only
# Stock libvirt defines a domain with the device, starts it and gives the device back.
# Device memory has struct pages here, which it has not in 90-nested.sh.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# needs: nested newest x86

. /src/tests/vm/guest/nested.sh
. /src/tests/vm/guest/libvirt.sh
bdf=$(dev)
nic=$(lspci -Dn -d 8086:10d3 | awk '{print $1}')
load_kvm
libvirt_start

# domain NAME ADDRESS [DRIVER]: print the XML of a domain with the device
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
check "pci-stub has the device before libvirt starts the domain" equal "$(driver_of "$bdf")" pci-stub
nested_make
domain accelerator "$bdf" cxl_vfio_pci > /tmp/accelerator.xml
check "virsh defines the domain" virsh define /tmp/accelerator.xml
check "virsh starts the domain" virsh start accelerator
check "libvirt binds the device to the driver of <driver model=>" equal "$(driver_of "$bdf")" "$OURS"
check "the memory of the device has struct pages" \
	sh -c "! grep none $PCI/devices/$bdf/cxl_vfio/struct_pages"
timeout 1500 sh -c "until grep -q 'guest: finished' $NESTED/console.log; do sleep 1; done"
nested_report
virsh destroy accelerator > /dev/null 2>&1
timeout 600 sh -c "while [ \"\$(basename \$(readlink $PCI/devices/$bdf/driver))\" = $OURS ]; do sleep 0.5; done"
check "libvirt gives the device back to pci-stub" equal "$(driver_of "$bdf")" pci-stub
virsh undefine accelerator > /dev/null

# Without <driver> libvirt chooses by the vfio_pci aliases of modules
driver_chosen() { # address
	domain chosen "$1" > /tmp/chosen.xml
	virsh define /tmp/chosen.xml > /dev/null && virsh start chosen > /dev/null
	driver_of "$1"
	virsh destroy chosen > /dev/null 2>&1
	virsh undefine chosen > /dev/null
}
check "libvirt chooses vfio-pci for a device that no alias names" equal "$(driver_chosen "$bdf")" vfio-pci
check "libvirt chooses vfio-pci for a network card" equal "$(driver_chosen "$nic")" vfio-pci
# The alias of a module built with CXL_VFIO_IDS=1234:c712 (see tests/dkms.sh)
echo "alias vfio_pci:v00001234d0000C712sv*sd*bc*sc*i* cxl_vfio_pci" >> "/lib/modules/$(uname -r)/modules.alias"
check "libvirt chooses this driver for a device that its alias names" equal "$(driver_chosen "$bdf")" "$OURS"
check "libvirt still chooses vfio-pci for the network card" equal "$(driver_chosen "$nic")" vfio-pci
kill "$(cat /run/libvirtd.pid)"
