/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_failure.h"

#include <archive.h>
#include <errno.h>

#include "../../factory/base/error.h"

int archive_failure(struct archive *a, const char *what, const char *otherwise, struct error *err)
{
	const char *why = archive_error_string(a);
	int code = archive_errno(a);

	if (!why)
		why = otherwise;
	/* Other codes are libarchive's own, or of calls whose failure its words tell better. */
	if (code == ENOSPC || code == EDQUOT)
		return error_system(err, code, "%s: %s", what, why);
	return error_outside(err, "%s: %s", what, why);
}
