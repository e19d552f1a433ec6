/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_PIPELINE_H
#define KILN_FACTORY_PIPELINE_H

#include <stdbool.h>
#include <stdio.h>

struct error;
struct keyring;

/* From a description and its lock to the results of a build. Opens no connection. */
struct pipeline_options {
	const char *description;	/* directory */
	const char *output;		/* results go to OUTPUT/NAME/, with build.log */
	const char *cache;
	const char *source_root;	/* Kiln's own sources for the image */
	const struct keyring *keyring;	/* to sign with; NULL: the image stays unsigned */
	bool signature_pending;		/* leaves what is to be signed beside the disk (PIPELINE_REQUEST) */
	FILE *explain;			/* gets the table of what runs and why, before it does; NULL: nobody asks */
	bool dry_run;			/* nothing more than that; there is no result then */
};

/* In the result's directory: the bytes that are to be signed (keys/sign.h). */
#define PIPELINE_REQUEST "to-be-signed"

struct pipeline_result {
	char *directory;		/* OUTPUT/NAME */
	char *disk;			/* the raw disk in it */
	const char *arch;		/* what it is for; static */
};
void pipeline_result_clear(struct pipeline_result *r);
#define CLEANUP_PIPELINE_RESULT __attribute__((cleanup(pipeline_result_clear)))

/*
 * ERROR_INPUT without a lock, or with one that does not fit the description. The log file stays open
 * afterwards, so that an error's report can go there too.
 */
int pipeline_build(const struct pipeline_options *options, struct pipeline_result *ret,
		   struct error *err);

/* ${KILN_SOURCE}, else where rootfs/init/main.c lies at or above the running program, or below
 * share/kiln beside its bin; malloc'ed. */
int pipeline_source_root(char **ret, struct error *err);

#endif
