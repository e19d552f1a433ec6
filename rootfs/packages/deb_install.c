/* SPDX-License-Identifier: Apache-2.0 */
#include "deb_install.h"

#include <archive_entry.h>
#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/log.h"
#include "../../factory/base/md5.h"
#include "../../factory/base/process.h"
#include "../../factory/model/lock.h"
#include "../../factory/model/memory.h"
#include "archive_failure.h"
#include "deb_file.h"
#include "dpkg_database.h"
#include "relations.h"
#include "store.h"

/* Of one member of control.tar. The largest known is a few hundred KiB. */
#define MEMBER_MAX (16 << 20)

/* What lies at a path of the tree so far. */
struct owned {
	char *path;
	char *listed;			/* as its package calls it: before any link */
	size_t package;
	mode_t type;
	char *target;			/* of a symbolic link at the top: where names below it really lie */
};

struct install {
	const struct store *store;
	struct archive *tar;
	const char *path;
	struct dpkg_database *db;
	void *owned;			/* tsearch(3) tree of struct owned by path */
	struct md5 *md5;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct owned *)a)->path, ((const struct owned *)b)->path);
}

static void free_owned(void *node)
{
	struct owned *o = node;

	free(o->path);
	free(o->listed);
	free(o->target);
	free(o);
}

static void install_clear(struct install *in)
{
	if (in->tar)
		(void)archive_write_free(in->tar);
	dpkg_database_free(in->db);
	md5_free(in->md5);
	tdestroy(in->owned, free_owned);
}
#define CLEANUP_INSTALL __attribute__((cleanup(install_clear)))

static struct owned *find_owned(const struct install *in, const char *path)
{
	const struct owned key = { .path = (char *)path };
	void *found = tfind(&key, &in->owned, by_path);

	return found ? *(struct owned **)found : NULL;
}

static void own(struct install *in, const char *path, const char *listed, struct archive_entry *entry)
{
	struct owned *o = memory_new(sizeof(*o));
	const char *target = archive_entry_symlink(entry);

	o->path = string_copy(path);
	o->listed = string_copy(listed);
	o->package = dpkg_database_count(in->db) - 1;
	o->type = archive_entry_hardlink(entry) ? AE_IFREG : archive_entry_filetype(entry);
	if (target && !strchr(path, '/') && target[0] != '/')
		o->target = string_copy(target);
	if (!tsearch(o, &in->owned, by_path))
		error_no_memory();
}

static int write_error(const struct install *in, struct error *err)
{
	return archive_failure(in->tar, in->path, "cannot be written", err);
}

/* ---------------------------------------------------------------- paths */

/*
 * Without "./" in front and "/" behind; refused: what is absolute or climbs. Below a link at the top of
 * the tree (bin -> usr/bin) the path is where the link leads.
 */
static int place(const struct install *in, const char *package, const char *name, char **ret,
		 struct error *err)
{
	size_t size = strlen(name), first = strcspn(name, "/");
	CLEANUP_FREE char *top = NULL;
	const struct owned *link;

	while (size > 0 && name[size - 1] == '/')
		size--;
	if (name[0] == '/' || strcmp(name, "..") == 0 || strncmp(name, "../", 3) == 0 || strstr(name, "/../") ||
	    (size > 2 && strncmp(name + size - 3, "/..", 3) == 0))
		return error_outside(err, "package %s: the path \"%s\" leaves the tree", package, name);
	top = string_printf("%.*s", (int)first, name);
	link = first < size ? find_owned(in, top) : NULL;
	if (link && link->target)
		*ret = string_printf("%s%.*s", link->target, (int)(size - first), name + first);
	else
		*ret = string_printf("%.*s", (int)size, name);
	return 0;
}

/*
 * 1: write it; 0: what is there stays. A directory where a directory or a link to one is stays as it is,
 * like in dpkg.
 */
static int settle(struct install *in, const char *path, const char *listed, struct archive_entry *entry,
		  struct error *err)
{
	const size_t me = dpkg_database_count(in->db) - 1;
	const bool directory = archive_entry_filetype(entry) == AE_IFDIR;
	struct owned *there = find_owned(in, path);

	if (!there) {
		own(in, path, listed, entry);
		return 1;
	}
	if (directory && (there->type == AE_IFDIR || there->type == AE_IFLNK))
		return 0;
	if (directory || there->type == AE_IFDIR)
		return error_outside(err, "/%s is a directory in one of the packages %s and %s and a file in the other",
				     path, dpkg_database_name(in->db, there->package),
				     dpkg_database_name(in->db, me));
	if (dpkg_database_replaces(in->db, there->package, me))
		return 0;
	if (!dpkg_database_replaces(in->db, me, there->package))
		return error_outside(err, "packages %s and %s both bring /%s",
				     dpkg_database_name(in->db, there->package),
				     dpkg_database_name(in->db, me), path);
	dpkg_database_lose(in->db, there->package, there->listed);
	free(there->listed);
	there->listed = string_copy(listed);
	there->package = me;
	return 1;
}

/* ---------------------------------------------------------------- files */

static int copy_data(const struct install *in, struct deb_file *deb, bool digest, struct error *err)
{
	const void *block;
	size_t size;
	int64_t offset;
	int r;

	while ((r = archive_read_data_block(deb->tar, &block, &size, &offset)) == ARCHIVE_OK) {
		if (archive_write_data(in->tar, block, size) != (ssize_t)size)
			return write_error(in, err);
		if (digest)
			md5_add(in->md5, block, size);
	}
	return r == ARCHIVE_EOF ? 0 : deb_file_error(deb, err);
}

static int write_entry(const struct install *in, struct deb_file *deb, struct archive_entry *entry,
		       const char *path, struct error *err)
{
	CLEANUP_FREE char *target = NULL;
	const char *hardlink = archive_entry_hardlink(entry);
	int r;

	if (hardlink) {
		while (strncmp(hardlink, "./", 2) == 0)
			hardlink += 2;
		r = place(in, deb->name, hardlink, &target, err);
		if (r < 0)
			return r;
		archive_entry_copy_hardlink(entry, target);
	}
	archive_entry_copy_pathname(entry, path);
	/* By number alone: the names would be looked up in whatever system unpacks this. */
	archive_entry_copy_uname(entry, NULL);
	archive_entry_copy_gname(entry, NULL);
	return archive_write_header(in->tar, entry) < ARCHIVE_WARN ? write_error(in, err) : 0;
}

static int add_file(struct install *in, struct deb_file *deb, struct archive_entry *entry,
		    const char *name, struct error *err)
{
	CLEANUP_FREE char *path = NULL, *listed = string_printf("%.*s", (int)strlen(name), name);
	char digits[MD5_DIGITS + 1];
	bool data, digest;
	int r;

	while (listed[0] && listed[strlen(listed) - 1] == '/')
		listed[strlen(listed) - 1] = '\0';
	r = place(in, deb->name, name, &path, err);
	if (r == 0 && path[0])
		r = settle(in, path, listed, entry, err);
	if (r < 0)
		return r;
	/* The root of the tree, or what another package has there. */
	if (r == 0)
		return archive_entry_filetype(entry) == AE_IFDIR ?
			       dpkg_database_path(in->db, listed, NULL, err) : 0;
	data = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);
	digest = data && dpkg_database_wants_md5(in->db, listed);
	r = write_entry(in, deb, entry, path, err);
	if (r == 0 && data)
		r = copy_data(in, deb, digest, err);
	if (r < 0)
		return r;
	if (digest)
		md5_final(in->md5, digits);
	return dpkg_database_path(in->db, listed, digest ? digits : NULL, err);
}

static int add_files(struct install *in, const struct locked_package *package, struct error *err)
{
	CLEANUP_DEB_FILE struct deb_file deb = DEB_FILE_INIT;
	struct archive_entry *entry;
	const char *name;
	int r = deb_file_open(in->store, package, "data.tar", &deb, err);

	if (r < 0)
		return r;
	while ((r = deb_file_next(&deb, &entry, &name, err)) > 0) {
		r = add_file(in, &deb, entry, name, err);
		if (r < 0)
			return r;
	}
	return r;
}

/* ---------------------------------------------------------------- control files */

struct control {
	struct {
		char *name;
		struct buf data;
	} *members;
	size_t count;
};

static void control_clear(struct control *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->members[i].name);
		buf_free(&c->members[i].data);
	}
	free(c->members);
}
#define CLEANUP_CONTROL __attribute__((cleanup(control_clear)))

static int read_member(struct deb_file *deb, struct archive_entry *entry, const char *name,
		       struct control *ret, struct error *err)
{
	int64_t size = archive_entry_size(entry);
	struct buf *data;
	uint8_t *room;
	int r;

	if (size < 0 || size > MEMBER_MAX)
		return error_outside(err, "package %s: its %s is larger than %d bytes", deb->name, name, MEMBER_MAX);
	ret->members = reallocarray(ret->members, ret->count + 1, sizeof(*ret->members));
	if (!ret->members)
		error_no_memory();
	ret->members[ret->count].name = string_copy(name);
	data = &ret->members[ret->count++].data;
	*data = (struct buf)BUF_INIT(MEMBER_MAX);
	r = buf_reserve(data, (size_t)size, &room);
	if (r < 0)
		return error_system(err, r, "package %s: %s", deb->name, name);
	if (size > 0 && archive_read_data(deb->tar, room, (size_t)size) != size)
		return deb_file_error(deb, err);
	data->len = (size_t)size;
	room[size] = '\0';
	return 0;
}

static int read_control(const struct install *in, const struct locked_package *package,
			struct control *ret, struct error *err)
{
	CLEANUP_DEB_FILE struct deb_file deb = DEB_FILE_INIT;
	struct archive_entry *entry;
	const char *name;
	int r = deb_file_open(in->store, package, "control.tar", &deb, err);

	if (r < 0)
		return r;
	while ((r = deb_file_next(&deb, &entry, &name, err)) > 0) {
		if (archive_entry_filetype(entry) != AE_IFREG)
			continue;
		r = read_member(&deb, entry, name, ret, err);
		if (r < 0)
			return r;
	}
	return r;
}

static const struct buf *control_member(const struct control *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->members[i].name, name) == 0)
			return &c->members[i].data;
	return NULL;
}

static bool moves_files_aside(const struct control *c)
{
	const struct buf *preinst = control_member(c, "preinst");

	return preinst && strstr(buf_text(preinst), "dpkg-divert") && strstr(buf_text(preinst), "--rename");
}

/* Policy 7.2: what a preinst calls is among its package's pre-dependencies. */
static bool makes_accounts(const struct control *c)
{
	static const char *const makers[] = { "adduser", "passwd", "sysuser-helper" };
	const struct buf *control = control_member(c, "control");
	struct text stanza, field, rest = { control ? buf_text(control) : "", control ? control->len : 0 };

	if (!control_member(c, "preinst") || !stanza_next(&rest, &stanza) ||
	    !stanza_field(stanza, "Pre-Depends", &field))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (relations_name(field, makers[i]))
			return true;
	return false;
}

static int add_control(struct install *in, const struct locked_package *package,
		       const struct control *c, struct error *err)
{
	const struct buf *control = control_member(c, "control");
	int r;

	if (!control)
		return error_outside(err, "package %s has no control file", package->name);
	r = dpkg_database_begin(in->db, (struct text){ buf_text(control), control->len }, err);
	for (size_t i = 0; i < c->count && r == 0; i++)
		if (strcmp(c->members[i].name, "control") != 0)
			r = dpkg_database_member(in->db, c->members[i].name, buf_text(&c->members[i].data),
						 c->members[i].data.len, err);
	return r;
}

/* ---------------------------------------------------------------- the set */

static int write_file(void *context, const char *path, mode_t mode, const void *data, size_t size,
		      struct error *err)
{
	const struct install *in = context;
	struct archive_entry *entry = archive_entry_new();
	int r;

	if (!entry)
		error_no_memory();
	archive_entry_copy_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, mode);
	archive_entry_set_size(entry, (int64_t)size);
	archive_entry_set_mtime(entry, 0, 0);
	r = archive_write_header(in->tar, entry);
	archive_entry_free(entry);
	if (r < ARCHIVE_WARN || (size > 0 && archive_write_data(in->tar, data, size) != (ssize_t)size))
		return write_error(in, err);
	return 0;
}

static int leave_for_later(struct install *in, const struct locked_package *package, struct error *err)
{
	CLEANUP_FREE char *object = NULL, *path = NULL;
	CLEANUP_IO_MAP struct io_map map = { 0 };
	int r = store_verified(in->store, package->sha256, package->name, &object, err);

	if (r == 0)
		r = io_map_file(object, &map, err);
	if (r < 0)
		return r;
	log_debug("package %s is left to dpkg", package->name);
	path = string_printf(DEB_INSTALL_LATER "/%s_%s.deb", package->name, package->architecture);
	return write_file(in, path, 0644, map.data, map.size, err);
}

static int add_package(struct install *in, const struct locked_package *package, struct error *err)
{
	CLEANUP_CONTROL struct control control = { NULL, 0 };
	int r = process_check_interrupt(err);

	if (r == 0)
		r = read_control(in, package, &control, err);
	if (r < 0)
		return r;
	if (moves_files_aside(&control) || makes_accounts(&control))
		return leave_for_later(in, package, err);
	r = add_control(in, package, &control, err);
	if (r == 0)
		r = add_files(in, package, err);
	return r < 0 ? r : dpkg_database_end(in->db, err);
}

/* base-files leads: its links to directories must be known before what lies behind them. */
static int add_packages(struct install *in, const struct lock_set *set, struct error *err)
{
	static const char first[] = "base-files";
	int r = 0;

	for (size_t i = 0; i < set->count && r == 0; i++)
		if (strcmp(set->packages[i].name, first) == 0)
			r = add_package(in, &set->packages[i], err);
	for (size_t i = 0; i < set->count && r == 0; i++) {
		if (strcmp(set->packages[i].name, first) != 0)
			r = add_package(in, &set->packages[i], err);
		log_step_update(i + 1, set->count, "packages");
	}
	return r;
}

int deb_install(const struct store *store, const struct lock_set *set, const char *path,
		struct error *err)
{
	CLEANUP_INSTALL struct install in = {
		.store = store,
		.path = path,
		.tar = archive_write_new(),
		.db = dpkg_database_new(),
		.md5 = md5_new(),
	};
	int r;

	if (!in.tar)
		error_no_memory();
	if (archive_write_set_format_pax_restricted(in.tar) != ARCHIVE_OK ||
	    archive_write_add_filter_none(in.tar) != ARCHIVE_OK ||
	    archive_write_open_filename(in.tar, path) != ARCHIVE_OK)
		return write_error(&in, err);
	r = add_packages(&in, set, err);
	if (r == 0)
		r = dpkg_database_each(in.db, write_file, &in, err);
	if (r < 0)
		return r;
	return archive_write_close(in.tar) == ARCHIVE_OK ? 0 : write_error(&in, err);
}
