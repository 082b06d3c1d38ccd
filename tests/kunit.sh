#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests the register models with KUnit, in User Mode Linux, which is built once from
# Debian's linux-source.  The tests link the same sources as the module.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
. tests/vm/lib/common.sh

out=$TOP/build/kunit
uml=$CACHE/uml

# Checksum of everything that User Mode Linux is made from
uml_key() {
	{
		cat tests/kunit/uml.config
		basename "$tarball"
		stat -c %s "$tarball"
		declare -f make_uml
	} | sha256sum | cut -c1-16
}

make_uml() {
	local skip=() dir

	note "building User Mode Linux for KUnit (once)"
	rm -rf --one-file-system "$uml"
	mkdir -p "$uml/source" "$uml/build"
	# Sources that no UML kernel is built from; Kconfig files stay
	for dir in drivers/gpu drivers/net drivers/media drivers/staging drivers/infiniband \
		drivers/scsi sound arch/arm arch/arm64 arch/mips arch/powerpc arch/s390; do
		skip+=(--exclude="*/$dir/*.[chS]")
	done
	tar -C "$uml/source" --strip-components=1 --wildcards "${skip[@]}" \
		--exclude='*/boot/dts/*' --exclude='*/Documentation/*.rst' \
		--exclude='*/tools/testing' --exclude='*/tools/perf' -xf "$tarball" || return
	uml_make KCONFIG_ALLCONFIG="$TOP/tests/kunit/uml.config" allnoconfig &&
		uml_make -j2 linux modules
}

uml_make() { make -s -C "$uml/source" ARCH=um O="$uml/build" "$@"; }

# Build a copy of the module, so that objects for different kernels do not mix
build() {
	rm -rf --one-file-system "$out/module"
	mkdir -p "$out/module/tests"
	cp -r Kbuild dkms.conf src include "$out/module/"
	cp -r tests/kunit "$out/module/tests/"
	find "$out/module" -name '*.o' -delete
	# Without inlining, so that coverage counts lines and branches of the source
	uml_make M="$out/module" CXL_VFIO_KUNIT=y W=1 GCOV_PROFILE=y KCFLAGS="-O1 -fno-inline" \
		modules
}

run() {
	local root=$out/root

	rm -rf --one-file-system "$root"
	mkdir -p "$root"/{bin,proc,sys,dev,tmp,out}
	cp "$CACHE/roots/trixie/bin/busybox" "$root/bin/"
	cp "$uml/build/lib/kunit/kunit.ko" "$out/module/cxl-vfio-pci-kunit.ko" "$root/"
	install -m 755 tests/kunit/init "$root/init"
	timeout 1200 "$uml/build/linux" mem=256M root=/dev/root rootfstype=hostfs \
		rootflags="$root" rw init=/init con=null con0=fd:0,fd:1 \
		</dev/null > "$out/console.log" 2>&1
	sed -n '/^KTAP/,$p' "$out/console.log" > "$out/ktap"
	cp -r "$root/out$out/module/." "$out/module/"
}

# Print a line for each case or parameter: ok or not, suite, case, parameter
leaves() {
	awk '
		/^ *# Subtest: / { name[length($0) - length(substr($0, index($0, "#")))] = $3; next }
		/^        (not )?ok / { emit(8); params++; next }
		/^    (not )?ok / { if (!params) emit(4); params = 0; next }
		function emit(depth,    verdict, label) {
			verdict = $0 ~ /^ *not ok/ ? "not" : "ok"
			label = $0
			sub(/^ *(not )?ok [0-9]+ /, "", label)
			sub(/^- /, "", label)
			print verdict, name[4] (depth == 8 ? " " name[8] : "") ": " label
		}' "$out/ktap"
}

# Percentages of lines and branches of a source that the tests have run
covered() { # source
	gcov -b -c -n "$out/module/src/$1.o" -o "$out/module/src" 2>/dev/null |
		awk -v file="/src/$1.c'" '
			/^File/ { mine = index($0, file) }
			mine && /^Lines executed/ { split($0, a, /[:%]/); lines = a[2] }
			mine && /^Taken at least once/ { split($0, a, /[:%]/); branches = a[2] }
			END { print lines, branches }'
}

enough() { # source
	local lines branches

	read -r lines branches < <(covered "$1")
	echo "$lines % of lines, $branches % of branches"
	awk -v l="$lines" -v b="$branches" 'BEGIN { exit !(l == 100 && b >= 95) }'
}

need_packages gcc libc6-dev make flex bison bc xz-utils
tests/vm/lab.sh prepare "$NEWEST" || exit 1
tarball=$(echo "$(tests/vm/lab.sh source)"/linux-source-*.tar.*)
mkdir -p "$out"
if [ "$(cat "$uml/ready" 2>/dev/null)" != "$(uml_key)" ]; then
	make_uml > "$out/uml.log" 2>&1 || { tail -n 30 "$out/uml.log"; die "UML does not build"; }
	uml_key > "$uml/ready"
fi
build > "$out/build.log" 2>&1
result $? "the KUnit tests build" < "$out/build.log"
check "the KUnit tests build without a warning" sh -c "! grep -i 'warning' '$out/build.log'"
run
while read -r verdict label; do
	[ "$verdict" = ok ]
	result $? "$label" < <(grep -A4 'EXPECTATION FAILED\|ASSERTION FAILED' "$out/ktap")
done < <(leaves)
for suite in cxl_vfio_hdm cxl_vfio_dvsec cxl_vfio_comp; do
	check "suite $suite passes as a whole" grep -q "^ok [0-9]* $suite" "$out/ktap"
done
check "the kernel log of the KUnit run has no warning" \
	sh -c "! grep -E 'WARNING|BUG:|UBSAN|Call Trace|Oops' '$out/console.log'"
for model in hdm dvsec comp; do
	check "the KUnit tests run all lines and 95 % of branches of $model.c" enough $model
done
for model in hdm dvsec comp; do
	echo "coverage: $model.c under KUnit: $(enough $model)"
done
finish
