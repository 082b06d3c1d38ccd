// SPDX-License-Identifier: GPL-2.0-only
/*
 * What firmware does for a CXL Type-2 device, for a guest on stock QEMU, whose option
 * -acpitable file=guest-cxl.aml adds this table to the machine's own (docs/guest-topology.md).
 *
 * The guest's kernel finds a CXL device's memory by three things: a window in the CEDT, a
 * committed decoder in the host bridge, and a committed decoder in the device.  The driver
 * cxl-vfio-pci shows the third, with the address of the virtual BAR.  QEMU makes a window
 * (cxl-fmw) and a host bridge with a decoder (pxb-cxl,hdm_for_passthrough=true), but puts
 * the window elsewhere, and commits nothing.  _INI below runs when the guest's ACPI starts:
 * after firmware has given addresses to BARs, before any driver.  For each window it
 *  1. goes from the window's target to the CXL root port 00.0 below that host bridge, and
 *     to the function 00.0 behind the port
 *  2. reads base and size of the function's decoder 0, and checks that they are in the port's
 *     prefetchable window: then they are those of a BAR
 *  3. commits decoder 0 of the host bridge to the same base and size
 *  4. moves the window to the port's prefetchable window, in QEMU's CEDT, where it lies:
 *     to all of it, so that Linux puts the CXL window above the port's in /proc/iomem, and
 *     can give the BAR an address once more.
 *
 * Why this is more than reads and writes: QEMU's DSDT is of revision 1, so that integers of
 * all tables have 32 bits, and the host bridge's registers are above 4 GiB, as the device's
 * may be.  No operation region reaches them.  The DMA of fw_cfg does: it copies a dword from
 * a register to a fw_cfg item, from there to scratch memory, and the other way round.  The
 * item is etc/smi/requested-features, which each q35 machine has and allows to be written;
 * only firmware uses it, and it gets its value back.  The scratch memory is in the FACS, whose
 * bytes from 40 on are reserved and 0, and are 0 again afterwards.
 *
 * Addresses of memory are multiples of 256 MiB, and are in units of that below.  The CEDT is
 * changed only where all of this is as expected.  A guest reads the result in
 * /sys/bus/acpi/devices/CXVF0001:00/uid: "done" for each window, or what was missing.
 */
DefinitionBlock ("", "SSDT", 1, "CXLVFI", "GUESTCXL", 1) {
    Device (\_SB.CXVF) {
        Name (_HID, "CXVF0001")
        Name (_STA, 0x0B)
        Name (_UID, "no CEDT")
        Name (CEDT, Buffer (1) {})  // copy of QEMU's table
        Name (CLEN, Zero)           // its length, bytes
        Name (MBAS, Zero)           // address of PCI bus 0's config space
        Name (SCRA, Zero)           // address of the scratch memory
        Name (FKEY, Zero)           // key of the fw_cfg item
        Name (BLKH, Zero)           // address of a component register block, high and low
        Name (BLKL, Zero)
        Name (HDML, Zero)           // low address of its HDM Decoder Capability

        // Dwords below 4 GiB
        Method (RD32, 1, Serialized) {
            OperationRegion (MEM, SystemMemory, Arg0, 4)
            Field (MEM, DWordAcc, NoLock, Preserve) { VAL, 32 }
            Return (VAL)
        }
        Method (WR32, 2, Serialized) {
            OperationRegion (MEM, SystemMemory, Arg0, 4)
            Field (MEM, DWordAcc, NoLock, Preserve) { VAL, 32 }
            VAL = Arg1
        }
        // Dwords of the copy of the CEDT
        Method (GETT, 1, Serialized) {
            CreateDWordField (CEDT, Arg0, VAL)
            Return (VAL)
        }
        Method (PUTT, 2, Serialized) {
            CreateDWordField (CEDT, Arg0, VAL)
            VAL = Arg1
        }

        // fw_cfg: selector, data by bytes, address of a DMA descriptor; all is big-endian
        OperationRegion (FWIO, SystemIO, 0x0510, 12)
        Field (FWIO, WordAcc, NoLock, Preserve) { FSEL, 16 }
        Field (FWIO, ByteAcc, NoLock, Preserve) { Offset (1), FDAT, 8 }
        Field (FWIO, DWordAcc, NoLock, Preserve) { Offset (4), DMAH, 32, DMAL, 32 }
        Method (SWAP, 1) {
            Return (((Arg0 & 0xFF) << 24) | ((Arg0 & 0xFF00) << 8) |
                    ((Arg0 >> 8) & 0xFF00) | ((Arg0 >> 24) & 0xFF))
        }
        Method (FBE4, 0) {
            Local0 = FDAT << 24
            Local0 |= FDAT << 16
            Local0 |= FDAT << 8
            Return (Local0 | FDAT)
        }
        // The item's key, from the directory; 0 without one, or without DMA
        Method (FIND, 0, Serialized) {
            Name (FILE, Buffer (56) {})
            FSEL = 0
            If (FBE4 () != 0x51454D55) { Return (Zero) }        // "QEMU"
            FSEL = 1
            If (!(FDAT & 2)) { Return (Zero) }
            FSEL = 0x19
            Local0 = FBE4 ()
            While (Local0) {
                FBE4 ()
                Local1 = FBE4 () >> 16
                For (Local2 = 0, Local2 < 56, Local2++) { FILE [Local2] = FDAT }
                If (ToString (FILE) == "etc/smi/requested-features") { Return (Local1) }
                Local0--
            }
            Return (Zero)
        }
        // Copy a dword: Arg0 is 2 from the item to an address (high, low), 0x10 the other way
        Method (COPY, 3, Serialized) {
            WR32 (SCRA + 4, SWAP (4))
            WR32 (SCRA + 8, SWAP (Arg1))
            WR32 (SCRA + 12, SWAP (Arg2))
            WR32 (SCRA, SWAP ((FKEY << 16) | 8 | Arg0))
            DMAH = 0
            DMAL = SWAP (SCRA)
            For (Local0 = 0, (Local0 < 1000) && (SWAP (RD32 (SCRA)) & 0xFFFFFFFE), Local0++) {}
        }
        // Dwords anywhere: high and low address
        Method (RD64, 2, Serialized) {
            COPY (0x10, Arg0, Arg1)
            COPY (2, 0, SCRA + 16)
            Return (RD32 (SCRA + 16))
        }
        Method (WR64, 3, Serialized) {
            WR32 (SCRA + 16, Arg2)
            COPY (0x10, 0, SCRA + 16)
            COPY (2, Arg0, Arg1)
        }
        // Find the component block of the function whose config space is at Arg0
        Method (FBLK, 1) {
            For (Local0 = 0x100, Local0, Local0 = RD32 (Arg0 + Local0) >> 20) {
                Local1 = RD32 (Arg0 + Local0 + 4)
                If (((RD32 (Arg0 + Local0) & 0xFFFF) == 0x23) && ((Local1 & 0xFFFF) == 0x1E98) &&
                    ((RD32 (Arg0 + Local0 + 8) & 0xFFFF) == 8)) { Break }
            }
            If (!Local0) { Return (Zero) }
            // The Register Locator DVSEC: an entry has BAR, block, offset
            For (Local2 = 12, Local2 < (Local1 >> 20), Local2 += 8) {
                Local3 = RD32 (Arg0 + Local0 + Local2)
                If (((Local3 >> 8) & 0xFF) == 1) {
                    Local4 = Arg0 + 0x10 + ((Local3 & 7) << 2)
                    BLKL = (RD32 (Local4) & 0xFFFFFFF0) + (Local3 & 0xFFFF0000)
                    BLKH = 0
                    If ((RD32 (Local4) & 6) == 4) { BLKH = RD32 (Local4 + 4) }
                    Return (One)
                }
            }
            Return (Zero)
        }
        // Find the HDM Decoder Capability in that block
        Method (FHDM, 0) {
            Local0 = RD64 (BLKH, BLKL + 0x1000)
            If ((Local0 & 0xFFFF) != 1) { Return (Zero) }
            For (Local1 = Local0 >> 24, Local1, Local1--) {
                Local2 = RD64 (BLKH, BLKL + 0x1000 + (Local1 << 2))
                If ((Local2 & 0xFFFF) == 5) {
                    HDML = BLKL + 0x1000 + (Local2 >> 20)
                    Return (One)
                }
            }
            Return (Zero)
        }
        // Read and write its registers
        Method (RHDM, 1) { Return (RD64 (BLKH, HDML + Arg0)) }
        Method (WHDM, 2) { WR64 (BLKH, HDML + Arg0, Arg1) }
        // Number of the port whose config space is at Arg0, from its PCI Express Capability
        Method (PNUM, 1) {
            For (Local0 = RD32 (Arg0 + 0x34) & 0xFC, Local0, Local0 = (Local1 >> 8) & 0xFC) {
                Local1 = RD32 (Arg0 + Local0)
                If ((Local1 & 0xFF) == 0x10) { Return (RD32 (Arg0 + Local0 + 12) >> 24) }
            }
            Return (Zero)
        }

        // Move the window at Arg0 of the CEDT, whose host bridge is at Arg1; returns a verdict
        Method (MOVE, 2, Serialized) {
            // The host bridge's number is that of its bus
            Local0 = MBAS + (GETT (Arg1 + 4) << 20)
            If ((RD32 (Local0 + 8) >> 16) != 0x0604) { Return ("no root port") }
            Local1 = MBAS + ((RD32 (Local0 + 0x18) & 0xFF00) << 12)
            If (RD32 (Local1) == 0xFFFFFFFF) { Return ("no device") }
            WR32 (Local0 + 4, (RD32 (Local0 + 4) & 0xFFFF) | 2)     // Memory Space on
            WR32 (Local1 + 4, (RD32 (Local1 + 4) & 0xFFFF) | 2)
            If (!FBLK (Local1)) { Return ("no CXL device") }
            If (!FHDM ()) { Return ("no HDM decoder") }
            If (!(RHDM (0x20) & 0x0400)) { Return ("decoder 0 is not committed") }
            Local2 = (RHDM (0x14) << 4) | (RHDM (0x10) >> 28)
            Local3 = (RHDM (0x1C) << 4) | (RHDM (0x18) >> 28)
            // First and last of the whole units in the port's window
            Local4 = RD32 (Local0 + 0x24)
            Local5 = (RD32 (Local0 + 0x28) << 4) | ((Local4 >> 12) & 0xF)
            If (Local4 & 0x0FF0) { Local5++ }
            Local6 = (RD32 (Local0 + 0x2C) << 4) | (Local4 >> 28)
            If ((Local4 & 0x0FF00000) != 0x0FF00000) { Local6-- }
            If ((Local2 < Local5) || ((Local2 + Local3 - 1) > Local6) || !Local3) {
                Return ("decoder 0 is not at a BAR")
            }
            BLKH = GETT (Arg1 + 20)
            BLKL = GETT (Arg1 + 16)
            If (!FHDM ()) { Return ("the host bridge has no HDM decoder") }
            WHDM (0x04, 2)
            WHDM (0x20, 0)
            WHDM (0x10, Local2 << 28)
            WHDM (0x14, Local2 >> 4)
            WHDM (0x18, Local3 << 28)
            WHDM (0x1C, Local3 >> 4)
            WHDM (0x24, PNUM (Local0))
            WHDM (0x20, 0x0200)
            If (!(RHDM (0x20) & 0x0400)) { Return ("the host bridge does not commit") }

            Local6 -= Local5 - 1
            PUTT (Arg0 + 8, Local5 << 28)
            PUTT (Arg0 + 12, Local5 >> 4)
            PUTT (Arg0 + 16, Local6 << 28)
            PUTT (Arg0 + 20, Local6 >> 4)
            Return ("done")
        }

        // Offset of host bridge Arg0 in the CEDT, whose windows come last; 0 if it is not there
        Method (CHBS, 1) {
            For (Local0 = 36, GETT (Local0) == 0x00200000, Local0 += 32) {
                If (GETT (Local0 + 4) == Arg0) { Return (Local0) }
            }
            Return (Zero)
        }
        // Is the CEDT one of QEMU's: CXL 2.0 host bridges, and windows of one target each?
        Method (KNOW, 0) {
            For (Local0 = 36, Local0 < CLEN, Local0 += Local1 >> 16) {
                Local1 = GETT (Local0)
                If (Local1 == 0x00200000) {
                    If ((GETT (Local0 + 8) != 1) || (GETT (Local0 + 4) > 0xFF)) { Return (Zero) }
                }
                ElseIf (Local1 == 0x00280001) {
                    If (GETT (Local0 + 24) & 0xFFFF) { Return (Zero) }
                    If (!CHBS (GETT (Local0 + 36))) { Return (Zero) }
                }
                Else { Return (Zero) }
            }
            Return (Local0 == CLEN)
        }
        // Find config space and scratch memory
        Method (PREP, 0, Serialized) {
            DataTableRegion (MCFG, "MCFG", "", "")
            Field (MCFG, DWordAcc, NoLock, Preserve) { Offset (44), BASL, 32, BASH, 32 }
            DataTableRegion (FADT, "FACP", "", "")
            Field (FADT, DWordAcc, NoLock, Preserve) { Offset (36), FACS, 32 }
            If (BASH || !FACS) { Return ("no MCFG or no FACS") }
            If ((RD32 (FACS) != 0x53434146) || (RD32 (FACS + 4) != 64)) { Return ("unknown FACS") }
            For (Local0 = 40, Local0 < 64, Local0 += 4) {
                If (RD32 (FACS + Local0)) { Return ("unknown FACS") }
            }
            FKEY = FIND ()
            If (!FKEY) { Return ("no fw_cfg") }
            MBAS = BASL
            SCRA = FACS + 40
            Return ("")
        }
        // Move all windows; returns their verdicts
        Method (MAIN, 0, Serialized) {
            Local7 = ""
            COPY (2, 0, SCRA + 16)
            Local6 = RD32 (SCRA + 16)
            For (Local0 = 36, Local0 < CLEN, Local0 += GETT (Local0) >> 16) {
                If ((GETT (Local0) & 0xFF) == 1) {
                    If (SizeOf (Local7)) { Local7 = Concatenate (Local7, ", ") }
                    Local7 = Concatenate (Local7, MOVE (Local0, CHBS (GETT (Local0 + 36))))
                }
            }
            // The item as it was, and the scratch memory
            WR32 (SCRA + 16, Local6)
            COPY (0x10, 0, SCRA + 16)
            For (Local0 = 0, Local0 < 20, Local0 += 4) { WR32 (SCRA + Local0, 0) }
            Local1 = 0
            CEDT [9] = 0        // the checksum
            For (Local0 = 0, Local0 < CLEN, Local0++) { Local1 += DerefOf (CEDT [Local0]) }
            CEDT [9] = (0 - Local1) & 0xFF
            Return (Local7)
        }
        Method (_INI, 0, Serialized) {
            // The table with 1, 2, 3 and 4 host bridges, and as many windows
            DataTableRegion (QEMU, "CEDT", "", "")
            Field (QEMU, ByteAcc, NoLock, Preserve) { Offset (4), QLEN, 32 }
            Field (QEMU, ByteAcc, NoLock, Preserve) { ONE_, 864 }
            Field (QEMU, ByteAcc, NoLock, Preserve) { TWO_, 1440 }
            Field (QEMU, ByteAcc, NoLock, Preserve) { THRE, 2016 }
            Field (QEMU, ByteAcc, NoLock, Preserve) { FOUR, 2592 }
            CLEN = QLEN
            _UID = "unknown CEDT"
            If (CLEN == 108) { CopyObject (ONE_, CEDT) }
            ElseIf (CLEN == 180) { CopyObject (TWO_, CEDT) }
            ElseIf (CLEN == 252) { CopyObject (THRE, CEDT) }
            ElseIf (CLEN == 324) { CopyObject (FOUR, CEDT) }
            Else { Return (Zero) }
            If (!KNOW ()) { Return (Zero) }
            _UID = PREP ()
            If (SizeOf (_UID)) { Return (Zero) }
            _UID = MAIN ()
            If (CLEN == 108) { ONE_ = CEDT }
            ElseIf (CLEN == 180) { TWO_ = CEDT }
            ElseIf (CLEN == 252) { THRE = CEDT }
            Else { FOUR = CEDT }
            Return (Zero)
        }
    }
}
