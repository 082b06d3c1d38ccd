# SPDX-License-Identifier: GPL-2.0-only
# Where the CPU has VMX device memory gets struct pages without being asked for.  No such
# CPU can be emulated here: the kernel is told that it has one.
# cmdline: setcpuid=vmx
# needs: setcpuid tools

bdf=$(dev)
check "the CPU has VMX, as the kernel sees it" grep -qw vmx /proc/cpuinfo
check "binding works" equal "$(bind "$bdf")" 0
check "struct_pages=auto: there are some" [ "$(cat "$PCI/devices/$bdf/cxl_vfio/struct_pages")" -gt 0 ]
check "doctor says that guests have the memory write-back" \
	sh -c "cxl-vfio doctor | grep -q '^ok *memory type *$bdf: guests have device memory write-back$'"
check "doctor --json says it as well" \
	sh -c "cxl-vfio --json doctor | tr -d '\n' | grep -q '\"memory type\", *\"state\": *\"ok\"'"
check "status --json has the bytes" \
	sh -c "cxl-vfio --json status $bdf | grep -qE '\"struct_pages\": ?[0-9]+'"
unbind "$bdf"
modprobe -r cxl-vfio-pci
modprobe cxl-vfio-pci struct_pages=off
check "struct_pages=off: binding works" equal "$(bind "$bdf")" 0
check "without them" equal "$(cat "$PCI/devices/$bdf/cxl_vfio/struct_pages")" none
check "doctor warns, with the remedy" \
	sh -c "cxl-vfio doctor | grep -A1 '^WARNING *memory type *$bdf: .* uncached' | grep -q 'struct_pages=on'"
unbind "$bdf"
