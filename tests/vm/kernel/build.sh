#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs in a layer over the root of a Debian release, see lib/built-kernel.sh: builds a kernel
# and installs image, modules and what modules are built with.
#   build.sh ARCH SERIES PACKAGE CONFIG...    works in /work, installs to /tree

set -euo pipefail
arch=$1 series=$2 package=$3
shift 3
config=/work/all.config
(cd "$(dirname "$0")" && cat "$@") > $config

case $arch in
amd64) make=() image=x86/boot/bzImage other='arm*' ;;
arm64) make=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-) image=arm64/boot/Image other=x86 ;;
esac
kernel() { make -s -C /work/source O=/work/build "${make[@]}" "$@"; }

apt-get -qq install -y flex bison bc libelf-dev > /dev/null
cd /work
apt-get -qq download "$package"
dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x --wildcards './usr/src/*.tar.*'
mkdir source
# What a kernel without these drivers is not built from; Kconfig files stay
tar -C source --strip-components=1 --exclude='*/Documentation/*.rst' --exclude='*/boot/dts/*' \
	--exclude='*/tools/testing' --exclude='*/tools/perf' --wildcards \
	--exclude='*/drivers/gpu/drm/*.[chS]' --exclude='*/drivers/net/ethernet/*.[chS]' \
	--exclude='*/drivers/net/wireless/*.[chS]' --exclude='*/drivers/media/*.[chS]' \
	--exclude='*/drivers/staging/*.[chS]' --exclude='*/sound/*.[chS]' \
	--exclude="*/arch/$other/*.[chS]" --exclude='*/arch/mips/*.[chS]' \
	--exclude='*/arch/powerpc/*.[chS]' --exclude='*/arch/s390/*.[chS]' -xf usr/src/linux-source-*.tar.*

kernel KCONFIG_ALLCONFIG=$config allnoconfig
# A line that Kconfig does not follow would be a test that is missing
lost=0
while read -r line; do
	case $line in
	CONFIG_*=n) grep -q "^${line%n}" build/.config || continue ;;
	CONFIG_*) ! grep -qxF -e "$line" build/.config || continue ;;
	*) continue ;;
	esac
	echo "the kernel's configuration has no $line"
	lost=1
done < $config
[ $lost -eq 0 ]

kernel -j2 "$(basename "$image")" modules
kver=$(kernel kernelrelease)
kernel INSTALL_MOD_PATH=/tree/usr DEPMOD=true modules_install
# The module that injects PCI errors takes a lock inside of the raw lock of config space, which
# lockdep reports once and is off from there on: a copy of it has a raw lock, and is used
mkdir aer
sed 's/DEFINE_SPINLOCK/DEFINE_RAW_SPINLOCK/; s/\<spin_\(lock\|unlock\)_irq/raw_&/' \
	source/drivers/pci/pcie/aer_inject.c > aer/aer_inject.c
# shellcheck disable=SC2016 # make's own variable
echo 'obj-m := aer_inject.o
ccflags-y := -I$(srctree)/drivers/pci/pcie' > aer/Kbuild
kernel M=/work/aer modules
kernel M=/work/aer INSTALL_MOD_PATH=/tree/usr DEPMOD=true modules_install
cp "build/arch/$image" "/tree/usr/lib/modules/$kver/vmlinuz"
# The programs that build a module run on this machine, whatever the kernel is for
# shellcheck disable=SC2016 # make's own variables
kernel run-command \
	KBUILD_RUN_COMMAND='env CC="$(HOSTCC)" $(srctree)/scripts/package/install-extmod-build /tree/usr/src/linux-headers-'"$kver"
cp build/.config "/tree/usr/src/linux-headers-$kver/"
rm -f "/tree/usr/lib/modules/$kver"/{build,source}
ln -s "/usr/src/linux-headers-$kver" "/tree/usr/lib/modules/$kver/build"
depmod -b /tree/usr "$kver"
mkdir -p /tree/lab
echo "$kver" > "/tree/lab/kver-$series"
