# SPDX-License-Identifier: GPL-2.0-only
# The guest of 96-nested-topology.sh with a NUMA node for the device, by stock options of QEMU:
# docs/guest-topology.md has what each of them gives.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# needs: nested_topology tools x86
# full: yes

. /src/tests/vm/guest/topology.sh
bdf=$(dev)
load_kvm
check "the device binds" equal "$(bind "$bdf")" 0
topology_options "$bdf"
add_option() { # start-of-an-argument option
	local i

	for i in "${!qemu[@]}"; do
		[[ ${qemu[$i]} != $1* ]] || qemu[i]+=,$2
	done
}
add_option vfio-pci id=cxl-vfio
nodes=(-object "memory-backend-ram,id=ram,size=512M" -numa "node,nodeid=0,memdev=ram" -numa "node,nodeid=1")
initiator=(-object "acpi-generic-initiator,id=gi,pci-dev=cxl-vfio,node=1")

LABEL="generic initiator" TOPOLOGY_APPEND=dax
topology_boot "${qemu[@]}" "${nodes[@]}" "${initiator[@]}"
topology_report 3
check "$LABEL: the table has moved the window" guest_says 'table: done$'
check "$LABEL: the guest has node 1 with a generic initiator" guest_says 'nodes: with generic initiators 1$'
check "$LABEL: the device is in no node" guest_says 'nodes: device in -1$'
check "$LABEL: the kernel makes no dax device of a region that a driver has" guest_says 'nodes: dax devices$'
grep '^guest: nodes' $NESTED/lines

LABEL="node of the host bridge"
add_option pxb-cxl numa_node=1
topology_boot "${qemu[@]}" "${nodes[@]}"
topology_report 3
check "$LABEL: the guest has no node 1 without the generic initiator" guest_says 'nodes: online 0$'
check "$LABEL: the device is in no node" guest_says 'nodes: device in -1$'
grep '^guest: nodes' $NESTED/lines

LABEL="both" TOPOLOGY_APPEND="dax node"
topology_boot "${qemu[@]}" "${nodes[@]}" "${initiator[@]}"
topology_report 4
check "$LABEL: the table has moved the window" guest_says 'table: done$'
check "$LABEL: the device is in node 1" guest_says 'nodes: device in 1$'
check "$LABEL: the guest's driver adds the memory to node 1" guest_says 'node: online 262144 kB$'
check "$LABEL: the kernel puts a file in the memory of node 1" within 65536 "$(guest_value 'node: used' | cut -d' ' -f1)" 131072
check "$LABEL: the file in the memory of node 1 has its content" guest_says 'node: file is good$'
check "$LABEL: node 1 has no memory after the driver has gone" sh -c "! grep '^guest: node: given back [1-9]' $NESTED/lines"
cat $NESTED/lines
