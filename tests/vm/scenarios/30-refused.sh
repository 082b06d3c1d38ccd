# SPDX-License-Identifier: GPL-2.0-only
# A device that is half right is not bound: each with its errno and one line
# that says what is wrong.

bdf=$(dev)

# refused "sentence" ERRNO "REGEX of the message" t2dev-options...
refused() {
	local sentence=$1 errno=$2 message=$3

	shift 3
	t2ctl "$bdf" restore
	t2ctl "$bdf" "$@"
	log_mark
	check "$sentence: $errno" equal "$(bind "$bdf")" "$errno"
	check "$sentence: the log says why" logged "$OURS $bdf: $message"
	check "$sentence: in one line" equal "$(log_since | grep "$OURS $bdf" | grep -vc 'probe with driver')" 1
	echo > "$PCI/devices/$bdf/driver_override"
}

refused "no committed decoder" ENODATA \
	"HDM Decoder Capability: none of 1 decoders is committed" --decoder=0,committed=0
refused "committed with size 0" EINVAL \
	"HDM decoder 0: committed with size 0" --decoder=0,size=0
refused "component block outside its BAR" ERANGE \
	"Register Locator: component block at offset 0x40000 of BAR 0" \
	--misbehave=block-outside-bar
refused "no Register Locator" ENOENT \
	"Register Locator DVSEC: none" --misbehave=no-locator
refused "component block reads all ones" ENODEV \
	"component block: capability array header reads 0xffffffff" --misbehave=all-ones
refused "no HDM Decoder Capability" EOPNOTSUPP \
	"component block: no HDM Decoder Capability" --misbehave=no-hdm-cap
refused "two HDM Decoder Capabilities" EEXIST \
	"component block: entry 5 is a second HDM Decoder Capability" --misbehave=two-hdm
refused "reserved decoder count" EBADMSG \
	"HDM Decoder Capability: header reads 0x0000000d" --misbehave=hdm-count-invalid
refused "capability past the block's end" EBADMSG \
	"HDM Decoder Capability: .* decoders at offset 0xffc do not fit" \
	--misbehave=cap-past-block
refused "capability inside the array" EBADMSG \
	"component block: HDM Decoder Capability at offset 0x4" --misbehave=cap-in-array
refused "interleaved decoder" EDOM \
	"HDM decoder 0: CTRL reads 0x[0-9a-f]*, interleaved" --decoder=0,iw=1
refused "unaligned size" EINVAL \
	"HDM decoder 0: base 0x100000000 size 0x10100000" --decoder=0,size=257M
refused "range that wraps" EOVERFLOW \
	"HDM decoder 0: base 0xfffffffff0000000 size 0x20000000 wraps" \
	--decoder=0,base=0xfffffffff0000000,size=512M
refused "range in System RAM" EADDRINUSE \
	"HDM decoder 0: \[mem 0x110000000-0x11fffffff\] is System RAM" \
	--decoder=0,base=0x110000000
refused "range that is claimed" EBUSY \
	"HDM decoder 0: \[mem 0xf0000000-0xffffffff\] is claimed" \
	--decoder=0,base=0xf0000000
refused "memory that never becomes active" ETIMEDOUT \
	"CXL Device DVSEC: RANGE1 SIZE LOW reads" --misbehave=not-active
refused "short CXL Device DVSEC" EPROTO \
	"CXL Device DVSEC: length is 0x18" --dvsec-length=0x18

t2ctl "$bdf" restore
check "the device as it should be is bound" equal "$(bind "$bdf")" 0
