/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What NimBLE's sources and headers take from its operating system. */
#ifndef SIM_OS_OS_H
#define SIM_OS_OS_H

#include <stddef.h>
#include <stdint.h>

#include "nimble/nimble_npl.h"
#include "os/endian.h"
#include "os/os_mbuf.h"
#include "os/queue.h"
#include "syscfg/syscfg.h"

#ifndef min
#define min(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) ((a) > (b) ? (a) : (b))
#endif

#endif
