/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_AR_H
#define KILN_FORMAT_AR_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* The common ar archive of a Debian package (deb(5)): finds a member by the start of its name
 * ("data.tar"), so that its bytes can be handed to the appliance, which unpacks them. */
struct ar_member {
	char name[17];
	const uint8_t *data;
	size_t size;
};

int ar_find(const uint8_t *data, size_t size, const char *name_prefix, struct ar_member *ret,
	    struct error *err);

#endif
