# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# `make lab`: a shell in the test machine, with the packages removed but at hand, and a
# kernel and an initramfs for a guest in /tmp/guest.

. /src/tests/vm/guest/nested.sh
load_kvm
nested_make
mkdir -p /tmp/guest
ln -s "$(nested_kernel)" /tmp/guest/kernel
ln -s "$NESTED/initrd" /tmp/guest/initrd
echo "removing the installed packages, so that you can install them by hand" > /dev/ttyS2
apt-get -qq purge -y cxl-vfio-pci-dkms cxl-vfio-tools > /dev/null 2>&1 || true
cp /src/build/deb/*.deb /root/
cd /root || exit

exec < /dev/ttyS2 > /dev/ttyS2 2>&1
stty sane
echo "Linux $(uname -r) with a CXL device.  The packages are in $PWD.  'exit' ends the machine."
PS1='lab# ' setsid --ctty bash --norc -i
exit 0
