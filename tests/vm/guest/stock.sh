# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For scenarios that compare the software devices of their machine under two drivers,
# with a table of the differences that may be there (stock-differences.txt explains it).

# What a VMM may write to CXL registers under vfio-pci, which passes everything on
# shellcheck disable=SC2034 # for scenarios
misuse=read-only,reserved,locked
# The profile of each device, in the order of their addresses
mapfile -t profiles < <(sed -n 's/^# t2dev:\( @[a-z0-9]*\)\? *//p' "/src/tests/vm/scenarios/$0.sh" |
	sed 's/^--profile=\([^ ]*\).*/\1/; t; s/.*/default/')

# Words of the first columns of tables that name no device and no ability
unknown_words() { # table...
	local word ability

	grep -hv '^#' "$@" | cut -d '|' -f 1 | tr ' ' '\n' | sort -u |
		while read -r word; do
			ability=${word#*@}
			[[ $word != *@* ]] || is_ability "${ability#!}" || echo "$word"
			word=${word%@*}
			[[ " cxl plain ${profiles[*]} " == *" ${word#-} "* ]] || echo "$word"
		done
}

words_known() { # table...
	unknown_words "$@" > /tmp/unknown
	cat /tmp/unknown
	[ ! -s /tmp/unknown ]
}

# For check: are two records of a device the same, but for the rows of a table, and is each
# row needed that has one of the device's names?
same_but_for() { # table names stock driver
	awk -v names="$2" -v abilities="$(series_field "$SERIES" 4)" -v table="$1" \
		-f /src/tests/vm/guest/stock.awk "$3" "$4" > /tmp/differences
	cat /tmp/differences
	[ ! -s /tmp/differences ]
}
