# SPDX-License-Identifier: GPL-2.0-only
# A VMM that does everything it should not (hostile.c) to a device that the host resets,
# unbinds and has errors on meanwhile.  What is left of it afterwards: hostile_look.c.
# smp: 3
# needs: hostile

bdf=$(dev)
sysfs=$PCI/devices/$bdf/cxl_vfio
seeds=1
steps=5000
kills="1 3 7"
! full || { seeds="2 3 4 5 6"; steps=10000; kills="1 2 3 5 8 13 21"; }
aer=no
! modprobe -q aer_inject || aer=yes
modprobe t2lab
# vfio-pci-core closes the other BARs in no reset that its user did not ask for
t2ctl "$bdf" --allow-misuse=other-bar
options=()
has bar_moves || options+=(--no-bar-maps)

# The device is unbound and bound while its user waits for that; prints what goes wrong
rebind() {
	local errno unbinder

	unbind "$bdf" &
	unbinder=$!
	sleep 1
	touch /tmp/hostile.release
	wait "$unbinder"
	errno=$(bind "$bdf")
	[ "$errno" = 0 ] || echo "the device does not bind: $errno"
	rm /tmp/hostile.release
}

# What the host does until /tmp/hostile.over exists.  No error can be injected while the
# user masks it.
disturb() {
	local round=0 file

	while [ ! -e /tmp/hostile.over ]; do
		for file in "$sysfs"/*; do
			cat "$file" > /dev/null || echo "$file cannot be read"
		done
		case $((round % 8)) in
		0|2|4) echo 1 > "$PCI/devices/$bdf/reset" 2> /dev/null ;;
		1|5) [ $aer = no ] || aer_inject "$bdf" 0x4000 2> /dev/null ;;
		3) [ $aer = no ] || aer_inject "$bdf" 0x10 2> /dev/null ;;
		7) rebind ;;
		esac
		round=$((round + 1))
		sleep 1
	done
}

# A whole run of the program beside disturb(); the limit is there to name a run that hangs
run_hostile() { # seed [option]
	local status=0

	rm -f /tmp/hostile.over /tmp/hostile.release
	disturb > /tmp/disturb.log 2>&1 &
	timeout -k 600 3000 hostile "$bdf" "$1" $steps "${options[@]}" "${@:2}" > /tmp/hostile.log 2>&1 || status=$?
	touch /tmp/hostile.over
	wait $!
	cat /tmp/hostile.log
	return $status
}

# Start the program in a process group of its own, whose number goes to $group
start() { # command...
	setsid "$@" > /tmp/start.log 2>&1 &
	group=$!
	timeout 600 sh -c 'until grep -q ready /tmp/start.log; do sleep 0.1; done' ||
		cat /tmp/start.log
}

# No process and no thread of a process group is left
gone() { # group [looks, two a second]
	for _ in $(seq "${2:-1200}"); do
		kill -0 -- "-$1" 2> /dev/null || return 0
		sleep 0.5
	done
	for task in /proc/[0-9]*/task/*; do
		[ "$(cut -d ' ' -f 5 "$task/stat" 2> /dev/null)" != "$1" ] ||
			{ head -n 3 "$task/status"; cat "$task/stack"; }
	done
	return 1
}

stays() { ! gone "$1" 2; }
registers() { hostile_look "$bdf" registers; }
decoders() { cat "$sysfs/decoders"; }

modprobe cxl-vfio-pci
check "the device binds" equal "$(bind "$bdf")" 0
registers=$(registers)
decoders=$(decoders)
check "remap_file_pages() gives no memory but the device's" hostile_look "$bdf" remap
check "remap_file_pages() gives the next user no memory but the device's" hostile_look "$bdf" remap
for seed in $seeds; do
	check "a hostile user comes to its end, and gets nothing that it should not (seed $seed, $steps steps)" run_hostile "$seed"
	check "the device binds in the middle of a hostile run, and its files can be read (seed $seed)" sh -c '! grep . /tmp/disturb.log'
	check "decoders and DVSEC of the device are as before the hostile run (seed $seed)" equal "$(registers)" "$registers"
	check "the ranges in sysfs are as before the hostile run (seed $seed)" equal "$(decoders)" "$decoders"
	check "the next user finds no byte of the hostile one in HDM memory (seed $seed)" hostile_look "$bdf" scan
done
if has iommufd; then
	check "a hostile user by iommufd comes to its end, and gets nothing that it should not ($steps steps)" run_hostile 1 --iommufd
	check "the device binds in the middle of a hostile run by iommufd" sh -c '! grep . /tmp/disturb.log'
	check "decoders and DVSEC of the device are as before the hostile run by iommufd" equal "$(registers)" "$registers"
	check "the next user finds no byte of the hostile one by iommufd" hostile_look "$bdf" scan
fi

# Killed in the middle, at several moments
for delay in $kills; do
	start hostile "$bdf" "$delay" 1000000 "${options[@]}"
	sleep "$delay"
	kill -KILL -- "-$group"
	check "a hostile user that is killed after $delay s is gone" gone "$group"
	check "the device can be opened after its user was killed after $delay s" vfio_info "$bdf"
	check "the next user finds no byte of the one killed after $delay s" hostile_look "$bdf" scan
done
start hostile_look "$bdf" fill
check "a user that is not killed counts as not gone" stays "$group"
kill -KILL -- "-$group"
check "a user that has filled HDM memory is gone after SIGKILL" gone "$group"
check "the next user finds no byte of the one that has filled HDM memory" hostile_look "$bdf" scan
DEVICE=$bdf tap vfio_test -t hdm_region_mmap_rw -t hdm_region_reads_and_writes_any_bytes \
	-t hdm_decoder_commit_fsm -t dvsec_writes_never_reach_the_device \
	-t ioeventfd_on_the_component_block_is_refused -t hdm_memory_is_back_after_a_reset \
	-t mapping_outlives_the_file_descriptor -t device_reaches_memory_through_dma_and_interrupts
unbind "$bdf"
check "the device binds after hostile users" equal "$(bind "$bdf")" 0
check "the ranges in sysfs are as before hostile users" equal "$(decoders)" "$decoders"
unbind "$bdf"
modprobe -r cxl-vfio-pci

# The scan finds what is there
modprobe cxl-vfio-pci keep_memory=1
check "the device binds with keep_memory=1" equal "$(bind "$bdf")" 0
start hostile_look "$bdf" fill
kill -KILL -- "-$group"
check "keep_memory=1: a user that has filled HDM memory is gone after SIGKILL" gone "$group"
check "keep_memory=1: the next user finds the bytes of the one before" equal "$(hostile_look "$bdf" scan | tail -n 1)" "33554432 words are not clear"
