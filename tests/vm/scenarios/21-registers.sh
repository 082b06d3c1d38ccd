# SPDX-License-Identifier: GPL-2.0-only
# Every register through every view, with both interfaces to VMMs and with the
# host's addresses hidden or not: regs_test.c says what it should be.
# t2dev: @type3
# t2dev: --io-bar --decoder=0,base=0x130000000
# t2dev:
# t2dev: @sibling --misbehave=no-mem-capable
# memmap: 256M$0x100000000,256M$0x130000000

bdf=$(dev)
for abi in v3 v2; do
	for hide in Y N; do
		modprobe cxl-vfio-pci vmm_abi=$abi hide_hpa=$hide keep_memory=1
		check "binding works with vmm_abi=$abi hide_hpa=$hide" equal "$(bind "$bdf")" 0
		DEVICE=$bdf HPA=0x130000000 ABI=$abi HIDE=$hide tap regs_test
		unbind "$bdf"
		modprobe -r cxl-vfio-pci
	done
done

# Two decoders: registers and ranges of both
modprobe cxl-vfio-pci
t2ctl "$bdf" --decoders=2
check "a second decoder that is not committed is no hindrance" equal "$(bind "$bdf")" 0
unbind "$bdf"
t2ctl "$bdf" restore
modprobe -r cxl-vfio-pci
log_mark
check "a wrong vmm_abi is refused" sh -c '! modprobe cxl-vfio-pci vmm_abi=v9 2>&1'
check "with a line that says how it goes" logged "vmm_abi=v9: expected v3 or v2"

# The virtual BAR where this device has BARs of its own
for slot in 0 2 4; do
	modprobe -r cxl-vfio-pci
	modprobe cxl-vfio-pci vbar=$slot
	log_mark
	check "vbar=$slot: the device has one there" equal "$(bind "$bdf")" EEXIST
	check "vbar=$slot: the log says so" logged "$bdf: vbar=$slot: the device has a BAR of its own"
done
modprobe -r cxl-vfio-pci
log_mark
check "with no slot free it is bound" equal "$(bind "$bdf")" 0
check "without a virtual BAR" equal "$(cat "$PCI/devices/$bdf/cxl_vfio/vbar")" none
check "and the log says so" logged "$bdf: no free pair of BARs"
unbind "$bdf"
modprobe -r cxl-vfio-pci
check "a wrong vbar is refused" sh -c "! modprobe cxl-vfio-pci vbar=3 2>&1"
check "with a line that says how it goes" logged "vbar=3: expected auto, off, 0, 2 or 4"
