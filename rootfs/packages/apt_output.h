/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_APT_OUTPUT_H
#define KILN_ROOTFS_PACKAGES_APT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stanza.h"

/* What apt-get prints (LANG=C.UTF-8), read. */

/* A line of --print-uris, "'URI' FILE SIZE SHA256:HEX": the digest; false for any other line. */
bool apt_output_choice(struct text line, uint8_t ret_sha256[static 32]);
/* One of apt's unmet relations: " mount : PreDepends: libc6 (>= 2.38) but 2.37 is to be installed". */
struct apt_relation {
	struct text package, name;	/* "mount", "libc6" */
	bool depends;			/* of either kind; else a conflict or the like */
};
/* The next one, starting with a zeroed *ret and the whole output; false when there are no more. */
bool apt_output_relation(struct text *rest, struct apt_relation *ret);
/* The first package that could not be had for want of `name`: " mount : Depends: libc6 (>= 2.38) but ...". */
bool apt_output_dependent(struct text output, const char *name, struct text *ret);
/* apt's list of unmet dependencies on one line, as much of it as fits; false if there is none. */
bool apt_output_unmet(struct text output, char *ret, size_t size);

#endif
