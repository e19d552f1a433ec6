/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_COMPARE_H
#define KILN_FACTORY_COMPARE_H

#include "compare_image.h"
#include "comparison.h"

struct error;

/*
 * Are two images the same bytes, and if not, what differs first? "First" is meant as cause, not as
 * offset: a changed file in the root tree also changes the hash tree, the command line, the partition
 * ids and every measurement, and only the file is worth naming.
 */

/* 0 also when they differ; *ret says. Memory does not grow with the disks, time with their data. */
int compare_images(const struct compare_image *a, const struct compare_image *b,
		   struct comparison *ret, struct error *err);

#endif
