/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_INI_H
#define KILN_UPLOAD_INI_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/*
 * AWS's shared files (~/.aws/config, ~/.aws/credentials), as the SDKs read them: "[section]", "key = value" with
 * the key in any case, whole lines of comment ("#", ";"), later values in place of earlier ones, sections given
 * twice joined. Lines that are indented below a key without a value belong to it: "key.name = value".
 * Complaints name the file and the line and never what stands in it, for that may be a secret.
 */
struct ini;

#define INI_SIZE_MAX (1u << 20)

int ini_parse(const char *text, size_t size, const char *file, struct ini **ret, struct error *err);
/* Wipes the values. */
void ini_free(struct ini *ini);
void ini_freep(struct ini **ini);
#define CLEANUP_INI __attribute__((cleanup(ini_freep)))

/* Blanks and quotes in a section's name are read as a shell would: [profile "a"] is "profile a". */
bool ini_has(const struct ini *ini, const char *section);
/* NULL without one; "" where it is empty. Valid as long as `ini`. */
const char *ini_get(const struct ini *ini, const char *section, const char *key);

#endif
