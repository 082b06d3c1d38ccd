# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For scenarios that compare the verdict of cxl-vfio on a device with what the driver does.

# Members of a device in the tool's list, one a line; nothing of a plain function
facts() { # bdf
	cxl-vfio --json list "$1" 2> /dev/null |
		sed -nE '/"(address|usable|reason|errno|message|remedy|commands)"/{s/^ *//; s/,$//; p}'
}
fact() { sed -n "s/^\"$1\": \"\\?\([^\"]*\)\"\\?\$/\1/p" /tmp/facts; }

# Compare the verdicts on a device
agree() { # what bdf [reason that the tool may be unsure for]
	local usable result sentence verdict

	facts "$2" > /tmp/facts
	usable=$(fact usable)
	log_mark
	result=$(bind "$2")
	[ "$result" = 0 ] || echo > "$PCI/devices/$2/driver_override"
	sentence=$(log_since | sed -n "/probe with driver/d; /enabling device/d; /Adding to iommu/d; s/.*$OURS $2: //p" | tail -n 1)
	case $result:$usable in
	0:true) verdict=same ;;
	0:) verdict="unsure for $(fact reason)" ;;
	*:false) verdict="$(fact errno)|$(fact message)" ;;
	*:) verdict="unsure for $(fact reason)" ;;
	*) verdict="'$usable', and the driver '$result'" ;;
	esac
	if [ "$result" = 0 ] && [ ! -e "$PCI/devices/$2/cxl_vfio/gate" ]; then
		check "$1: the tool knows that the driver takes it for a plain function" \
			[ ! -s /tmp/facts -o "$usable $(fact reason)" = "true disabled" ]
	elif [ -n "${3:-}" ]; then
		check "$1: the tool leaves the verdict to bind" equal "$verdict" "unsure for $3"
	elif [ "$result" = 0 ]; then
		check "$1: the tool and the driver take the device" equal "$verdict$(fact reason)" same
	else
		check "$1: the tool has the errno and the sentence of the driver" \
			equal "$verdict" "$result|$sentence"
		check "$1: the tool has a word for the refusal" [ "$(fact reason)" != refused ]
	fi
	[ "$result" != 0 ] || unbind "$2"
}
