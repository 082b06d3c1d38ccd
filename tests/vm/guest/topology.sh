# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A guest with a CXL topology, started with the options that cxl-vfio prints, for scenarios
# that assign the device to it.

# shellcheck source=nested.sh
. /src/tests/vm/guest/nested.sh

# Copy a module, uncompressed, to the guest's root, and note it in a list to be loaded,
# unless it is there already
topology_module() { # path list
	local name

	name=$(basename "${1%.ko*}").ko
	[ ! -e "$root/modules/$name" ] || return 0
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*) cat "$1" ;;
	esac > "$root/modules/$name"
	echo "$name" >> "$root/modules/$2"
}

# The same for modules by their names, with those that they need
topology_modules() { # list name...
	local f

	for f in "${@:2}"; do
		modprobe --show-depends "$f" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done > /tmp/modules
	while read -r f; do
		topology_module "$f" "$1"
	done < /tmp/modules
}

# Make the guest's initramfs.  A kernel whose cxl-core does not serve drivers of Type-2
# devices has no t2cxl.ko; its guest ends with t2guest.ko
topology_make() {
	local root=$NESTED/topology f t2cxl

	[ ! -e $NESTED/topology.initrd ] || return 0
	mkdir -p "$root"/{bin,proc,sys,dev,modules}
	cp /bin/busybox "$root/bin/"
	for f in $(command -v cxl) $(ldd "$(command -v cxl)" | grep -o '/[^ ]*'); do
		install -D "$f" "$root$f"
	done
	: > "$root/modules/order"
	: > "$root/modules/dax"
	topology_modules order cxl_acpi cxl_port cxl_mem
	# What takes memory from dax regions, for the guest that loads it
	[[ " ${TOPOLOGY_APPEND:-} " != *" dax "* ]] || topology_modules dax dax_cxl device_dax kmem
	t2cxl=$(find /lib/modules/"$(uname -r)" -name t2cxl.ko)
	if [ -n "$t2cxl" ]; then
		topology_module "$t2cxl" order
	else
		cp "$(find /lib/modules/"$(uname -r)" -name t2guest.ko)" "$root/"
	fi
	install -m 755 /src/tests/vm/guest/topology-init "$root/init"
	(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) > $NESTED/topology.initrd
}

# Boot the guest with the options of QEMU that are the arguments; TOPOLOGY_APPEND is added
# to its command line, TOPOLOGY_ACCEL is accelerator and processor in place of KVM,
# TOPOLOGY_QEMU another QEMU
topology_boot() { # argument...
	local pid

	mkdir -p $NESTED
	rm -f $NESTED/console.log
	topology_make
	# shellcheck disable=SC2086 # one argument a word
	timeout -k 60 "${NESTED_TIMEOUT:-1500}" "${TOPOLOGY_QEMU:-qemu-system-x86_64}" -nodefaults -no-user-config \
		-display none -no-reboot -accel ${TOPOLOGY_ACCEL:-kvm -cpu host} -m 512M \
		-kernel "$(nested_kernel)" -initrd $NESTED/topology.initrd \
		-append "$NESTED_APPEND ${TOPOLOGY_APPEND:-}" -serial file:$NESTED/console.log "$@" \
		< /dev/null > $NESTED/qemu.log 2>&1 &
	pid=$!
	wait $pid
	tr -d '\r' < $NESTED/console.log > $NESTED/lines
	check "${LABEL:+$LABEL: }the guest runs to its end" grep -q '^guest: finished' $NESTED/lines
	grep -q '^guest: finished' $NESTED/lines ||
		tail -n 40 $NESTED/lines $NESTED/qemu.log | sed 's/^/    /'
}

# The options that the tool prints for the devices, as words in $qemu
topology_options() { # bdf...
	eval "qemu=($(cxl-vfio qemu --topology "$@"))"
}

# guest_says REGEX: for check, is there such a line "guest: ..."?
guest_says() {
	grep -qE "^guest: $1" $NESTED/lines && return
	grep '^guest: ' $NESTED/lines
	return 1
}

# The value of a line "guest: KEY VALUE"
guest_value() { sed -n "s/^guest: $1 //p" $NESTED/lines | head -n 1; }

# The verdicts of t2cxl.ko as tests of this scenario, and how often it came to its end
topology_report() { # times
	local label=${LABEL:+$LABEL: }

	sed -n -e 's/.*t2\(cxl\|guest\): ok /@@ ok '"$label"'in the guest: /p' \
		-e 's/.*t2\(cxl\|guest\): FAIL /@@ fail '"$label"'in the guest: /p' $NESTED/lines | sort -u
	check "${label}the guest's driver runs to its end, each time that it is bound" \
		equal "$(grep -c 't2cxl: finished' $NESTED/lines)" "$1"
}

# Has the guest a region, a host bridge's decoder and a device's decoder with this range?
topology_is_at() { # moment range
	[ "$(grep -c "^guest: $1: region $2" $NESTED/lines)" -eq 1 ] &&
		[ "$(grep -c "^guest: $1: decoder[1-9][0-9]*\.0 $2" $NESTED/lines)" -eq 2 ]
}

# Does it have them at the BAR 4 of each of its devices?
topology_is_at_the_bar() { # moment [devices]
	local start end n=0

	while read -r start end; do
		[ $((end - start)) -ne $((0xfffffff)) ] ||
			! topology_is_at "$1" "$(printf '0x%x 0x10000000' $((start)))" || n=$((n + 1))
	done < <(sed -n "s/^guest: $1: BAR //p" $NESTED/lines)
	[ $n -eq "${2:-1}" ] && return
	grep "^guest: $1" $NESTED/lines
	return 1
}
