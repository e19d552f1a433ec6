/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_VERITY_WRITE_H
#define KILN_FORMAT_VERITY_WRITE_H

#include "verity.h"

/* The superblock as verity_parse() reads it, zeros where nothing stands; /init has no use for this. */
void verity_write(const struct verity_superblock *sb, uint8_t ret[static VERITY_SUPERBLOCK_SIZE]);

#endif
