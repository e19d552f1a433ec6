/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_AUTH_VARIABLE_H
#define KILN_FORMAT_AUTH_VARIABLE_H

#include <stddef.h>
#include <stdint.h>

#include "secure_variable.h"
#include "signed_data.h"

struct buf;
struct error;

/*
 * Signed updates of variables, ".auth" files: EFI_VARIABLE_AUTHENTICATION_2 and the new value behind it (UEFI
 * Specification 8.2.6). The signature is a bare SignedData of name, vendor, attributes, time and value.
 */

#define EFI_TIME_SIZE 16

/* EFI_TIME (8.3) of seconds since 1970, UTC, whole seconds. ERROR_INPUT before 1970 and after 9999. */
int efi_time_make(int64_t epoch, uint8_t ret[static EFI_TIME_SIZE], struct error *err);
/* ... and back. ERROR_INPUT: no date, or with nanoseconds, a time zone or daylight saving, which firmware refuses. */
int efi_time_read(const uint8_t time[static EFI_TIME_SIZE], int64_t *ret, struct error *err);

/* Appends the bytes that are signed. `attributes` as the variable is set, without APPEND_WRITE or with it. No limit. */
void auth_variable_request(const struct secure_variable *variable, uint32_t attributes,
			   const uint8_t time[static EFI_TIME_SIZE], struct der value, struct buf *ret);

/* Appends the file. No limit. */
void auth_variable_write(const uint8_t time[static EFI_TIME_SIZE], const struct signed_data *signature,
			 struct der value, struct buf *ret);

struct auth_variable {
	uint8_t time[EFI_TIME_SIZE];
	int64_t epoch;			/* that time */
	struct signed_data signature;	/* bare or wrapped; nothing behind it */
	struct der value;		/* walked as signature lists; may be empty: the variable is deleted */
};
/* Strict. Points into `data`. ERROR_INPUT. */
int auth_variable_parse(const uint8_t *data, size_t size, struct auth_variable *ret, struct error *err);

#endif
