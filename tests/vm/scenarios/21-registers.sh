# SPDX-License-Identifier: GPL-2.0-only
# Every register through every view, for both VMM interfaces and with host addresses
# hidden or shown: regs_test.c has the expectations.
# t2dev: @type3
# t2dev: --io-bar --decoder=0,base=0x130000000
# t2dev:
# t2dev: @sibling --misbehave=no-mem-capable
# t2dev: @igb
# memmap: 256M$0x100000000,256M$0x130000000

bdf=$(dev)
for abi in v3 v2; do
	for hide in Y N; do
		modprobe cxl-vfio-pci vmm_abi=$abi hide_hpa=$hide keep_memory=1
		check "the device binds with vmm_abi=$abi hide_hpa=$hide" equal "$(bind "$bdf")" 0
		log_mark
		DEVICE=$bdf HPA=0x130000000 ABI=$abi HIDE=$hide LABEL="vmm_abi=$abi hide_hpa=$hide" tap regs_test
		check "vmm_abi=$abi hide_hpa=$hide: sysfs counts two errors of each kind in RAS" \
			equal "$(grep '^ras' "$PCI/devices/$bdf/cxl_vfio/errors" | paste -sd ' ')" \
			"ras_uncorrectable 2 ras_correctable 2"
		check "vmm_abi=$abi hide_hpa=$hide: the log names the errors in RAS" logged \
			"$bdf: CXL RAS: uncorrectable error: CXL.mem data parity, internal .status 0x00004010., shown to the guest"
		unbind "$bdf"
		modprobe -r cxl-vfio-pci
	done
done

# Two decoders: registers and ranges of both
modprobe cxl-vfio-pci
t2ctl "$bdf" --decoders=2
check "a device with a second, uncommitted decoder binds" equal "$(bind "$bdf")" 0
unbind "$bdf"
t2ctl "$bdf" restore
modprobe -r cxl-vfio-pci
log_mark
check "vmm_abi=v9: modprobe fails" sh -c '! modprobe cxl-vfio-pci vmm_abi=v9 2>&1'
check "vmm_abi=v9: the log lists the valid values" logged "vmm_abi=v9: expected v3 or v2"

# vbar= names a BAR that the device has itself
for slot in 0 2 4; do
	modprobe -r cxl-vfio-pci
	modprobe cxl-vfio-pci vbar=$slot
	log_mark
	check "vbar=$slot: bind fails with EEXIST where the device has a BAR of its own" equal "$(bind "$bdf")" EEXIST
	check "vbar=$slot: the log says that the device has a BAR there" logged "$bdf: vbar=$slot: the device has a BAR of its own"
done
modprobe -r cxl-vfio-pci
log_mark
check "a device without a free pair of BARs binds" equal "$(bind "$bdf")" 0
check "sysfs shows no virtual BAR for a device without a free pair of BARs" equal "$(cat "$PCI/devices/$bdf/cxl_vfio/vbar")" none
check "the log says that no pair of BARs is free" logged "$bdf: no free pair of BARs"
unbind "$bdf"
modprobe -r cxl-vfio-pci
check "vbar=3: modprobe fails" sh -c "! modprobe cxl-vfio-pci vbar=3 2>&1"
check "vbar=3: the log lists the valid values" logged "vbar=3: expected auto, off, 0, 2 or 4"
