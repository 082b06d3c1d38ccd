# SPDX-License-Identifier: GPL-2.0-only
# Makes refusals.md from tests/vm/refusals.txt
BEGIN {
	FS = "|"
	print "<!-- SPDX-License-Identifier: GPL-2.0-only; made from tests/vm/refusals.txt by make docs -->"
	print "# Why a bind fails\n"
	print "The driver does not bind a device that contradicts the specification, or whose memory"
	print "the host uses.  The write to `bind` fails with the errno, and the kernel log has one"
	print "line, after the device's address.  \"All ones\" means that the device is gone.\n"
	print "| fault | errno | beginning of the log line |"
	print "|---|---|---|"
}
/^#/ { next }
{
	gsub(/\*/, "…", $3)
	printf "| %s | `%s` | `%s` |\n", $1, $2, $3
}
