/* SPDX-License-Identifier: GPL-2.0-only */
/* compat.h includes the results of the probes, which do not matter here */
#define CXL_VFIO_VM_FLAGS_SET	1
#define CXL_VFIO_RELEASE_FAULT_LOCK	1
