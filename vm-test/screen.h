/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_SCREEN_H
#define KILN_VM_TEST_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A machine's screen as QEMU gives it: a portable pixmap (PPM, "P6", 8 bits a colour). Pure, and fuzzed.
 */
struct screen {
	unsigned int width, height;
	const uint8_t *pixels;		/* 3 bytes each, rows from the top; inside the file's bytes */
};
bool screen_parse(const uint8_t *file, size_t size, struct screen *ret);

/*
 * How many characters' places (8 by 16 pixels) show something else; a blinking cursor is one. SIZE_MAX when the screens
 * are not of one size.
 */
size_t screen_difference(const struct screen *a, const struct screen *b);

#endif
