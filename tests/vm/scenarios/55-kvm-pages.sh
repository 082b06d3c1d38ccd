# SPDX-License-Identifier: GPL-2.0-only
# KVM maps HDM memory for its guests in pages of 1 GiB and 2 MiB, where base and size of the
# memory allow it.
# cpu: EPYC-v4,+svm,+npt
# smp: 1
# t2dev: --decoder=0,base=8G,size=2G
# memmap: 2G$8G
# mem: 8G
# needs: nested x86

. /src/tests/vm/guest/nested.sh
bdf=$(dev)
load_kvm
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
try() { # struct_pages max_order
	modprobe cxl-vfio-pci keep_memory=1 "struct_pages=$1" "max_order=$2"
	check "struct_pages=$1 max_order=$2: the device binds" equal "$(bind "$bdf")" 0
	DEVICE=$bdf BAR=$(cat "$PCI/devices/$bdf/cxl_vfio/vbar") MAX_ORDER=$2 \
		LABEL="struct_pages=$1 max_order=$2" tap kvm_test
	unbind "$bdf"
	modprobe -r cxl-vfio-pci
}

try off 18
try on 18
try off 9
