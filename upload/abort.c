/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "aws.h"
#include "ebs.h"
#include "ec2.h"
#include "journal.h"
#include "removal.h"
#include "upload.h"

/* StartSnapshot may have been answered, and the answer lost: asked again with its token it says what it made. *ret stays NULL
 * when it made nothing. */
static int find_snapshot(struct aws *a, const struct journal_state *s, char **ret, struct error *err)
{
	struct error why = ERROR_INIT;
	bool nothing = false;
	int r;

	if (s->snapshot && !snapshot_id_ok(s->snapshot))
		return error_input(err, "the journal names no snapshot: \"%s\"", s->snapshot);
	if (s->snapshot) {
		*ret = string_copy(s->snapshot);
		return 0;
	}
	r = ebs_start(a, s->request, ret, &nothing, &why);
	if (r == 0 || nothing)
		return 0;
	*err = why;
	return r;
}

static int remove_begun(struct aws *a, struct journal *j, struct error *err)
{
	CLEANUP_FREE char *snapshot = NULL;
	int r = find_snapshot(a, journal_state(j), &snapshot, err);

	if (r == 0 && snapshot)
		r = removal_of_snapshot(a, snapshot, err);
	return r < 0 ? r : journal_remove(j, err);
}

int upload_abort(const char *path, const struct aws_options *options, struct error *err)
{
	CLEANUP_FREE char *directory = path_directory(path);
	CLEANUP_JOURNAL struct journal *j = NULL;
	CLEANUP_AWS struct aws *a = NULL;
	int r;

	if (!io_exists(path))
		return error_input(err, "there is no disk %s", path);
	r = aws_open(options, &a, err);
	if (r == 0)
		r = journal_open(directory, aws_region(a), &j, err);
	if (r == 0 && !journal_state(j)->disk)
		r = error_input(err, "no upload to %s has been begun beside %s", aws_region(a), path);
	return r < 0 ? r : remove_begun(a, j, err);
}
