# SPDX-License-Identifier: GPL-2.0-only
# The guest of 96-nested-topology.sh with lockdown, whose kernel loads signed modules alone: its
# driver is signed with DKMS' key, which its firmware has.  Emulated, as in
# 98-nested-topology-ovmf.sh.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# timeout: 10800
# needs: nested_topology tools x86
# full: yes

. /src/tests/vm/guest/topology.sh
bdf=$(dev)
kver=$(uname -r)
key=/var/lib/dkms/mok
check "the device binds" equal "$(bind "$bdf")" 0
topology_options "$bdf"
qemu[1]+=,smm=on
mkdir -p $NESTED/enrol/{bin,proc,sys,dev}
rm -rf $NESTED/topology $NESTED/topology.initrd
check "sign-file signs the guest's driver with the key of DKMS" /lib/modules/"$kver"/build/scripts/sign-file \
	sha256 $key.key $key.pub "$(find /lib/modules/"$kver" -name t2cxl.ko)"

# Firmware that keeps variables from the kernel by system management mode
cp /usr/share/OVMF/OVMF_VARS_4M.fd $NESTED/vars.fd
firmware=(-global "driver=cfi.pflash01,property=secure,value=on" -global ICH9-LPC.disable_s3=1
	-drive "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
	-drive "if=pflash,unit=1,format=raw,file=$NESTED/vars.fd")
TOPOLOGY_ACCEL="tcg -cpu max,la57=off"
NESTED_TIMEOUT=5000

LABEL="guest with the certificate"
cp /bin/busybox $NESTED/enrol/bin/
cp $key.pub $NESTED/enrol/key.der
xz -dc "$(find /lib/modules/"$kver"/kernel -name 'efivarfs.ko.xz')" > $NESTED/enrol/efivarfs.ko
install -m 755 /src/tests/vm/guest/enrol-init $NESTED/enrol/init
(cd $NESTED/enrol && find . | busybox cpio -o -H newc 2>/dev/null) > $NESTED/enrol.initrd
topology_boot -M q35,smm=on "${firmware[@]}" -initrd $NESTED/enrol.initrd
check "$LABEL: it puts the certificate in the firmware's db" guest_says enrolled

LABEL="guest with lockdown" TOPOLOGY_APPEND=lockdown=integrity
topology_boot "${qemu[@]}" "${firmware[@]}"
cat $NESTED/lines
check "$LABEL: its kernel is locked down" grep -q 'Kernel is locked down' $NESTED/lines
check "$LABEL: its kernel loads all modules" sh -c "! grep '^guest: not loaded' $NESTED/lines"
check "$LABEL: the table has moved the window" guest_says 'table: done$'
check "$LABEL: decoders and region are at the address of BAR 4" topology_is_at_the_bar start
check "$LABEL: after a function reset and rebind they are there again" topology_is_at_the_bar rebound
check "$LABEL: its kernel lets nobody write config space" sh -c "! grep '^guest: CXL reset done' $NESTED/lines"
topology_report 3
