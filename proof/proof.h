/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the proofs share: any value, any bytes, and the engine's own checks as things to
 * be proved. Included before the engine's sources; for Frama-C alone. */
#ifndef PROOF_H
#define PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "__fc_builtin.h"

/* CHECK of core/src/check.h: that it can be reached is an alarm of its own. */
/*@ requires engine_check: \false;
  @ assigns \nothing;
  @ ensures \false; */
void proof_check_failed(void);
#define __builtin_trap() proof_check_failed()

#define ANY(from, to) Frama_C_interval((from), (to))

/*@ requires \valid(bytes + (0 .. size - 1));
  @ assigns bytes[0 .. size - 1] \from Frama_C_entropy_source;
  @ ensures \initialized(bytes + (0 .. size - 1)); */
void any_bytes(uint8_t *bytes, size_t size);

#endif
