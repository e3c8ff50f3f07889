/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Where code and data are placed: on the host only what survives a reset matters. */
#ifndef SIM_IDF_ESP_ATTR_H
#define SIM_IDF_ESP_ATTR_H

#define IRAM_ATTR
#define DRAM_ATTR
#define IRAM_DATA_ATTR
#define RTC_IRAM_ATTR
#define RTC_DATA_ATTR
#define RTC_RODATA_ATTR
#define RTC_FAST_ATTR
#define RTC_SLOW_ATTR
#define EXT_RAM_BSS_ATTR
#define EXT_RAM_NOINIT_ATTR
#define DMA_ATTR            __attribute__((aligned(4)))
#define WORD_ALIGNED_ATTR   __attribute__((aligned(4)))
#define NOINLINE_ATTR       __attribute__((noinline))
#define FORCE_INLINE_ATTR   static inline __attribute__((always_inline))
#define IDF_DEPRECATED(why) __attribute__((deprecated(why)))

/* Keeps its content over every reset but loses it with the power: the board fills it
 * with random bytes at power-on and leaves it alone otherwise. */
#define RTC_NOINIT_ATTR __attribute__((section("sim_rtc_noinit")))
#define __NOINIT_ATTR   RTC_NOINIT_ATTR

#endif
