# SPDX-License-Identifier: GPL-2.0-only
# An update from version 0.1.0 while a program has the device open: the device stays bound
# and works, and package and doctor say when the new module takes effect.  Other tests let
# DKMS build the module at an update; here that would take long, so that DKMS finds no
# headers, and the module that it would build comes from the layer of the series.
# t2dev:
# installed: 0.1.0
# full: yes
# needs: tools newest x86

bdf=$(dev)
kver=$(uname -r)
loaded() { cat /sys/module/$OURS/version; }
installed() { modinfo -k "$kver" -F version cxl-vfio-pci; }

check "before: version 0.1.0 binds the device" cxl-vfio bind "$bdf"
check "before: version 0.1.0 is loaded" equal "$(loaded)" 0.1.0
hold "$bdf" /tmp/let-go > /tmp/hold.log 2>&1 &
holder=$!
for _ in $(seq 600); do grep -q ready /tmp/hold.log && break; sleep 0.1; done
mv "/lib/modules/$kver/build" /lib/modules/build.off
apt-get install -y /src/build/deb/cxl-vfio-pci-dkms_*.deb /src/build/deb/cxl-vfio-tools_*_amd64.deb > /tmp/apt.log 2>&1
check "apt updates the packages" equal $? 0
cat /tmp/apt.log
version=$(cxl-vfio --version | cut -d ' ' -f 2)
install -D -t "/lib/modules/$kver/updates/dkms" \
	"$(find "/src/build/vm/$SERIES/layer/upper" -path '*/updates/dkms/*' -name 'cxl-vfio-pci.ko*')"
depmod
check "after the update the new module is installed" equal "$(installed)" "$version"
check "the package says that the old version stays loaded" grep -q 'version 0.1.0 stays loaded' /tmp/apt.log
check "the package says when the new version takes effect" grep -q 'takes effect after .*reboot' <(tr '\n' ' ' < /tmp/apt.log)
check "after the update the device is bound" equal "$(driver_of "$bdf")" "$OURS"
check "the updated cxl-vfio lists the device as bound" says "$bdf.*$OURS" cxl-vfio list
check "the updated cxl-vfio shows the state of the device" cxl-vfio status "$bdf"
check "doctor says that another module is loaded than is installed" \
	says "WARNING +loaded .*version 0.1.0, installed $version" cxl-vfio doctor
touch /tmp/let-go
wait $holder
check "a program keeps the device and its memory over the update" equal $? 0
check "after the update vfio opens the device" vfio_info "$bdf"
check "unbind by the updated cxl-vfio succeeds" cxl-vfio unbind "$bdf"
check "modprobe -r unloads the old module" modprobe -r cxl-vfio-pci
check "bind by the updated cxl-vfio succeeds" cxl-vfio bind "$bdf"
check "then the new module is loaded" equal "$(loaded)" "$version"
check "then doctor has no finding on the loaded module" equal "$(cxl-vfio doctor | grep -c '^WARNING *loaded')" 0
check "then vfio opens the device" vfio_info "$bdf"
