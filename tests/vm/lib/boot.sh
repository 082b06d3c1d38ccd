# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The test machine: a stock kernel in stock QEMU, with a CXL host bridge and a
# root port for each software device.

shopt -s extglob

# The modules that a module of a series needs, a line "insmod PATH" each
show_depends() { # series module
	local kver dir

	kver=$(kver_of "$1")
	if [ "$LAB_ARCH" = amd64 ]; then
		in_throwaway "$1" modprobe -S "$kver" --show-depends "$2"
	else
		dir=$(find_in_root "$1" "usr/lib/modules/$kver")
		in_root "$(host_root)" "${dir%/lib/modules/*}=/lab/foreign" -- \
			modprobe -d /lab/foreign -S "$kver" --show-depends "$2" |
			sed 's,/lab/foreign/,/usr/,'
	fi
}

# An initramfs that finds the root file system; one for each kernel
make_initramfs() { # series out
	local kver dir path name

	kver=$(kver_of "$1")
	dir=$(mktemp -d "${TMPDIR:-/tmp}/cxl-vfio-lab.XXXXXX")
	mkdir -p "$dir"/{bin,proc,sys,dev,modules}
	cp "$(find_in_root "$1" bin/busybox)" "$dir/bin/"
	cp "$TOP/tests/vm/guest/init" "$TOP/tests/vm/guest/mount-root.sh" "$dir/"
	chmod 755 "$dir/init"
	# A kernel that has one of them built in says so, without a line insmod
	# Devices behind virtio-iommu wait for its driver
	for name in virtio_pci $([ "$LAB_ARCH" = amd64 ] || echo virtio_iommu) 9pnet_virtio 9p overlay; do
		show_depends "$1" "$name"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
		name=$(basename "${path%.ko*}").ko
		path=$(find_in_root "$1" "${path#/}")
		case $path in
		*.xz) xz -dc "$path" ;;
		*.zst) zstd -qdc "$path" ;;
		*) cat "$path" ;;
		esac > "$dir/modules/$name"
		echo "$name"
	done > "$dir/modules/order"
	(cd "$dir" && find . | cpio -o -H newc --quiet) > "$2"
	rm -rf "$dir"
}

# Path of the kernel image, which differs between packages
kernel_image() { # series
	local kver

	kver=$(kver_of "$1")
	find_in_root "$1" "boot/vmlinuz-$kver" "usr/lib/modules/$kver/vmlinuz" \
		"usr/lib/modules/$kver/vmlinuz.unsigned" || die "no image of kernel $kver"
}

# Play firmware: put a CEDT in front of the initramfs and write to DIR/firmware how the
# machine commits the host bridge's decoders before it runs a scenario.  Each line of
# DIR/topology is the range below a root port, or after "window" one that only has a window.  A machine with QEMU's memory expander has
# windows for the expander and for the hidden memory.
make_firmware() { # dir base-initramfs out
	local n=0 range ranges=() chbs expanders mem

	# QEMU places its host bridges' registers after the memory, 2 GiB of which are below
	# 4 GiB, and the window for expanders at the next multiple of 256 MiB
	mem=$(sed 's/G$//' "$1/mem")
	chbs=$((mem + 2))G expanders=$(((mem + 2) * 1024 + 256))M
	# On the virt board they are behind the second block of GIC redistributors, at 256 GiB,
	# and the window is behind all else, at 1 TiB
	[ "$LAB_ARCH" = amd64 ] || chbs=0x4004000000 expanders=0x10000000000
	while read -r range; do
		ranges+=("${range#window }")
		[[ $range != window\ * ]] || continue
		echo "commit $chbs $n $range $n"
		n=$((n + 1))
	done < "$1/topology" > "$1/firmware"
	if grep -q '^@type3' "$1/devices"; then
		ranges+=("$expanders,256M")
		# shellcheck disable=SC2016 # the kernel's syntax
		[ -s "$1/topology" ] || mapfile -t -O ${#ranges[@]} ranges <<< \
			"$(tr , '\n' < "$1/memmap" | sed 's/\(.*\)\$\(.*\)/\2,\1/')"
	fi
	mkdir -p "$1/cpio/kernel/firmware/acpi"
	"$TOP/build/vm/progs/t2fw" cedt "$1/cpio/kernel/firmware/acpi/cedt.aml" 12 "$chbs" "${ranges[@]}" ||
		return
	(cd "$1/cpio" && find kernel | cpio -o -H newc --quiet) | cat - "$2" > "$3"
}

# Start a device server for each line of options; their pids go to DEVICE_PIDS
start_devices() { # dir
	local n=0 options i

	DEVICE_PIDS=()
	while read -r options; do
		# QEMU's own devices need no server
		[[ $options != @@(type3|igb|bar)* ]] || { n=$((n + 1)); continue; }
		# shellcheck disable=SC2086 # one option a word
		"$TOP/build/t2dev" --socket "$1/dev$n.sock" ${options##@+([a-z])} > "$1/dev$n.log" 2>&1 &
		DEVICE_PIDS[n]=$!
		n=$((n + 1))
	done < "$1/devices"
	for i in "${!DEVICE_PIDS[@]}"; do
		timeout 120 sh -c "until [ -S '$1/dev$i.sock' ]; do sleep 0.05; done" ||
			{ cat "$1/dev$i.log" >&2; return 1; }
	done
}

# Stop the device servers; prints the log of each that failed
stop_devices() { # dir
	local i status

	for i in "${!DEVICE_PIDS[@]}"; do
		status=0
		timeout 120 tail --pid="${DEVICE_PIDS[$i]}" -f /dev/null ||
			kill "${DEVICE_PIDS[$i]}"
		wait "${DEVICE_PIDS[$i]}" || status=$?
		[ $status -eq 0 ] && ! grep -q 'runtime error\|Sanitizer' "$1/dev$i.log" &&
			continue
		echo "device $i ended with status $status"
		# Status 3: the host misused the device
		grep 'misuse: ' "$1/dev$i.log" || tail -n 20 "$1/dev$i.log"
	done
}

# How often the machine said that it powers off
power_offs() { # dir
	grep -c 'reboot: Power down' "$1/console.log"
}

# End QEMU, the process group of timeout, if it stays when its machine has powered off: QEMU
# was seen to wait for the machine's processor for ever then
end_after_power_off() { # dir pid
	local before

	before=$(power_offs "$1")
	until [ "$(power_offs "$1")" -gt "$before" ]; do
		kill -0 "$2" || return
		sleep 5
	done
	if timeout 600 tail --pid="$2" -f /dev/null; then return; fi
	touch "$1/stayed"
	kill -KILL -- "-$2"
}

# boot SERIES DIR: DIR has devices (a line of options each), plan, memmap, mem,
# smp, timeout, cpu, dimm, cmdline and topology (which may be empty) and, for a clock
# that counts instructions, icount; console.log and result.log are written there.
# With DIR/initramfs-of the machine boots the initramfs that this program made, with
# systemd as its init, and DIR/boot is the number of the boot: what earlier boots changed in
# the root is in DIR/state, and the logs go on.
# With a version in DIR/installed its packages are installed, not those of the tree.
# With a file DIR/shell the third serial line is shell.sock there; the file's content is
# appended to the options of the socket.
boot() {
	local series=$1 dir=$2 lines devices=() i place status=0 lowers mem accel
	local initramfs bridge=pxb-cxl cmdline slots size addr shell=()
	local options="" cpu machine=q35,cxl=on,kernel-irqchip=split,memory-backend=ram
	local qemu=(qemu-system-x86_64) tools tty=ttyS iommu state=() number=1 pid

	lowers=$BUILD/$series/layer/upper:$(lowerdir_of "$series")
	[ ! -s "$dir/installed" ] ||
		lowers=$BUILD/$series/$(cat "$dir/installed")/upper:$(lowerdir_of "$series")
	mem=$(cat "$dir/mem")
	tools=$(host_root)
	iommu=intel-iommu,intremap=on,caching-mode=on
	# The machine's clock counts instructions or follows the host's
	if [ -e "$dir/icount" ]; then
		accel=(-accel "tcg,thread=single" -icount "shift=0,sleep=off")
	else
		accel=(-accel "tcg,thread=multi")
		# On a busy host the kernel measures its time stamp counter wrong by far,
		# and its clock then runs many times too fast
		[ "$LAB_ARCH" != amd64 ] || options=tsc_early_khz=$("$BUILD/progs/t2fw" tsc)
		# A processor may be away for tens of seconds there, which is no soft lockup
		options+=" watchdog_thresh=60"
	fi

	# vfio-pci-core changes power states with its memory_lock held, and ASPM then takes
	# pci_bus_sem.  The recovery from an error of the link takes them in the other order.
	# Lockdep reports that once and is off from there on.  Without ASPM firmware would keep the
	# errors, if the kernel did not take them by pcie_ports=native.
	! series_has "$series" debug || options+=" pcie_aspm=off pcie_ports=native"

	cpu=$(cat "$dir/cpu" 2>/dev/null)
	cpu=${cpu:-max,la57=off}
	cmdline="memmap=$(cat "$dir/memmap")"
	slots=
	# Memory in no firmware table, which acpi_no_memhotplug keeps the kernel from adding
	if [ "$LAB_ARCH" != amd64 ]; then
		foreign_machine "$dir"
	elif [ -s "$dir/dimm" ]; then
		read -r size addr < "$dir/dimm"
		slots=,slots=1,maxmem=64G
		devices+=(-object "memory-backend-memfd,id=dimm,share=on,size=$size")
		devices+=(-device "pc-dimm,memdev=dimm,addr=$addr")
		cmdline=acpi_no_memhotplug
	fi
	[ ! -e "$dir/shell" ] || [ ${#shell[@]} -gt 0 ] || shell=(-serial "unix:/lab/run/shell.sock,server=on$(cat "$dir/shell")")
	mapfile -t lines < "$dir/devices"
	for i in "${!lines[@]}"; do
		place="\"bus\":\"rp$i\",\"addr\":\"00.0\",\"multifunction\":true"
		[[ ${lines[$i]} == @@(sibling|root|bar)* ]] ||
			devices+=(-device "cxl-rp,port=$i,bus=cxl.1,id=rp$i,chassis=0,slot=$((i + 2))")
		case ${lines[$i]} in
		@type3*)
			devices+=(-object "memory-backend-ram,id=type3,size=256M")
			devices+=(-device "cxl-type3,bus=rp$i,volatile-memdev=type3,id=type3-$i")
			bridge=pxb-cxl,hdm_for_passthrough=true
			machine=$machine,cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=256M
			continue
			;;
		@igb*)
			devices+=(-device "igb,bus=rp$i,romfile=")
			continue
			;;
		@bar*)
			size=${lines[$i]#@bar }
			devices+=(-object "memory-backend-memfd,id=bar$i,size=$size")
			devices+=(-device "ivshmem-plain,bus=pcie.0,memdev=bar$i")
			continue
			;;
		@root*)
			place="\"bus\":\"pcie.0\"" ;;
		@single*)
			place="\"bus\":\"rp$i\",\"addr\":\"00.0\"" ;;
		@sibling*)
			place="\"bus\":\"rp$((i - 1))\",\"addr\":\"00.1\"" ;;
		@switch*)
			devices+=(-device "cxl-upstream,bus=rp$i,id=up$i")
			devices+=(-device "cxl-downstream,port=0,bus=up$i,id=down$i,chassis=1,slot=$((i + 2))")
			place="\"bus\":\"down$i\",\"addr\":\"00.0\""
			;;
		esac
		# Without the limit QEMU gives the device up after 5 s, which a busy host may take
		devices+=(-device "{\"driver\":\"vfio-user-pci\",$place,\"socket\":{\"type\":\"unix\",\"path\":\"/lab/run/dev$i.sock\"},\"x-msg-timeout\":600000}")
	done
	[ -e "$BUILD/$series/initramfs" ] || make_initramfs "$series" "$BUILD/$series/initramfs"
	initramfs=$BUILD/$series/initramfs
	if [ -s "$dir/initramfs-of" ]; then
		number=$(cat "$dir/boot")
		initramfs=$(packaged_initramfs "$series" "$dir") || return
		lowers=$BUILD/$series/$(cat "$dir/initramfs-of")/upper:$lowers
		mkdir -p "$dir/state"
		state=(-fsdev "local,id=state,path=/lab/run/state,security_model=none"
			-device "virtio-9p-pci,bus=pcie.0,fsdev=state,mount_tag=state")
		cmdline+=" lab.boot=$number boot=lab root=lab init=/lib/systemd/systemd"
	fi
	if [ -s "$dir/topology" ] || grep -q '^@type3' "$dir/devices"; then
		make_firmware "$dir" "$initramfs" "$dir/initramfs" || return
		initramfs=$dir/initramfs
		bridge=pxb-cxl,hdm_for_passthrough=true
	fi
	[ "$number" -gt 1 ] || truncate -s 0 "$dir"/{console,result,devices}.log
	start_devices "$dir" || return
	# The machine sees the layer over its root; QEMU runs in the root of the newest series
	export -f in_root
	# shellcheck disable=SC2016 # the script's own variables
	timeout -k 5 "$(cat "$dir/timeout")" unshare --mount --propagation private bash -c '
		set -e
		root=$1 qemu=$2 dir=$3 image=$4 initramfs=$5 top=$6; shift 6
		merged=$(mktemp -d "$dir/merged.XXXXXX")
		# A root of several layers
		if [[ $qemu == *:* ]]; then
			mkdir -p "$dir"/qemu/{upper,work,root}
			mount -t overlay overlay "$dir/qemu/root" -o "lowerdir=$qemu,upperdir=$dir/qemu/upper,workdir=$dir/qemu/work"
			qemu=$dir/qemu/root
		fi
		mount -t overlay overlay "$merged" -o "ro,lowerdir=$root"
		in_root "$qemu" "$merged=/lab/root" "$dir=/lab/run" "$top=/lab/src" \
			"${image%/*}=/lab/image" "${initramfs%/*}=/lab/initramfs" -- "$@"
	' boot "$lowers" "$tools" "$dir" \
		"$(kernel_image "$series")" "$initramfs" "$TOP" \
		"${qemu[@]}" -nodefaults -no-user-config -display none -no-reboot \
		-M "$machine" \
		"${accel[@]}" -cpu "$cpu" -smp "$(cat "$dir/smp")" -m "$mem$slots" \
		-object "memory-backend-memfd,id=ram,share=on,size=$mem" \
		-device "$iommu" \
		-fsdev local,id=root,path=/lab/root,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,bus=pcie.0,fsdev=root,mount_tag=root \
		-fsdev local,id=src,path=/lab/src,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,bus=pcie.0,fsdev=src,mount_tag=src \
		"${state[@]}" -device e1000e,bus=pcie.0,romfile= \
		-device "$bridge,bus_nr=12,bus=pcie.0,id=cxl.1" "${devices[@]}" \
		-kernel "/lab/image/$(basename "$(kernel_image "$series")")" \
		-initrd /lab/initramfs/initramfs \
		-chardev file,id=console,path=/lab/run/console.log,append=on -serial chardev:console \
		-chardev file,id=result,path=/lab/run/result.log,append=on -serial chardev:result "${shell[@]}" \
		-append "console=${tty}0 loglevel=5 panic=-1 oops=panic intel_iommu=on nokaslr no_timer_check mitigations=off $options $cmdline $(cat "$dir/cmdline" 2>/dev/null) lab.plan=${dir#"$TOP"/}/plan${FULL:+ lab.full}${KEEP:+ lab.keep}" \
		< /dev/null > "$dir/qemu.log" 2>&1 &
	pid=$!
	end_after_power_off "$dir" $pid > /dev/null 2>&1 &
	wait $pid || status=$?
	[ ! -e "$dir/stayed" ] || status=0
	rmdir "$dir"/merged.* 2>/dev/null
	stop_devices "$dir" >> "$dir/devices.log"
	return $status
}
