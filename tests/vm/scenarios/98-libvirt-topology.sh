# SPDX-License-Identifier: GPL-2.0-only
# Stock libvirt starts the guest of 96-nested-topology.sh, with the parts of a domain that
# cxl-vfio prints.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# needs: nested_topology tools x86
# full: yes

. /src/tests/vm/guest/topology.sh
. /src/tests/vm/guest/libvirt.sh
bdf=$(dev)
load_kvm
libvirt_start
check "the device binds" equal "$(bind "$bdf")" 0
mkdir -p $NESTED
topology_make

# The printed domain, with what every domain has: name, memory, kernel, console
cxl-vfio xml --topology "$bdf" > /tmp/printed.xml
cat > /tmp/machine.xml <<-END
	<name>topology</name>
	<memory unit='MiB'>512</memory>
	<vcpu>1</vcpu>
	<os>
	  <type arch='x86_64' machine='q35'>hvm</type>
	  <kernel>$(nested_kernel)</kernel>
	  <initrd>$NESTED/topology.initrd</initrd>
	  <cmdline>$NESTED_APPEND</cmdline>
	</os>
	<features><acpi/></features>
	<cpu mode='host-passthrough'/>
END
cat > /tmp/devices.xml <<-END
	<emulator>/usr/bin/qemu-system-x86_64</emulator>
	<serial type='file'><source path='$NESTED/console.log'/></serial>
	<controller type='usb' model='none'/>
	<memballoon model='none'/>
END
sed -e '/<domain /r /tmp/machine.xml' -e '/<devices>/r /tmp/devices.xml' /tmp/printed.xml \
	> /tmp/topology.xml
check "virsh defines a domain with what cxl-vfio xml --topology prints" virsh define /tmp/topology.xml
check "virsh starts the domain" virsh start topology
cat /var/log/libvirt/qemu/topology.log
! virsh domstate topology | grep -q running ||
	timeout 1500 sh -c "until grep -q 'guest: finished' $NESTED/console.log; do sleep 1; done"
tr -d '\r' < $NESTED/console.log > $NESTED/lines
check "the guest runs to its end" grep -q '^guest: finished' $NESTED/lines
topology_report 3
check "the table has moved the window" guest_says 'table: done$'
check "decoders and region of the guest are at the address of BAR 4" topology_is_at_the_bar start
virsh destroy topology > /dev/null 2>&1
virsh undefine topology > /dev/null
kill "$(cat /run/libvirtd.pid)"
