/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_UPLOAD_OPTIONS_H
#define KILN_UPLOAD_UPLOAD_OPTIONS_H

#include <stdbool.h>

#include "../factory/base/arguments.h"
#include "aws.h"
#include "disk.h"

struct upload_options {
	struct disk_options disk;
	struct aws_options aws;
	const char *name, *description;	/* NULL: made of the manifest */
	const char *parent;		/* NULL: the last upload's snapshot, where it is still there */
	bool full;			/* no parent at all */
	const char *key;		/* KMS key; NULL: as the account encrypts */
	struct argument_list tags, copies, shares;
	bool everybody;
	bool dry_run;
	unsigned int gib;		/* of the root volume; 0: the disk's */
	unsigned int connections;
	unsigned int stall_s;		/* gives up when nothing has gone on for so long */
};
#define UPLOAD_CONNECTIONS 64
#define UPLOAD_STALL_S 1800

#endif
