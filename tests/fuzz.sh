#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the fuzz targets from their seed corpora:
#   fuzz.sh [RUNS]       test for RUNS runs (make check-fuzz), always the same ones
#   fuzz.sh --grow SECS  search for new inputs for SECS seconds and add them to the seeds
#   fuzz.sh --coverage   print the coverage that the corpora reach
# Seeds are lines of hexadecimal in fuzz/corpus/TARGET.txt.  After fixing a crash, add its
# input there as one more line.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
. tests/vm/lib/common.sh

TARGETS="hdm dvsec discover config"
out=$TOP/build/fuzz

# Write each line of hexadecimal of a corpus to a file
unpack() { # target
	local n=0 line

	rm -rf "${out:?}/seeds/$1"
	mkdir -p "$out/seeds/$1"
	while read -r line; do
		[[ $line != \#* ]] || continue
		n=$((n + 1))
		xxd -r -p <<< "$line" > "$out/seeds/$1/$n"
	done < "tests/fuzz/corpus/$1.txt"
}

# Write the files of a directory as the lines of a corpus
pack() { # target directory
	{
		echo "# SPDX-License-Identifier: GPL-2.0-only"
		for file in "$2"/*; do
			xxd -p -c 0 "$file"
		done | sort -u
	} > "tests/fuzz/corpus/$1.txt"
}

fuzz() { # target arguments...
	"$out/$1" -seed=1 -max_len=512 -timeout=10 -verbosity=0 \
		-artifact_prefix="$out/crash-$1-" "${@:2}"
}

run() { # target
	local status=0

	unpack "$1"
	rm -f "$out/crash-$1-"*
	fuzz "$1" -runs="$runs" "$out/seeds/$1" > "$out/$1.log" 2>&1 || status=$?
	if [ $status -ne 0 ]; then
		tail -n 30 "$out/$1.log"
		for file in "$out/crash-$1-"*; do
			[ ! -e "$file" ] || echo "input: $(xxd -p -c 0 "$file")"
		done
	fi
	return $status
}

grow() { # seconds
	local target

	for target in $TARGETS; do
		unpack "$target"
		fuzz "$target" -max_total_time="$1" -seed=$RANDOM "$out/seeds/$target" || return
		rm -rf "$out/merged"
		mkdir "$out/merged"
		fuzz "$target" -merge=1 "$out/merged" "$out/seeds/$target" || return
		pack "$target" "$out/merged"
	done
}

coverage() {
	local target objects=("$out/cov/${TARGETS%% *}") sources=()

	make -s -C tests/fuzz COV=1 O="$out/cov" || return
	for target in $TARGETS; do
		unpack "$target"
		LLVM_PROFILE_FILE=$out/cov/$target.profraw "$out/cov/$target" -runs=0 \
			-verbosity=0 "$out/seeds/$target" 2>/dev/null || return
		objects+=(-object "$out/cov/$target")
	done
	llvm-profdata merge -o "$out/cov/all.profdata" "$out"/cov/*.profraw || return
	for target in hdm dvsec comp discover config; do
		sources+=("src/$target.c")
	done
	llvm-cov report "${objects[@]}" -instr-profile="$out/cov/all.profdata" "${sources[@]}" |
		awk '$1 ~ /src\/[a-z]*\.c$/ {
			sub(".*/", "", $1)
			printf "coverage: %s under the fuzzers: %s of lines, %s of branches\n",
				$1, $10, $13
		}'
}

need_packages clang llvm libclang-rt-14-dev make libc6-dev linux-libc-dev xxd
case ${1:-} in
--coverage)
	coverage
	exit
	;;
--grow)
	make -s -C tests/fuzz O="$out" && grow "${2:-60}"
	exit
	;;
esac
runs=${1:-100000}
check "the fuzz targets build without a warning" silent make -s -C tests/fuzz O="$out"
for target in $TARGETS; do
	check "$target survives $runs runs from its corpus" run "$target"
done
finish
