# SPDX-License-Identifier: GPL-2.0-only
# The device as part of the kernel's CXL topology, and outside of it.
# topology: yes
# needs: topology

. /src/tests/vm/guest/verdicts.sh
bdf=$(dev)
bridge=$(host_bridge)
window=0x100000000
place() { cat "$PCI/devices/$bdf/cxl_vfio/topology"; }
reload() {
	modprobe -r cxl-vfio-pci
	modprobe cxl-vfio-pci "$@"
}

modprobe cxl_acpi
before=$(iomem)
log_mark
check "the device binds" equal "$(bind "$bdf")" 0
check "the log names the memdev and the region of the device" \
	logged "$bdf: in the kernel's CXL topology as mem0, memory as region0"
check "sysfs names the memdev and the region of the device" equal "$(place)" "mem0 region0"
check "/proc/iomem has the driver's claim inside the region" \
	equal "$(iomem | grep -A1 'region0$' | tail -1 | sed 's/^ *//')" "100000000-10fffffff : $OURS"
check "cxl list shows the memdev" sh -c "cxl list -M -m mem0 2>/dev/null | grep -q '\"host\":\"$bdf\"'"
check "cxl list shows the endpoint's decoder" sh -c "cxl list -D -d endpoint 2>/dev/null | grep -q '\"resource\":4294967296'"
check "cxl list shows the region" sh -c "cxl list -R 2>/dev/null | grep -q '\"size\":268435456'"
! full || DEVICE=$bdf tap vfio_test
unbind "$bdf"
setpci -s "$bdf" COMMAND=2:2
agree "a host with a topology" "$bdf"
reload keep_memory=1
bind "$bdf" > /dev/null
t2ctl "$bdf" --lose=flr,cxl,bus,d3
DEVICE=$bdf LOSE=Y KEEP=Y LABEL="decoders lost" tap reset_test
t2ctl "$bdf" restore
unbind "$bdf"
check "unbinding leaves /proc/iomem as before the bind" equal "$(iomem)" "$before"

# With struct pages, which unbinding has to give back as well
reload struct_pages=on
rounds=0
for _ in $(seq 50); do
	[ "$(bind "$bdf")" = 0 ] && [ "$(place)" != none ] || break
	unbind "$bdf"
	rounds=$((rounds + 1))
done
check "50 rounds of bind and unbind in the topology succeed" equal "$rounds" 50
check "50 rounds of bind and unbind leave /proc/iomem unchanged" equal "$(iomem)" "$before"
check "50 rounds of bind and unbind leave no memdev" sh -c '! ls -d /sys/bus/cxl/devices/mem* 2>/dev/null'

reload cxl_core=off
check "cxl_core=off: the device binds" equal "$(bind "$bdf")" 0
check "cxl_core=off: the device is not in the topology" equal "$(place)" none
unbind "$bdf"

# A topology that cannot be assembled: cxl_core=require fails, auto does without
lacks() { # errno words
	local words="$2"

	reload cxl_core=require
	setpci -s "$bdf" COMMAND=2:2
	agree "cxl_core=require, $words" "$bdf" topology-required
	log_mark
	check "cxl_core=require, $words: bind fails with $1" equal "$(bind "$bdf")" "$1"
	check "cxl_core=require, $words: the log says why" logged "$bdf: cxl_core=require: .*$words"
	reload
	setpci -s "$bdf" COMMAND=2:2
	agree "cxl_core=auto, $words" "$bdf"
	log_mark
	check "cxl_core=auto, $words: the device binds" equal "$(bind "$bdf")" 0
	check "cxl_core=auto, $words: the log says what is missing" \
		logged "$bdf: not in the kernel's CXL topology: .*$words"
	unbind "$bdf"
}
# Firmware's part is played while cxl-core does not look: it reads decoders when it loads
modprobe -r cxl-vfio-pci cxl_acpi
t2fw commit $bridge 0 $window,512M 0
lacks ENXIO "the host bridge has no HDM decoder committed to exactly this range"
modprobe -r cxl-vfio-pci cxl_acpi
t2fw commit $bridge 0 $window,256M 0
reload cxl_core=require
rmmod cxl_acpi
log_mark
check "cxl_core=require without cxl_acpi: bind fails with EUNATCH" equal "$(bind "$bdf")" EUNATCH
check "cxl_core=require without cxl_acpi: the log asks for cxl_acpi" \
	logged "$bdf: cxl_core=require: .*is cxl_acpi loaded"
modprobe cxl_acpi

# Removing a part of the topology closes the memory for its user; the next bind works
taken() { # what command...
	local what=$1 user status

	shift
	reload
	check "$what: the device binds" equal "$(bind "$bdf")" 0
	hold "$bdf" /tmp/never > /tmp/hold.log 2>&1 &
	user=$!
	timeout 600 sh -c 'until grep -q ready /tmp/hold.log; do sleep 0.1; done'
	log_mark
	"$@" > /tmp/taken.log 2>&1
	wait $user
	status=$?
	check "$what: the user gets SIGBUS (status $status)" [ $status = 1 -o $status = $((128 + 7)) ]
	check "$what: the log says that device memory stays closed" logged "$bdf: .* is taken away, device memory stays closed"
	sleep 1
	[ -z "$(driver_of "$bdf")" ] || unbind "$bdf"
	modprobe cxl_mem
	modprobe cxl_acpi
	sleep 1
	check "$what: /proc/iomem has no claim of the driver after unbinding" sh -c "! grep -q $OURS /proc/iomem"
	check "$what: the device binds again" equal "$(bind "$bdf")" 0
	check "$what: the device is in the topology again" sh -c "! grep -q none $PCI/devices/$bdf/cxl_vfio/topology"
	unbind "$bdf"
}
taken "cxl disable-region" cxl disable-region -f all
taken "cxl disable-memdev" cxl disable-memdev -f all
# shellcheck disable=SC2016 # that shell's
taken "unbinding cxl_mem" sh -c 'cd /sys/bus/cxl/drivers/cxl_mem; for m in mem*; do echo $m > unbind; done'
taken "unloading cxl_acpi" rmmod cxl_acpi
