# SPDX-License-Identifier: GPL-2.0-only
#
# Turns the output of lspci -vvv into records for stock.awk, one a line:
#   awk -v nth=N -f lspci.awk FILE
# prints those of the N-th device (from 1) as "fact|value|place".  A capability's heading
# is the fact "capability 0xOFFSET" and, with its offset, the place of its lines, which are
# the facts "0xOFFSET LABEL".  A line without a label continues the one before.  A line
# of lspci's that describes no device is a "message".  What the
# guest assigns is left out: addresses and the number of the interrupt.  Brackets become
# parentheses, since those of a table are patterns.

function record(fact, value,    n) {
	gsub(/[|]/, "/", value)
	gsub(/\[/, "(", value)
	gsub(/\]/, ")", value)
	n = ++seen[fact]
	print fact (n > 1 ? " (" n ")" : "") "|" value "|" place
}

# Where a capability stands in the list of capabilities
function follow(at,    here) {
	here = place
	place = "list of capabilities"
	record("next " previous, at)
	place = here
	previous = at
}

BEGIN { previous = "first" }

/^[0-9a-f:]+\.[0-7] / { device++ }
device != nth || !NF { next }

{
	depth = match($0, /[^\t]/) - 1
	line = $0
	gsub(/[\t ]+/, " ", line)
	sub(/^ /, "", line)
	sub(/ $/, "", line)
}

depth == 0 {
	place = "device"
	record(line ~ /^[0-9a-f:]+\.[0-7] / ? "device" : "message", line)
	next
}

depth == 1 && line ~ /^Capabilities: \[/ {
	match(line, /\[[0-9a-f]+/)
	at = "0x" substr(line, RSTART + 1, RLENGTH - 1)
	value = substr(line, RSTART + RLENGTH)
	sub(/^\] */, "", value)
	sub(/^ /, "", value)
	sub(/\] /, " ", value)
	follow(at)
	place = value
	sub(/ *[:;,<].*/, "", place)
	place = place " " at
	inside = at " "
	label = "heading"
	record("capability " at, value)
	next
}

{
	if (depth == 1) {
		place = "device"
		inside = ""
	}
	if (line ~ /^Region /)
		sub(/ at [0-9a-f]+ /, " at ADDRESS ", line)
	sub(/routed to IRQ [0-9]+/, "routed to IRQ N", line)
	if (match(line, /^[A-Za-z][^:]*:/)) {
		label = substr(line, 1, RLENGTH - 1)
		record(inside label, substr(line, RLENGTH + 2))
	} else {
		record(inside label " continued", line)
	}
}

END {
	if (previous != "first")
		follow("0x000")
}
