# SPDX-License-Identifier: GPL-2.0-only
#
# Compares what two drivers show of a device:
#   awk -v names="NAME CLASS" -v abilities="ABILITY..." -v table=FILE -f stock.awk STOCK DRIVER
# STOCK and DRIVER are the output of `view`.  Prints a line for each difference that no
# row of the table allows, and for each row that allows a difference that is not there.

function glob(text) {
	gsub(/[.+(){}^$|\\]/, "\\\\&", text)
	gsub(/[*]/, ".*", text)
	gsub(/[?]/, ".", text)
	return "^" text "$"
}

function in_list(list, word) { return index(" " list " ", " " word " ") > 0 }

# Is the device one of NAME, CLASS, NAME@ABILITY, CLASS@!ABILITY and none of -NAME?
function applies(list,    words, parts, n, i, any, has) {
	any = 0
	n = split(list, words, " ")
	for (i = 1; i <= n; i++) {
		if (words[i] ~ /^-/) {
			if (in_list(names, substr(words[i], 2)))
				return 0
			continue
		}
		if (split(words[i], parts, "@") == 2) {
			has = in_list(abilities, parts[2] ~ /^!/ ? substr(parts[2], 2) : parts[2])
			if (has == (parts[2] ~ /^!/))
				continue
		}
		if (in_list(names, parts[1]))
			any = 1
	}
	return any
}

function read_table(    line, field, i) {
	while ((getline line < table) > 0) {
		if (line ~ /^#/)
			continue
		if (split(line, field, "|") != 6) {
			print "not a row of 6 columns: " line
			continue
		}
		if (!applies(field[1]))
			continue
		rows++
		row[rows] = line
		for (i = 2; i <= 5; i++)
			pattern[rows, i] = glob(field[i])
	}
}

# A fact that a driver does not show is absent
function show(values, key) {
	return key in values ? values[key] : "absent"
}

function allowed(key,    i, any) {
	any = 0
	for (i = 1; i <= rows; i++) {
		if (key ~ pattern[i, 2] && place[key] ~ pattern[i, 3] &&
		    show(stock, key) ~ pattern[i, 4] && show(driver, key) ~ pattern[i, 5]) {
			used[i] = 1
			any = 1
		}
	}
	return any
}

function flush() {
	if (line_key != "" && ++lines <= MAX_LINES)
		print line_key line_end " " line_place ": stock " line_stock ", driver " line_driver
	line_key = ""
}

# Bytes of a capability that follow each other are one line
function report(key,    what, at, name) {
	what = at = key
	sub(/ 0x[0-9a-f]*$/, "", what)
	sub(/^.* /, "", at)
	name = place[key]
	sub(/ 0x[0-9a-f]*$/, "", name)
	if (line_key != "" && what == line_what && name == line_name && order[key] == line_order + 1 &&
	    what ~ /^(config|writable)$/ && line_bytes < MAX_BYTES) {
		line_stock = line_stock " " show(stock, key)
		line_driver = line_driver " " show(driver, key)
		line_end = " to " at
		line_order++
		line_bytes++
		return
	}
	flush()
	line_key = key
	line_end = ""
	line_bytes = 1
	line_what = what
	line_name = name
	line_place = place[key]
	line_order = order[key]
	line_stock = show(stock, key)
	line_driver = show(driver, key)
}

# Where a pointer would point without the capabilities that the other one hides
function next_common(mine, other, key,    at, left) {
	at = mine[key]
	for (left = 512; left && at != "0x000" && !(("capability " at) in other); left--)
		at = mine["next " at]
	return at
}

function compare(key) {
	if (show(stock, key) == show(driver, key))
		return
	if (key ~ /^next /) {
		# Of a capability that only one shows: that it does is a fact of its own
		if (!(key in stock) || !(key in driver))
			return
		if (next_common(stock, driver, key) == next_common(driver, stock, key))
			return
	}
	if (!allowed(key))
		report(key)
}

BEGIN {
	FS = "|"
	MAX_BYTES = 16
	MAX_LINES = 60
	read_table()
}

!($1 in order) {
	order[$1] = ++keys
	key_at[keys] = $1
	place[$1] = $3
}
FILENAME == ARGV[1] { stock[$1] = $2 }
FILENAME == ARGV[2] { driver[$1] = $2 }

END {
	if (!keys)
		print "the records are empty"
	for (n = 1; n <= keys; n++)
		compare(key_at[n])
	flush()
	if (lines > MAX_LINES)
		print "and " lines - MAX_LINES " more"
	for (i = 1; i <= rows; i++)
		if (!(i in used))
			print "no such difference: " row[i]
}
