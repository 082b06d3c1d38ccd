# SPDX-License-Identifier: GPL-2.0-only
# Makes refusals.md from tests/vm/refusals.txt
BEGIN {
	FS = "|"
	print "<!-- SPDX-License-Identifier: GPL-2.0-only; made from tests/vm/refusals.txt by make docs -->"
	print "# Why a bind fails\n"
	print "A device that is not what it should be is not bound.  The errno is that of the"
	print "write to `bind`; the line is in the kernel log, after the device's address.\n"
	print "| what is wrong | errno | the line begins with |"
	print "|---|---|---|"
}
/^#/ { next }
{
	gsub(/\*/, "…", $3)
	printf "| %s | `%s` | `%s` |\n", $1, $2, $3
}
