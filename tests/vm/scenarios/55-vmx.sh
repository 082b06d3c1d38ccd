# SPDX-License-Identifier: GPL-2.0-only
# struct_pages=auto makes struct pages where the CPU has VMX.  QEMU does not emulate VMX,
# so the kernel is booted with setcpuid=vmx.
# cmdline: setcpuid=vmx
# needs: setcpuid tools

bdf=$(dev)
check "/proc/cpuinfo shows VMX" grep -qw vmx /proc/cpuinfo
check "the device binds" equal "$(bind "$bdf")" 0
check "struct_pages=auto: there are struct pages on a CPU with VMX" [ "$(cat "$PCI/devices/$bdf/cxl_vfio/struct_pages")" -gt 0 ]
check "cxl-vfio doctor reports that guests get device memory write-back" \
	sh -c "cxl-vfio doctor | grep -q '^ok *memory type *$bdf: guests get device memory write-back$'"
check "cxl-vfio doctor --json reports the memory type as ok" \
	sh -c "cxl-vfio --json doctor | tr -d '\n' | grep -q '\"memory type\", *\"state\": *\"ok\"'"
check "cxl-vfio status --json has the size of the page array" \
	sh -c "cxl-vfio --json status $bdf | grep -qE '\"struct_pages\": ?[0-9]+'"
unbind "$bdf"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci struct_pages=off
check "struct_pages=off: the device binds" equal "$(bind "$bdf")" 0
check "struct_pages=off: sysfs shows no struct pages" equal "$(cat "$PCI/devices/$bdf/cxl_vfio/struct_pages")" none
check "cxl-vfio doctor warns of uncached memory and names struct_pages=on" \
	sh -c "cxl-vfio doctor | grep -A1 '^WARNING *memory type *$bdf: .* uncached' | grep -q 'struct_pages=on'"
unbind "$bdf"
