/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_version.h"

#include <stdlib.h>

#include <guestfs.h>

#include "../factory/base/error.h"
#include "../factory/base/io.h"

int guest_version(char **ret, struct error *err)
{
	guestfs_h *g = guestfs_create_flags(GUESTFS_CREATE_NO_ENVIRONMENT);
	struct guestfs_version *v;

	if (!g)
		error_no_memory();
	guestfs_set_error_handler(g, NULL, NULL);
	v = guestfs_version(g);
	if (v)
		*ret = string_printf("%jd.%jd.%jd%s", (intmax_t)v->major, (intmax_t)v->minor,
				     (intmax_t)v->release, v->extra);
	guestfs_free_version(v);
	guestfs_close(g);
	return v ? 0 : error_outside(err, "libguestfs does not say its version");
}
