# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# libvirt in the test machine, for scenarios in which it starts a guest.

export LIBVIRT_DEFAULT_URI=qemu:///system

# Without systemd libvirt's daemons start by hand, and QEMU runs as root in no cgroup
libvirt_start() {
	# systemd would make /dev/vfio/vfio
	modprobe vfio
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
	check "libvirtd answers" timeout 600 sh -c 'until virsh list >/dev/null 2>&1; do sleep 0.5; done'
}
