/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/model/description.h"
#include "fetch.h"
#include "snapshot.h"

#define NAMES_MAX 1000

static bool names_some(const struct fetch *f)
{
	return f->options->moving && f->options->moving[0];
}

bool fetch_fits(const struct fetch *f, const struct lock *lock)
{
	return strcmp(lock->request_sha256, f->request.sha256) == 0;
}

static int read_before(struct fetch *f, struct error *err)
{
	const struct fetch_options *o = f->options;
	struct error why = ERROR_INIT;
	int r;

	if (!io_exists(o->lock_path))
		return 0;
	r = lock_read(o->lock_path, &f->before, &why);
	if (r == 0)
		return 0;
	if (o->update && !names_some(f)) {
		log_warning("%s: the lock is made anew", why.message);
		return 0;
	}
	*err = why;
	return error_wrap(err, "cannot use the lock (kiln fetch --update makes it anew)");
}

/* A metapackage is not in the lock, what stands behind it is. */
static bool is_known(const struct fetch *f, const char *name)
{
	for (unsigned int set = 0; set < LOCK_SETS; set++) {
		const struct package_set_request *request = &f->request.sets.requests[set];

		if (lock_find(f->before, set, name))
			return true;
		for (size_t i = 0; request->reach == REACH_BEHIND && request->names[i]; i++)
			if (strcmp(request->names[i], name) == 0)
				return true;
	}
	return false;
}

static int check_moving(const struct fetch *f, struct error *err)
{
	CLEANUP_BUF struct buf names = BUF_INIT(NAMES_MAX);

	if (!names_some(f))
		return 0;
	if (!f->before)
		return error_input(err,
				   "there is no %s yet in which packages could be moved: run "
				   "\"kiln fetch\" without names first",
				   f->options->lock_path);
	for (const char *const *name = f->options->moving; *name; name++)
		if (!is_known(f, *name) &&
		    buf_printf(&names, "%s%s", names.len ? ", " : "", *name) < 0)
			break;
	if (names.len == 0)
		return 0;
	return error_input(err, "--update: %s %s in no set of %s", buf_text(&names),
			   strchr(buf_text(&names), ',') ? "are" : "is", f->options->lock_path);
}

/* Half of a dated archive and half of another would be what nobody can fetch again. */
static int check_snapshot(const struct fetch *f, struct error *err)
{
	const struct fetch_options *o = f->options;

	if (o->snapshot && !lock_is_snapshot(o->snapshot))
		return error_input(err, "--snapshot %s: must be a moment, YYYYMMDDTHHMMSSZ",
				   o->snapshot);
	if (o->snapshot_archive && snapshot_check(o->snapshot_archive, err) < 0)
		return -err->code;
	if (names_some(f) && f->before && f->before->snapshot[0] && !o->snapshot)
		return error_input(err,
				   "%s is of the archive of %s, in which nothing moves: name a "
				   "later one with --snapshot, or leave it with --update alone",
				   o->lock_path, f->before->snapshot);
	return 0;
}

/* Only --update without names leaves a dated archive for today's. */
static const char *choose_moment(const struct fetch *f)
{
	const struct fetch_options *o = f->options;

	if (o->snapshot)
		return o->snapshot;
	return f->before && !(o->update && !names_some(f)) ? f->before->snapshot : "";
}

/* What --locked is for: nobody's lock moves by accident. */
static int check_locked(const struct fetch *f, struct error *err)
{
	const char *path = f->options->lock_path;

	if (!f->options->locked)
		return 0;
	if (!f->before)
		return error_input(err, "%s is missing, and --locked forbids to make it", path);
	if (fetch_fits(f, f->before))
		return error_input(err,
				   "%s is not of the archive of %s, and --locked forbids to "
				   "move it",
				   path, f->moment);
	return error_input(err,
			   "%s was made for other packages or repositories than %s names now, and "
			   "--locked forbids to move it",
			   path, f->request.description->file);
}

static void tell(const struct fetch *f, bool same_moment)
{
	const char *path = f->options->lock_path;

	if (!f->before || f->options->update)
		return;
	if (!same_moment)
		log_info("%s moves to the archive of %s", path, f->moment);
	else
		log_info("%s is for another request: it is moved as far as that needs", path);
}

int fetch_intent(struct fetch *f, struct error *err)
{
	const struct fetch_options *o = f->options;
	bool same_moment;
	int r;

	r = read_before(f, err);
	if (r == 0)
		r = check_snapshot(f, err);
	if (r == 0)
		r = check_moving(f, err);
	if (r < 0)
		return r;
	f->moment = choose_moment(f);
	same_moment = f->before && strcmp(f->moment, f->before->snapshot) == 0;
	f->use = !o->update && same_moment && fetch_fits(f, f->before);
	if (f->use)
		return 0;
	f->keep = names_some(f) || (!o->update && same_moment);
	r = check_locked(f, err);
	if (r == 0)
		tell(f, same_moment);
	return r;
}
