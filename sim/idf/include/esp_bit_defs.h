/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Bits by number. */
#ifndef SIM_IDF_ESP_BIT_DEFS_H
#define SIM_IDF_ESP_BIT_DEFS_H

#define BIT(number)   (1UL << (number))
#define BIT64(number) (1ULL << (number))
#define BIT0          0x00000001
#define BIT1          0x00000002
#define BIT2          0x00000004
#define BIT3          0x00000008
#define BIT4          0x00000010
#define BIT5          0x00000020
#define BIT6          0x00000040
#define BIT7          0x00000080
#define BIT8          0x00000100
#define BIT9          0x00000200
#define BIT10         0x00000400
#define BIT11         0x00000800
#define BIT12         0x00001000
#define BIT13         0x00002000
#define BIT14         0x00004000
#define BIT15         0x00008000

#endif
