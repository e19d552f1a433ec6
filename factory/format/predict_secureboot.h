/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_PREDICT_SECUREBOOT_H
#define KILN_FORMAT_PREDICT_SECUREBOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pe.h"

struct error;
struct pcr_log;

/* Part of predict.c: PCR 7, that is, the Secure Boot variables and who vouched for each image. */

struct predict_keys {			/* raw EFI signature lists; NULL = variable absent */
	const uint8_t *pk, *kek, *db, *dbx;
	size_t pk_size, kek_size, db_size, dbx_size;
	bool signature_pending;		/* images' signatures are still to be made; the certificates are there */
};

/* NULL keys are no keys. */
bool secureboot_enabled(const struct predict_keys *keys);

/* SecureBoot, PK, KEK, db, dbx and the separator. ERROR_INPUT: a key file is no signature list. */
int secureboot_variable_events(const struct predict_keys *keys, struct pcr_log *log, struct error *err);

/*
 * With Secure Boot on: the db entry by which EDK2 lets this image run, unless the log has it already. That is the first
 * to which the image's signature leads, embedded in it or not, else its digest. ERROR_INPUT: the firmware would refuse
 * the image.
 */
int secureboot_authority_event(const struct pe *image, const struct predict_keys *keys,
			       struct pcr_log *log, struct error *err);

#endif
