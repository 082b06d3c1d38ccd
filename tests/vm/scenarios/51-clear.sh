# SPDX-License-Identifier: GPL-2.0-only
# HDM memory is cleared between users unless keep_memory=Y.  make check-full repeats this
# with struct pages.

bdf=$(dev)
clearing=$PCI/devices/$bdf/cxl_vfio/clearing
modprobe t2lab
cleared() { # nothing is left to clear, in the end
	[ -e "$clearing" ] || return
	for _ in $(seq 6000); do
		[ "$(cat "$clearing")" != 0 ] || return 0
		sleep 0.1
	done
	return 1
}

try() { # keep pages
	modprobe cxl-vfio-pci "keep_memory=$1" "struct_pages=$2"
	check "the device binds with keep_memory=$1 struct_pages=$2" equal "$(bind "$bdf")" 0
	DEVICE=$bdf HPA=0x100000000 KEEP=$1 LABEL="keep_memory=$1 struct_pages=$2" tap clear_test
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
}

try N off
try Y off
! full || try N on
! full || try Y on

# What is there when the device is bound goes before anybody opens it, whether the device
# can clear memory by itself or not
for can in 1 0; do
	t2ctl "$bdf" --mem-clear=$can
	lab_word 0x108000000 0xdecade > /dev/null
	check "memory has data in it before the bind (--mem-clear=$can)" equal "$(lab_word 0x108000000)" 0xdecade
	check "the device binds with --mem-clear=$can" equal "$(bind "$bdf")" 0
	check "clearing ends after the bind (--mem-clear=$can)" cleared
	check "memory is clear before the device is opened (--mem-clear=$can)" equal "$(lab_word 0x108000000)" 0
	unbind "$bdf"
done
t2ctl "$bdf" restore
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci keep_memory=1
lab_word 0x108000000 0xdecade > /dev/null
check "the device binds with keep_memory=1 and data in its memory" equal "$(bind "$bdf")" 0
check "keep_memory=1 leaves nothing to clear" equal "$(cat "$clearing")" 0
vfio_info "$bdf" > /dev/null
check "an open with keep_memory=1 clears nothing" equal "$(lab_word 0x108000000)" 0xdecade
unbind "$bdf"
