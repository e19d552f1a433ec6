/* SPDX-License-Identifier: Apache-2.0 */
#include "enrol.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "model/manifest.h"

static int check_value(const struct manifest_secure_boot *s, enum secure_variable_id id, const struct buf *value,
		       const char *directory, struct error *err)
{
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;

	digest_of(DIGEST_SHA256, value->data, value->len, &digest);
	digest_hex(&digest, hex);
	if (strcmp(hex, s->variables[id].sha256) == 0)
		return 0;
	return error_input(err, "the image was built for another %s than that of %s: build it again with --keys %s",
			   secure_variables[id].name, directory, directory);
}

static int check_image(const struct manifest *m, const char *directory, struct error *err)
{
	if (!m->secure_boot)
		return error_input(err, "the image was built without keys, and the firmware would refuse it: build it with --keys %s",
				   directory);
	if (m->secure_boot->pending)
		return error_input(err, "the image's signature is still to be attached: kiln sign DISK --keys %s --attach SIGNATURE",
				   directory);
	return 0;
}

struct varstore_variable enrol_variable(enum secure_variable_id id, const struct buf *value)
{
	struct varstore_variable v = {
		.attributes = SECURE_VARIABLE_ATTRIBUTES, .data = value->data, .size = value->len,
	};

	(void)snprintf(v.name, sizeof(v.name), "%s", secure_variables[id].name);
	memcpy(v.guid, secure_variables[id].vendor, sizeof(v.guid));
	return v;
}

void enrol_variables(const struct keyring *k, struct enrolled *ret)
{
	keyring_variables(k, &ret->values);
	for (enum secure_variable_id id = 0; id < SECURE_VARIABLES; id++)
		if (ret->values.values[id].len)
			ret->variables[ret->count++] = enrol_variable(id, &ret->values.values[id]);
}

int enrol_keyring(const char *directory, const struct manifest *m, struct enrolled *ret, struct error *err)
{
	CLEANUP_KEYRING struct keyring *k = NULL;
	int r = check_image(m, directory, err);

	if (r == 0)
		r = keyring_open(directory, &k, err);
	if (r < 0)
		return r;
	enrol_variables(k, ret);
	for (enum secure_variable_id id = 0; id < SECURE_VARIABLES && r == 0; id++)
		r = check_value(m->secure_boot, id, &ret->values.values[id], directory, err);
	return r;
}

void enrolled_clear(struct enrolled *e)
{
	keyring_variables_free(&e->values);
}
