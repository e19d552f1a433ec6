/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_SIZE_TEXT_H
#define KILN_BASE_SIZE_TEXT_H

#include <stdint.h>

/* Bytes as people read them: "0 B", "980 B", "1.2 KiB", "68.7 MiB". */
#define SIZE_TEXT_MAX 16
void size_text(uint64_t bytes, char ret[static SIZE_TEXT_MAX]);
/* The way from one size to another: "+12 KiB", "-980 B", "+0 B". */
void size_change_text(uint64_t before, uint64_t after, char ret[static SIZE_TEXT_MAX]);

#endif
