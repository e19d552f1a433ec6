/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_TAMPER_FIND_H
#define KILN_VM_TEST_TAMPER_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAMPER_BLOCK 4096

/*
 * Where in an EROFS image the block lies that holds a piece of text, plain or compressed with Zstandard: EROFS fills a
 * compressed block up with zeros in front (its feature "lz4_0padding", which all later algorithms have). The offset in
 * *ret is that of a byte which the text depends on. False when there is none.
 */
bool tamper_find(const uint8_t *image, size_t size, const char *text, uint64_t *ret);

#endif
