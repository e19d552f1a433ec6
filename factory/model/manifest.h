/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_MANIFEST_H
#define KILN_MODEL_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../format/pcr.h"
#include "../format/secure_variable.h"
#include "declared.h"
#include "uploads.h"

struct error;

/* manifest.json: what was built and what it will measure. Schema versioned; unknown newer schemas are
 * refused. All strings malloc'ed and never NULL. */

#define MANIFEST_SCHEMA 3

/* The order of banks in files and tables: SHA-384, which EC2 attests, first. */
extern const enum digest_alg manifest_banks[DIGEST_ALGS];

struct manifest_partition {
	unsigned int number;
	char *label, *type, *id;	/* GUIDs as text */
	uint64_t offset, size;		/* bytes */
	char data_sha256[65];		/* data digest (base/data_digest.h) of its contents */
};

/* What Secure Boot's variables hold in the machine that the image is for. */
struct manifest_variable {
	char sha256[65];		/* of the value; of none when the variable is absent */
	char (*certificates)[65];	/* SHA-256 of each, in order */
	size_t certificate_count;
};

/* Of an image that was built with keys: how it boots with Secure Boot on. */
struct manifest_secure_boot {
	bool pending;			/* the signature is still to be attached */
	char signer[65];		/* SHA-256 of the certificate that the UKI is signed with */
	struct manifest_variable variables[SECURE_VARIABLES];
	uint32_t pcr_mask;
	struct pcr_log events;
};

struct manifest {
	char *name, *version, *arch;
	char *disk_file;		/* file name, no directory */
	uint64_t disk_size;
	char disk_data_sha256[65];	/* data digest of all of it */
	char uki_sha256[65];
	uint64_t uki_size;
	unsigned int stub_version;
	char *cmdline;
	char root_hash[65];
	char lock_sha256[65];
	char *firmware_package, *firmware_version;	/* for the boot proof */
	char firmware_sha256[65];	/* of that package file, in the store */
	int64_t epoch;
	unsigned int service_port;	/* answers when the image is up: 3000 */
	struct declared declared;
	struct manifest_partition *partitions;
	size_t partition_count;
	uint32_t pcr_mask;		/* which PCRs the prediction speaks for */
	struct pcr_log events;		/* in predicted order; Secure Boot off, no keys in the firmware */
	struct manifest_secure_boot *secure_boot;	/* NULL: built without keys */
	struct uploads uploads;		/* no part of what was built */
};

struct manifest *manifest_new(void);
void manifest_free(struct manifest *m);
void manifest_freep(struct manifest **m);
#define CLEANUP_MANIFEST __attribute__((cleanup(manifest_freep)))

/* An empty one for m->secure_boot; freed with the manifest. */
struct manifest_secure_boot *manifest_secure_boot_new(void);

/* Fuzzed. The PCR values also stand in the file; they must equal the replay of its events
 * (ERROR_INPUT otherwise). */
int manifest_parse(const void *json, size_t size, const char *file, struct manifest **ret,
		   struct error *err);
int manifest_read(const char *path, struct manifest **ret, struct error *err);
/* Deterministic text, appended to `ret`. */
int manifest_format(const struct manifest *m, struct buf *ret, struct error *err);

/* pcr_measurements.json in the exact form of nitro-tpm-pcr-compute 1.1 (facts A.1): PCR4, PCR7,
 * PCR12, SHA-384, two-space indent, newline at the end. */
int measurements_format(const struct pcr_log *log, struct buf *ret, struct error *err);

#endif
