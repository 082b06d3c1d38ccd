# SPDX-License-Identifier: GPL-2.0-only
# A device of one function that clears its memory by a CXL reset, and one that only says so.
# t2dev: @single

bdf=$(dev)
dir=$PCI/devices/$bdf/cxl_vfio
modprobe t2lab
modprobe cxl-vfio-pci
cleared() {
	for _ in $(seq 6000); do
		[ "$(cat "$dir/clearing")" != 0 ] || return 0
		sleep 0.1
	done
	return 1
}
kind() { cut -d ' ' -f 1,2 "$dir/last_reset"; }

lab_word 0x108000000 0xdecade > /dev/null
check "the device that clears itself binds" equal "$(bind "$bdf")" 0
check "clearing ends after the bind of a device that clears itself" cleared
check "the device was asked to clear its memory" equal "$(kind)" "cxl 0"
check "memory is clear after the device cleared it" equal "$(lab_word 0x108000000)" 0
DEVICE=$bdf HPA=0x100000000 KEEP=N LABEL="by the device" tap clear_test
unbind "$bdf"

t2ctl "$bdf" --misbehave=clear-fails
lab_word 0x100000000 0xdecade > /dev/null
log_mark
check "the device that only says that it clears binds" equal "$(bind "$bdf")" 0
check "clearing ends after the bind of a device that does not clear" cleared
check "the log says that the device left data behind" logged "$bdf: .*left data behind"
check "memory is clear after the CPU cleared it" equal "$(lab_word 0x100000000)" 0
unbind "$bdf"
t2ctl "$bdf" restore
