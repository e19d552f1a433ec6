/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_RECORDS_H
#define KILN_UPLOAD_RECORDS_H

#include <stdbool.h>

#include "block_index.h"

struct error;

/* What finished snapshots hold, one file a snapshot in the journal's directory: SNAPSHOT.blocks. */

/* Of that snapshot, or of the region's newest one (`snapshot` NULL). *ret_found says whether there is one; a file that is
 * damaged is warned of and passed over. */
int records_find(const char *directory, const char *region, const char *snapshot, struct block_record *ret,
		 bool *ret_found, struct error *err);
/* The oldest go when there are more than RECORDS_KEPT. */
#define RECORDS_KEPT 16
int records_save(const char *directory, const struct block_record *record, struct error *err);

#endif
