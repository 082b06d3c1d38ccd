# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What `make lab` gives: a shell in the test machine, as on a host that never had
# the packages, and a guest's kernel and initramfs in /tmp/guest.

. /src/tests/vm/guest/nested.sh
load_kvm
nested_make
mkdir -p /tmp/guest
ln -s "$(nested_kernel)" /tmp/guest/kernel
ln -s "$NESTED/initrd" /tmp/guest/initrd
echo "removing the packages, as if they had never been here" > /dev/ttyS2
apt-get -qq purge -y cxl-vfio-pci-dkms cxl-vfio-tools > /dev/null 2>&1 || true
cp /src/build/deb/*.deb /root/
cd /root || exit

exec < /dev/ttyS2 > /dev/ttyS2 2>&1
stty sane
echo "Linux $(uname -r) with a CXL device; the packages are in $PWD; 'exit' leaves."
PS1='lab# ' setsid --ctty bash --norc -i
exit 0
