# SPDX-License-Identifier: GPL-2.0-only
# dpkg installs the packages inside of the machine, and DKMS builds the module there with the
# machine's own compiler and headers.
# timeout: 20000
# needs: own_dkms
# full: yes

bdf=$(dev)
kver=$(uname -r)
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' /src/dkms.conf)
rm /lib/modules/"$kver"/updates/cxl-vfio-pci.ko /usr/sbin/cxl-vfio
depmod
check "before: no module is installed" sh -c "! modinfo cxl-vfio-pci 2>/dev/null"
mkdir -p /var/lib/dpkg/{info,updates,triggers} /var/log /var/lib/dkms
touch /var/lib/dpkg/status /var/lib/dpkg/available
# DKMS builds for each kernel with headers, and emulated compilers take long
find /lib/modules -maxdepth 2 -name build ! -path "/lib/modules/$kver/*" -delete
# The root's own packages were unpacked without dpkg
check "dpkg installs the packages" dpkg -i --force-depends \
	/src/build/deb-arm64/cxl-vfio-pci-dkms_*_all.deb /src/build/deb-arm64/cxl-vfio-tools_*_arm64.deb
installed() {
	dkms status | grep -F "cxl-vfio-pci/$version, $kver, " | grep ': installed' && return
	find /var/lib/dkms -name make.log -exec tail -n 40 {} \;
	return 1
}
check "DKMS says that the module is installed" installed
check "the module's version is that of the package" equal "$(modinfo -F version cxl-vfio-pci)" "$version"
check "cxl-vfio bind binds the device to the module that DKMS built" \
	says "^$bdf: bound to $OURS" cxl-vfio bind "$bdf"
check "vfio opens the device" vfio_info "$bdf"
check "cxl-vfio status shows the gate" says '^  gate +closed' cxl-vfio status "$bdf"
check "cxl-vfio unbind leaves the device without driver" cxl-vfio unbind "$bdf"
modprobe -r cxl-vfio-pci
check "dpkg removes the packages" dpkg --purge --force-depends cxl-vfio-pci-dkms cxl-vfio-tools
check "no module is left" sh -c "! modinfo cxl-vfio-pci 2>/dev/null"
