/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's selftest harness, with one limit of our own for all tests.  It is
 * there to name a test that hangs, before the machine's limit ends the machine; no
 * test is to come near it on a host that is ten times slower than usual.
 */
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include "kselftest_harness.h"

/* Seconds; the default in the kernel's header is used where a test is defined */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	1800

#endif
