# SPDX-License-Identifier: GPL-2.0-only
# cxl-vfio check passes on a good device, and fails at the right line on each bad one.
# needs: tools ends

bdf=$(dev)
setpci -s "$bdf" COMMAND=2:2
cd /tmp || return
modprobe vfio_iommu_type1

# Run a check, whose output goes to check.log, and print its status
run() {
	rm -f report.txt report.json
	cxl-vfio check --yes --rounds=3 "$bdf" > check.log 2>&1
	echo $?
}
has_line() { # regex
	grep -qE "$1" check.log && return
	cat check.log
	return 1
}
# The lines that failed
failures() { sed -n 's/^FAIL *\([a-z0-9-]*\) .*/\1/p' check.log | tr '\n' ' '; }

check "a good device: cxl-vfio check ends with status 0" equal "$(run)" 0
check "a good device: no line fails" has_line '^passed: [0-9]+ ok, 0 failed'
for name in judgement bind open models memory-io memory-map-1g memory-map-2m memory-map-page \
		memory-type speed reset-device reset-flr reset-cxl reset-cxl-clear reset-hot \
		reset-sysfs clearing rounds speed-no-pages speed-pages stock config as-before; do
	check "a good device: the line $name is ok" has_line "^ok +$name "
done
check "a good device: memory keeps its contents at FLR" has_line '^ok +reset-flr +contents kept'
check "a good device: it is left without a driver, as before" [ -z "$(driver_of "$bdf")" ]
check "report.txt has the kernel and the verdict" grep -q "^kernel  *$(uname -r)" report.txt
check "report.json is complete" grep -q '"passed":true' <(tr -d ' \n' < report.json)
check "the reports have no address of the host" sh -c "! grep -E '0x1[0-9a-f]{8}|${bdf#0000:}' report.txt report.json"
check "with --full the report has the address of the device" sh -c "cxl-vfio check --yes --full --rounds=1 $bdf > /dev/null; grep -q '^address  *$bdf' report.txt"
check "cxl-vfio check asks, and without an answer does nothing" \
	sh -c "! cxl-vfio check $bdf < /dev/null 2>&1 | tee /dev/stderr | grep -qv 'not checked'"

# What fails after a line that leaves the device in no state to use is ".." in @lines
fail_at() { # lines
	# shellcheck disable=SC2053 # a pattern
	[[ $(failures) == ${1/../*} ]] && return
	cat check.log
	return 1
}

# options of the software device|lines that fail|what the first one says
while IFS='|' read -r faults lines says; do
	t2ctl "$bdf" restore
	setpci -s "$bdf" COMMAND=2:2
	# shellcheck disable=SC2086 # one option a word
	t2ctl "$bdf" $faults
	check "$faults: cxl-vfio check ends with status 1" equal "$(run)" 1
	check "$faults: the lines that fail are $lines" fail_at "$lines"
	check "$faults: the line says why" has_line "^FAIL.*$says"
done <<'LIST'
--misbehave=two-hdm|judgement |second HDM Decoder Capability
--misbehave=not-active|bind |Connection timed out
--lose-memory=flr|reset-flr |contents cleared, expected kept
--misbehave=reset-error|reset-cxl ..|the reset fails
LIST
t2ctl "$bdf" restore

# A device that loses its decoders is restored, but vfio-pci would not do that
setpci -s "$bdf" COMMAND=2:2
t2ctl "$bdf" --lose=flr,cxl,bus,d3
check "lost decoders: cxl-vfio check ends with status 0" equal "$(run)" 0
check "lost decoders: the line of FLR says that the driver restored them" has_line '^ok +reset-flr .*restored by the driver'
check "lost decoders: stock vfio-pci is left out" has_line '^skip +stock +.*loses its decoders'
t2ctl "$bdf" restore
cd / || return
