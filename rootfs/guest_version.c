/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_version.h"

#include <stdint.h>

#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "guestfs_library.h"

int guest_version(char **ret, struct error *err)
{
	const struct guestfs_library *library = NULL;
	struct guestfs_version *v;
	guestfs_h *g;
	int r = guestfs_library_load(&library, err);

	if (r < 0)
		return r;
	g = library->create_flags(GUESTFS_CREATE_NO_ENVIRONMENT);
	if (!g)
		error_no_memory();
	library->set_error_handler(g, NULL, NULL);
	v = library->version(g);
	if (v)
		*ret = string_printf("%jd.%jd.%jd%s", (intmax_t)v->major, (intmax_t)v->minor,
				     (intmax_t)v->release, v->extra);
	library->free_version(v);
	library->close(g);
	return v ? 0 : error_outside(err, "libguestfs does not say its version");
}
