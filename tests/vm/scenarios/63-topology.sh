# SPDX-License-Identifier: GPL-2.0-only
# The device in the kernel's own CXL topology, and out of it.
# topology: yes
# needs: topology

bdf=$(dev)
bridge=5G	# the host bridge's component block, see lib/boot.sh
window=0x100000000
place() { cat "$PCI/devices/$bdf/cxl_vfio/topology"; }
reload() {
	modprobe -r cxl-vfio-pci
	modprobe cxl-vfio-pci "$@"
}

modprobe cxl_acpi
before=$(iomem)
log_mark
check "binding works" equal "$(bind "$bdf")" 0
check "the log names the device's place" \
	logged "$bdf: in the kernel's CXL topology as mem0, memory as region0"
check "so does sysfs" equal "$(place)" "mem0 region0"
check "the claim is that of the region" \
	equal "$(iomem | grep -A1 'region0$' | tail -1 | sed 's/^ *//')" "100000000-10fffffff : $OURS"
check "cxl list has the memdev" sh -c "cxl list -M -m mem0 2>/dev/null | grep -q '\"host\":\"$bdf\"'"
check "and the endpoint's decoder" sh -c "cxl list -D -d endpoint 2>/dev/null | grep -q '\"resource\":4294967296'"
check "and the region" sh -c "cxl list -R 2>/dev/null | grep -q '\"size\":268435456'"
! full || DEVICE=$bdf tap vfio_test
unbind "$bdf"
reload keep_memory=1
bind "$bdf" > /dev/null
t2ctl "$bdf" --lose=flr,cxl,bus,d3
DEVICE=$bdf LOSE=Y KEEP=1 tap reset_test
t2ctl "$bdf" restore
unbind "$bdf"
check "unbinding gives all of it back" equal "$(iomem)" "$before"

# With struct pages, which is one more thing to give back
reload struct_pages=on
rounds=0
for _ in $(seq 50); do
	[ "$(bind "$bdf")" = 0 ] && [ "$(place)" != none ] || break
	unbind "$bdf"
	rounds=$((rounds + 1))
done
check "50 rounds of binding and unbinding work" equal "$rounds" 50
check "and leave /proc/iomem as it was" equal "$(iomem)" "$before"
check "and no memdev" sh -c '! ls -d /sys/bus/cxl/devices/mem* 2>/dev/null'

reload cxl_core=off
check "cxl_core=off binds" equal "$(bind "$bdf")" 0
check "as a stranger" equal "$(place)" none
unbind "$bdf"

# A topology that cannot be assembled: refused if it is required, done without if not
lacks() { # errno words
	local words="$2"

	reload cxl_core=require
	log_mark
	check "cxl_core=require, $words: $1" equal "$(bind "$bdf")" "$1"
	check "cxl_core=require, $words: the log says why" logged "$bdf: cxl_core=require: .*$words"
	reload
	log_mark
	check "cxl_core=auto, $words: binds" equal "$(bind "$bdf")" 0
	check "cxl_core=auto, $words: the log says what is missing" \
		logged "$bdf: not in the kernel's CXL topology: .*$words"
	unbind "$bdf"
}
t2fw commit $bridge 0 $window,512M 0
lacks ENXIO "the host bridge has no HDM decoder committed to exactly this range"
t2fw commit $bridge 0 $window,256M 0
reload cxl_core=require
rmmod cxl_acpi
log_mark
check "cxl_core=require without cxl_acpi: EUNATCH" equal "$(bind "$bdf")" EUNATCH
check "cxl_core=require without cxl_acpi: the log has the remedy" \
	logged "$bdf: cxl_core=require: .*is cxl_acpi loaded"
modprobe cxl_acpi

# What is taken away under a user closes the memory, and is there for the next
taken() { # what command...
	local what=$1 user status

	shift
	reload
	check "$what: binding works" equal "$(bind "$bdf")" 0
	hold "$bdf" /tmp/never > /tmp/hold.log 2>&1 &
	user=$!
	timeout 20 sh -c 'until grep -q ready /tmp/hold.log; do sleep 0.1; done'
	log_mark
	"$@" > /tmp/taken.log 2>&1
	wait $user
	status=$?
	check "$what: the user sees SIGBUS ($status)" [ $status = 1 -o $status = $((128 + 7)) ]
	check "$what: the log says that it is closed" logged "$bdf: .* is taken away, device memory stays closed"
	sleep 1
	[ -z "$(driver_of "$bdf")" ] || unbind "$bdf"
	modprobe cxl_mem
	modprobe cxl_acpi
	sleep 1
	check "$what: nothing stays claimed" sh -c "! grep -q $OURS /proc/iomem"
	check "$what: it can be bound again" equal "$(bind "$bdf")" 0
	check "$what: into the topology" sh -c "! grep -q none $PCI/devices/$bdf/cxl_vfio/topology"
	unbind "$bdf"
}
taken "cxl disable-region" cxl disable-region -f all
taken "cxl disable-memdev" cxl disable-memdev -f all
# shellcheck disable=SC2016 # that shell's
taken "unbinding cxl_mem" sh -c 'cd /sys/bus/cxl/drivers/cxl_mem; for m in mem*; do echo $m > unbind; done'
taken "unloading cxl_acpi" rmmod cxl_acpi
