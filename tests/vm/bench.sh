#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Measures this driver and stock vfio-pci in one boot, in instructions as QEMU's icount
# counts them: bench.sh [SERIES].  Writes build/bench.json, on the newest series
# docs/bench.svg as well, and prints a table; ends with 1 if a ratio is over its limit in
# bench.txt.

set -uo pipefail
here=$(dirname "$0")
. "$here/lib/all.sh"

series=${1:-$NEWEST}
dir=$BUILD/$series/bench

need_packages gnuplot-nox
ready_to_boot "$series" "$dir"
printf '%s\n' '--mem-clear=0' '--decoder=0,base=8G,size=16G' '--decoder=0,base=32G,size=64G' \
	'@bar 16G' > "$dir/devices"
# shellcheck disable=SC2016 # the kernel's syntax
echo '256M$4G,16G$8G,64G$32G' > "$dir/memmap"
echo 98G > "$dir/mem"
echo 1 > "$dir/smp"
echo 900 > "$dir/timeout"
echo guest/bench.sh > "$dir/plan"
touch "$dir/icount"
note "booting Linux $(kver_of "$series") with a clock that counts instructions"
boot "$series" "$dir"
if ! grep -q '^@@ end 0' "$dir/result.log"; then
	grep -v '^@@' "$dir/result.log"
	die "the benchmark did not run to its end, see $dir"
fi

# A series that is too old for most of it measures a part; one with iommufd, which no
# distribution ships, how memory is mapped for DMA
all=1
if ! series_has "$series" dvsec || series_has "$series" iommufd; then all=0; fi
# name ours base ratio limit verdict|what
awk -F '|' -v all=$all '
	NR == FNR { split($0, a, " "); if (a[1] == "BENCH") { ours[a[2]] = a[3]; base[a[2]] = a[4] } next }
	/^#/ || (!all && !($1 in ours)) || (all && /^map_file/) { next }
	{
		ratio = base[$1] > 0 ? ours[$1] / base[$1] : 999
		verdict = (ratio <= $2) ? "reached" : "MISSED"
		printf "%s %.0f %.0f %.4f %s %s|%s\n", $1, ours[$1], base[$1], ratio, $2, verdict, $3
	}' "$dir/result.log" "$here/bench.txt" > "$dir/table"

awk -F '|' -v kernel="$(kver_of "$series")" '
	BEGIN { printf "{\"kernel\": \"%s\", \"unit\": \"instructions\", \"metrics\": {", kernel }
	{
		split($1, a, " ")
		comma = (NR > 1) ? "," : ""
		printf "%s\n  \"%s\": {\"ours\": %.0f, \"base\": %.0f, \"ratio\": %s, \"what\": \"%s\"}",
			comma, a[1], a[2], a[3], a[4], $2
	}
	END { print "\n}}" }' "$dir/table" > "$TOP/build/bench.json"

printf '%-18s %14s %14s %8s %6s\n' metric ours base ratio limit
awk '{ sub(/\|.*/, ""); printf "%-18s %14.0f %14.0f %8s %6s %s\n", $1, $2, $3, $4, $5, $6 }' "$dir/table"
missed=0
! grep -q MISSED "$dir/table" || missed=1
[ "$series" = "$NEWEST" ] || exit $missed

gnuplot <<-END > "$dir/plot.svg"
	set terminal svg size 720,360 font "sans-serif,11" background "white"
	set title "Instructions against the base (Linux $(kver_of "$series"), QEMU icount)"
	set style data histograms
	set style fill solid 0.7 noborder
	set yrange [0:2]
	set xtics rotate by -30
	set key top right
	set grid ytics
	plot "$dir/table" using 4:xtic(1) title "this driver" linecolor "#4477aa", \
		1 title "base" linecolor "#888888", \
		"" using 0:5 with points pointtype 2 linecolor "#cc3311" title "must reach"
END
sed '1a <!-- SPDX-License-Identifier: GPL-2.0-only, made by make bench -->' "$dir/plot.svg" \
	> "$TOP/docs/bench.svg"
exit $missed
