#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs scenarios on stock kernels, in virtual machines:
#   run.sh [ARCH=arm64 [PAGES=16k|64k]] [KERNELS="7.2 7.3"] [SCENARIO...]
#
# With ARCH=arm64, as an argument or in the environment, the machines are arm64; their
# kernels are 6.12, 7.3, and 7.3-16k and 7.3-64k, which have pages of 16 KiB and 64 KiB and are
# meant by PAGES=16k and PAGES=64k as well.  Their logs are in build/vm-arm64.
#
# A scenario is a file in scenarios/.  Comments in its head describe its machine:
#   # t2dev: OPTIONS    a software device with these options, one line a device;
#                       after @sibling it is a second function of the one before,
#                       after @switch it is below a switch, after @root in the root
#                       complex, on bus 0; @single has no other function;
#                       @type3, @igb and "@bar SIZE" are QEMU's memory expander, its
#                       network card with SR-IOV, and its device with a BAR 2 of
#                       memory, instead.  A device whose host breaks the
#                       specification's rules fails its machine; what a scenario
#                       breaks on purpose it allows with t2ctl --allow-misuse
#   # memmap: RANGES    memory hidden from the kernel, as memmap= takes it
#   # dimm: SIZE ADDR   memory at ADDR in no firmware table, instead of memmap
#   # cmdline: WORDS    added to the kernel's command line
#   # topology: yes     firmware describes the hidden memory to the kernel's CXL
#                       topology; or one BASE,SIZE a line, the range below each port, or
#                       after "window" one that no port decodes
#   # cpu: MODEL        QEMU's -cpu (default: max,la57=off), for example one with SVM
#                       for a scenario that boots a nested guest
#   # smp: N            number of processors
#   # timeout: SECONDS  the machine is stopped after so long
#   # mem: SIZE         memory, including what is hidden from the kernel
#   # guestqemu: release  the QEMU of the Debian release in /src/build/vm/release-qemu
#   # boots: N           the machine boots N times, with systemd as its init, and each boot
#                       runs the scenario (boot_number() has the number).  What a boot
#                       changed in the root is there in the next
#   # initramfs: PROGRAM with boots: the program that made the initramfs, initramfs-tools
#                       or dracut (default: lab, whose initramfs has no udev and no other
#                       modules than the root file system needs)
#   # installed: VERSION the packages of this released version are installed, instead of
#                       those of the tree
# and decide where it runs:
#   # full: yes         only with FULL=yes in the environment (make check-full)
#   # needs: ABILITY... only on series with all of these abilities of lib/series.sh; on
#                       other series the scenario counts as skipped
# Scenarios with the same machine share one boot.  TOPOLOGY=yes in the environment
# gives every machine a topology.  KEEP=yes opens a shell in the machine after each
# scenario, before it is cleaned up; run.sh prints how to connect to it.
#
# Logs of a run are in build/vm/SERIES/run/*/: result.log is the output of the scenarios,
# console.log the kernel's, qemu.log QEMU's and dev0.log that of the first device.

set -uo pipefail
here=$(dirname "$0")
for arg in "$@"; do
	[[ $arg != ARCH=* ]] || export "${arg?}"
done
. "$here/lib/all.sh"

# Seconds until a machine is stopped, so that a hang ends by itself
TIMEOUT=3600
[ -z "${FULL:-}" ] || TIMEOUT=10800
KEYS="t2dev memmap dimm cmdline topology cpu smp timeout mem guestqemu boots initramfs installed full needs"
SPLATS='WARNING:|BUG:|Oops|general protection|possible circular|INFO: task|suspicious RCU|KASAN|UBSAN|Call Trace|refcount_t|Kernel panic'
SPLATS+='|kernel BUG|INFO: trying to register|ODEBUG:|DMA-API: debugging out|suspected memory leaks'
SPLATS+='|lockdep is turned off|turning off the locking|detector disabled'

kernels=
pages=
scenarios=()
for arg in "$@"; do
	case $arg in
	-h|--help)
		echo "usage: run.sh [ARCH=arm64 [PAGES=16k|64k]] [KERNELS=\"SERIES...\"] [SCENARIO...]"
		echo "Runs scenarios (all, or those named) on stock kernels ($ALL_KERNELS)."
		exit 0
		;;
	ARCH=*) ;;
	KERNELS=*) kernels=${arg#KERNELS=} ;;
	PAGES=*) pages=${arg#PAGES=} ;;
	*) scenarios+=("$(basename "${arg%.sh}")") ;;
	esac
done
# 7.3 with PAGES=16k is 7.3-16k
if [ -n "$pages" ]; then
	kernels=$(for series in ${kernels:-$NEWEST}; do echo "$series-$pages"; done)
fi
[ -n "$kernels" ] || kernels=$ALL_KERNELS
for series in $kernels; do
	suite_of "$series" > /dev/null
	# Its kernel takes several times as long
	! series_has "$series" debug || TIMEOUT=10800
done
if [ ${#scenarios[@]} -eq 0 ]; then
	for file in "$here"/scenarios/*.sh; do
		scenarios+=("$(basename "${file%.sh}")")
	done
fi

header() { # scenario key
	sed -n "s/^# $2: *//p" "$here/scenarios/$1.sh"
}

# A key or ability that is misspelt would be ignored, and the scenario run anywhere
check_header() { # scenario
	local key word

	[ -e "$here/scenarios/$1.sh" ] || die "no scenario '$1', see $here/scenarios"
	# shellcheck disable=SC2013 # keys are words
	for key in $(sed -n 's/^# \([a-z0-9]*\): .*/\1/p' "$here/scenarios/$1.sh"); do
		[[ " $KEYS " == *" $key "* ]] || die "$1.sh: no key '# $key:', there are: $KEYS"
	done
	for word in $(header "$1" needs); do
		is_ability "$word" || die "$1.sh: no ability '$word' in lib/series.sh"
	done
}

# The abilities that a scenario needs and a series does not have
lacking() { # scenario series
	local word

	for word in $(header "$1" needs); do
		series_has "$2" "$word" || echo "$word"
	done
}

for s in "${scenarios[@]}"; do
	check_header "$s"
done

# The machine of a scenario, as the files that boot() reads
describe_machine() { # scenario dir
	header "$1" t2dev > "$2/devices"
	[ -s "$2/devices" ] || echo > "$2/devices"
	header "$1" memmap > "$2/memmap"
	# shellcheck disable=SC2016 # the kernel's syntax
	[ -s "$2/memmap" ] || echo '256M$0x100000000' > "$2/memmap"
	header "$1" mem > "$2/mem"
	[ -s "$2/mem" ] || echo 3G > "$2/mem"
	header "$1" topology > "$2/topology"
	if [ "$(cat "$2/topology")" = yes ] || [ -n "${TOPOLOGY:-}" ]; then
		# shellcheck disable=SC2016 # the kernel's syntax
		sed 's/\(.*\)\$\(.*\)/\2,\1/' "$2/memmap" > "$2/topology"
	fi
	header "$1" cpu > "$2/cpu"
	header "$1" dimm > "$2/dimm"
	header "$1" cmdline > "$2/cmdline"
	header "$1" guestqemu > "$2/guestqemu"
	header "$1" boots > "$2/boots"
	header "$1" initramfs > "$2/initramfs-of"
	[ ! -s "$2/boots" ] || [ -s "$2/initramfs-of" ] || echo lab > "$2/initramfs-of"
	header "$1" installed > "$2/installed"
	header "$1" smp > "$2/smp"
	[ -s "$2/smp" ] || echo 1 > "$2/smp"
	header "$1" timeout > "$2/timeout"
	[ -s "$2/timeout" ] || echo "$TIMEOUT" > "$2/timeout"
}

# Sort the scenarios of a series into directories, one for each machine
plan() { # series
	local dir=$BUILD/$1/run key s missing most=1000 n

	# The scenarios of one machine run one after another.  With a debug kernel they take much
	# longer than one more boot, and the last machine would run alone.
	! series_has "$1" debug || most=4

	rm -rf --one-file-system "$dir"
	mkdir -p "$dir/new"
	for s in "${scenarios[@]}"; do
		if [ -n "$(header "$s" full)" ] && [ -z "${FULL:-}" ]; then
			echo "@@ scenario $s"
			echo "@@ skip takes long: make check-full runs this scenario"
			continue
		fi
		missing=$(lacking "$s" "$1")
		if [ -n "$missing" ]; then
			echo "@@ scenario $s"
			echo "@@ skip Linux $1 lacks ${missing//$'\n'/ }"
			continue
		fi
		describe_machine "$s" "$dir/new"
		key=$(cat "$dir/new/"* | sha256sum | cut -c1-8)
		n=1
		while [ -e "$dir/$key-$n/plan" ] && [ "$(wc -l < "$dir/$key-$n/plan")" -ge $most ]; do
			n=$((n + 1))
		done
		key+=-$n
		mkdir -p "$dir/$key"
		cp "$dir/new/"* "$dir/$key/"
		echo "scenarios/$s.sh" >> "$dir/$key/plan"
	done > "$dir/skipped.log"
	rm -r "$dir/new"
}

# Tests of the machine as a whole, besides its scenarios
after_boot() { # dir status boots
	local allowed bad

	echo "@@ scenario machine"
	if [ "$(grep -c '^@@ finished' "$1/result.log")" = "$3" ]; then
		echo "@@ ok every scenario runs to its end"
	else
		echo "@@ fail every scenario runs to its end (QEMU ended with status $2)"
		tail -n 15 "$1/console.log" "$1/qemu.log" | sed 's/^/    /'
	fi
	allowed=$(grep -v '^#' "$here/log-allow.txt" | paste -sd '|')
	bad=$(tr -d '\r' < "$1/console.log" | sed -E "\\#$allowed#,/end trace/d" |
		grep -aE "$SPLATS")
	if [ -z "$bad" ]; then
		echo "@@ ok the kernel log has no warning or bug"
	else
		echo "@@ fail the kernel log has no warning or bug"
		printf '%s\n' "$bad" | head -20 | sed 's/^/    /'
	fi
	if [ ! -s "$1/devices.log" ]; then
		echo "@@ ok the software devices end with status 0"
	else
		echo "@@ fail the software devices end with status 0"
		sed 's/^/    /' "$1/devices.log"
	fi
}

# Install the module for a series and plan its machines
prepare_series() { # series
	if ! make_layer "$1"; then
		rm -rf --one-file-system "$BUILD/$1/run"
		mkdir -p "$BUILD/$1/run"
		echo "@@ scenario dkms" > "$BUILD/$1/run/skipped.log"
		echo "@@ fail the packages install and the module builds" >> "$BUILD/$1/run/skipped.log"
		return
	fi
	make_initramfs "$1" "$BUILD/$1/initramfs"
	plan "$1"
	[ -z "$(cat "$BUILD/$1"/run/*/guestqemu 2>/dev/null)" ] || make_release_qemu "$1"
	cat "$BUILD/$1"/run/*/initramfs-of 2>/dev/null | sort -u | while read -r kind; do
		make_boot_layer "$1" "$kind" </dev/null
	done
	cat "$BUILD/$1"/run/*/installed 2>/dev/null | sort -u | while read -r version; do
		make_release_layer "$1" "$version" </dev/null
	done
}

run_machine() { # series dir
	local status=0 start=$SECONDS boots=1 n

	if [ -n "${KEEP:-}" ]; then
		echo ,wait=off > "$2/shell"
		echo infinity > "$2/timeout"
	fi
	[ ! -s "$2/boots" ] || boots=$(cat "$2/boots")
	for ((n = 1; n <= boots && status == 0; n++)); do
		echo $n > "$2/boot"
		boot "$1" "$2" || status=$?
	done
	# No guest may be able to crash QEMU, so that this is a fault of QEMU
	if [[ $status = 139 && $boots = 1 ]]; then
		echo "@@ scenario machine"
		echo "@@ skip QEMU crashed with a segmentation fault, and the machine ran once more"
		mkdir "$2/crashed"
		mv "$2"/{result,console,qemu,dev*}.log "$2/crashed/"
		status=0
		boot "$1" "$2" || status=$?
	fi
	cat "$2/result.log"
	if [ -e "$2/stayed" ]; then
		echo "@@ scenario machine"
		echo "@@ skip QEMU stayed for ten minutes after the power-off, and was ended"
	fi
	after_boot "$2" "$status" "$boots"
	echo "@@ took $((SECONDS - start)) s: the whole machine of $(sed 's,scenarios/\(.*\)[.]sh,\1,' "$2/plan" | paste -sd ' ')"
}

# Turn the @@ lines of a machine into one readable line a test
report() { # series
	awk -v series="$1" '
		/^@@ scenario / { name = $3; next }
		/^@@ ok / { show("ok"); next }
		/^@@ fail / { show("FAIL"); next }
		/^@@ skip/ { show("skipped"); next }
		/^@@ end / {
			if ($3 != 0) { $0 = "@@ fail the scenario ends with status 0, not " $3; show("FAIL") }
			next
		}
		/^@@/ { next }
		/^    / { print }
		function show(what) {
			sub(/^@@ [a-z]+ /, "")
			printf "[%s] %s: %s ... %s\n", series, name, $0, what
		}'
}

[ -z "${KEEP:-}" ] || need_packages socat
# shellcheck disable=SC2086 # one series a word
prepare $kernels
make_programs

for series in $kernels; do
	mkdir -p "$BUILD/$series"
	prepare_series "$series" &
done
wait

# A guest in a guest of the debug kernel is too slow beside three other machines
is_slow() { # series dir
	series_has "$1" debug && [ -s "$2/cpu" ]
}

# Four machines at a time, since a machine waits more than it works.  Machines that may
# take longest start first, and slow ones last, two at a time.
mapfile -t machines <<< "$(for series in $kernels; do
	for dir in "$BUILD/$series"/run/*/; do
		[ ! -e "$dir/plan" ] ||
			echo "$(is_slow "$series" "$dir"; echo $?) $(cat "$dir/timeout" "$dir/smp" | paste -sd ' ') $(wc -l < "$dir/plan") $series ${dir%/}"
	done
done | sort -k 1,1nr -k 2,2nr -k 3,3nr -k 4,4nr | cut -d ' ' -f 5-)"
for machine in "${machines[@]}"; do
	# A series whose module did not build has no machine
	[ -n "$machine" ] || continue
	slots=4
	! is_slow "${machine%% *}" "${machine#* }" || slots=2
	while [ "$(jobs -rp | wc -l)" -ge $slots ]; do wait -n; done
	[ -z "${KEEP:-}" ] ||
		note "a shell after the scenario: socat STDIO,raw,echo=0 UNIX:${machine#* }/shell.sock"
	run_machine "${machine%% *}" "${machine#* }" > "${machine#* }/raw.log" 2>&1 &
done
wait

for series in $kernels; do
	cat "$BUILD/$series"/run/skipped.log "$BUILD/$series"/run/*/raw.log | report "$series"
done | tee "$BUILD/report.log"
for series in $kernels; do
	sed -n "s/^@@ took \([0-9]*\) s: /\1 s [$series] /p" "$BUILD/$series"/run/*/raw.log
done | sort -rn > "$BUILD/times.log"
echo "the scenarios that took longest (all are in ${BUILD#"$TOP"/}/times.log):"
head -n 12 "$BUILD/times.log" | sed 's/^/    /'
passed=$(grep -c ' \.\.\. ok$' "$BUILD/report.log")
failed=$(grep -c ' \.\.\. FAIL$' "$BUILD/report.log")
skipped=$(grep -c ' \.\.\. skipped$' "$BUILD/report.log")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
