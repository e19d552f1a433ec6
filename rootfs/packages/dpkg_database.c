/* SPDX-License-Identifier: Apache-2.0 */
#include "dpkg_database.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"
#include "relations.h"

#define TEXT_MAX (64 << 20)
#define INFO "var/lib/dpkg/info/"
#define TRIGGERS "var/lib/dpkg/triggers/"

struct member {
	char *name;
	struct buf data;
};

struct path {
	char *name;
	char *md5;
};

struct package {
	char *name;
	char *key;			/* "libc6:amd64" where several architectures may be there, else the name */
	struct buf control;
	struct member *members;
	size_t member_count;
	struct path *paths;
	size_t path_count;
};

struct dpkg_database {
	struct package *packages;
	size_t count;
};

struct dpkg_database *dpkg_database_new(void)
{
	return memory_new(sizeof(struct dpkg_database));
}

static void package_clear(struct package *p)
{
	for (size_t i = 0; i < p->member_count; i++) {
		free(p->members[i].name);
		buf_free(&p->members[i].data);
	}
	for (size_t i = 0; i < p->path_count; i++) {
		free(p->paths[i].name);
		free(p->paths[i].md5);
	}
	free(p->members);
	free(p->paths);
	free(p->name);
	free(p->key);
	buf_free(&p->control);
}

void dpkg_database_free(struct dpkg_database *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->count; i++)
		package_clear(&db->packages[i]);
	free(db->packages);
	free(db);
}

void dpkg_database_freep(struct dpkg_database **db)
{
	dpkg_database_free(*db);
}

static struct package *current(const struct dpkg_database *db)
{
	return &db->packages[db->count - 1];
}

static struct text control_of(const struct package *p)
{
	struct text rest = { buf_text(&p->control), p->control.len }, stanza = { "", 0 };

	(void)stanza_next(&rest, &stanza);
	return stanza;
}

static const struct member *find_member(const struct package *p, const char *name)
{
	for (size_t i = 0; i < p->member_count; i++)
		if (strcmp(p->members[i].name, name) == 0)
			return &p->members[i];
	return NULL;
}

/* ---------------------------------------------------------------- one package */

int dpkg_database_begin(struct dpkg_database *db, struct text control, struct error *err)
{
	struct package *p = memory_append(&db->packages, db->count, sizeof(*p));
	struct text name, architecture, multi;
	int r;

	db->count++;
	p->control = (struct buf)BUF_INIT(TEXT_MAX);
	r = buf_add(&p->control, control.data, control.size);
	if (r < 0)
		return error_system(err, r, "control file of a package");
	if (!stanza_field(control_of(p), "Package", &name) ||
	    !stanza_field(control_of(p), "Architecture", &architecture))
		return error_outside(err, "the control file of a package names no package or no architecture");
	p->name = text_copy(name);
	/* dpkg's pkg_name(pnaw_nonambig) and pkg_infodb_get_file(). */
	if (stanza_field(control_of(p), "Multi-Arch", &multi) && text_equal(multi, "same"))
		p->key = string_printf("%s:%.*s", p->name, (int)architecture.size, architecture.data);
	else
		p->key = string_copy(p->name);
	return 0;
}

int dpkg_database_member(struct dpkg_database *db, const char *name, const void *data, size_t size,
			 struct error *err)
{
	struct package *p = current(db);
	struct member *m;
	int r;

	if (strchr(name, '/') || find_member(p, name))
		return error_outside(err, "package %s: its control.tar has a strange member \"%s\"", p->name,
				     name);
	m = memory_append(&p->members, p->member_count, sizeof(*m));
	p->member_count++;
	m->name = string_copy(name);
	m->data = (struct buf)BUF_INIT(TEXT_MAX);
	r = buf_add(&m->data, data, size);
	return r < 0 ? error_system(err, r, "package %s: %s", p->name, name) : 0;
}

int dpkg_database_path(struct dpkg_database *db, const char *path, const char *md5, struct error *err)
{
	struct package *p = current(db);
	struct path *item;

	if (strchr(path, '\n'))
		return error_outside(err, "package %s brings a file with a line break in its name", p->name);
	item = memory_append(&p->paths, p->path_count, sizeof(*item));
	p->path_count++;
	item->name = string_copy(path);
	item->md5 = md5 ? string_copy(md5) : NULL;
	return 0;
}

static const struct path *find_path(const struct package *p, struct text name)
{
	for (size_t i = 0; i < p->path_count; i++)
		if (text_equal(name, p->paths[i].name))
			return &p->paths[i];
	return NULL;
}

void dpkg_database_lose(struct dpkg_database *db, size_t package, const char *path)
{
	struct package *p = &db->packages[package];
	struct path *found = (struct path *)find_path(p, text_of(path));

	if (!found)
		return;
	free(found->name);
	free(found->md5);
	p->path_count--;
	memmove(found, found + 1, (size_t)(p->paths + p->path_count - found) * sizeof(*found));
}

/* ---------------------------------------------------------------- configuration files, deb-conffiles(5) */

struct conffile {
	struct text path;		/* without the "/" in front */
	bool remove_on_upgrade;
};

static bool next_conffile(struct text *rest, struct conffile *ret)
{
	static const char flag[] = "remove-on-upgrade";
	struct text line, words, word;

	while (text_line(rest, &line)) {
		words = line;
		if (!text_word(&words, &word))
			continue;
		ret->remove_on_upgrade = text_equal(word, flag);
		if (ret->remove_on_upgrade && !text_word(&words, &word))
			continue;
		if (word.data[0] != '/')
			continue;
		/* A name may hold blanks: all to the end of the line. */
		ret->path.data = word.data + 1;
		ret->path.size = (size_t)(line.data + line.size - ret->path.data);
		return true;
	}
	return false;
}

static struct text conffiles_of(const struct package *p)
{
	const struct member *m = find_member(p, "conffiles");

	return m ? (struct text){ buf_text(&m->data), m->data.len } : (struct text){ "", 0 };
}

static bool is_conffile(const struct package *p, struct text path)
{
	struct text rest = conffiles_of(p);
	struct conffile c;

	while (next_conffile(&rest, &c))
		if (c.path.size == path.size && memcmp(c.path.data, path.data, path.size) == 0)
			return true;
	return false;
}

bool dpkg_database_wants_md5(const struct dpkg_database *db, const char *path)
{
	const struct package *p = current(db);

	return !find_member(p, "md5sums") || is_conffile(p, text_of(path));
}

/* A package that comes without the list gets one, as from dpkg. */
static int add_md5sums(struct dpkg_database *db, struct error *err)
{
	const struct package *p = current(db);
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = 0;

	if (find_member(p, "md5sums"))
		return 0;
	for (size_t i = 0; i < p->path_count && r == 0; i++)
		if (p->paths[i].md5 && !is_conffile(p, text_of(p->paths[i].name)))
			r = buf_printf(&text, "%s  %s\n", p->paths[i].md5, p->paths[i].name);
	if (r < 0)
		return error_system(err, r, "package %s: md5sums", p->name);
	return dpkg_database_member(db, "md5sums", buf_text(&text), text.len, err);
}

int dpkg_database_end(struct dpkg_database *db, struct error *err)
{
	const struct package *p = current(db);
	struct text rest = conffiles_of(p);
	struct conffile c;

	while (next_conffile(&rest, &c)) {
		const struct path *path = find_path(p, c.path);

		if (!c.remove_on_upgrade && (!path || !path->md5))
			return error_outside(err, "package %s: its configuration file /%.*s is not in it", p->name,
					     (int)c.path.size, c.path.data);
	}
	return add_md5sums(db, err);
}

/* ---------------------------------------------------------------- relations */

const char *dpkg_database_name(const struct dpkg_database *db, size_t package)
{
	return db->packages[package].name;
}

size_t dpkg_database_count(const struct dpkg_database *db)
{
	return db->count;
}

bool dpkg_database_replaces(const struct dpkg_database *db, size_t by, size_t of)
{
	struct text field;

	return stanza_field(control_of(&db->packages[by]), "Replaces", &field) &&
	       relations_name(field, db->packages[of].name);
}

/* ---------------------------------------------------------------- the files */

/* "/." first, as "dpkg --listfiles" shows it. */
static int format_list(const struct package *p, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < p->path_count && r == 0; i++)
		r = buf_printf(ret, "/%s\n", p->paths[i].name[0] ? p->paths[i].name : ".");
	return r;
}

static int format_conffiles(const struct package *p, struct buf *ret)
{
	struct text rest = conffiles_of(p);
	const char *head = "Conffiles:\n";
	struct conffile c;
	int r = 0;

	while (r == 0 && next_conffile(&rest, &c)) {
		const struct path *path = find_path(p, c.path);

		/* Lost to a package that replaces it. */
		if (!path && !c.remove_on_upgrade)
			continue;
		r = buf_printf(ret, "%s /%.*s %s\n", head, (int)c.path.size, c.path.data,
			       c.remove_on_upgrade ? "newconffile remove-on-upgrade" : path->md5);
		head = "";
	}
	return r;
}

/* The control file, with the state behind the field that names the package. */
static int format_status(const struct package *p, struct buf *ret)
{
	struct text rest = control_of(p), line;
	int r = 0;

	while (r == 0 && text_line(&rest, &line)) {
		r = buf_printf(ret, "%.*s\n", (int)line.size, line.data);
		if (r == 0 && line.size > 8 && strncasecmp(line.data, "Package:", 8) == 0)
			r = buf_add_string(ret, "Status: install ok unpacked\n");
	}
	if (r == 0)
		r = format_conffiles(p, ret);
	return r < 0 ? r : buf_add_string(ret, "\n");
}

/*
 * The interests of deb-triggers(5): one line "PATH PACKAGE" for a path, in triggers/File, and one line
 * "PACKAGE" in a file named after the trigger for any other.
 */
struct interest {
	struct text trigger;
	bool wait;
};

static bool next_interest(struct text *rest, struct interest *ret)
{
	struct text line, word;

	while (text_line(rest, &line)) {
		if (!text_word(&line, &word) || word.size < 8 || memcmp(word.data, "interest", 8) != 0)
			continue;
		ret->wait = !text_equal(word, "interest-noawait");
		if (text_word(&line, &ret->trigger))
			return true;
	}
	return false;
}

static struct text triggers_of(const struct package *p)
{
	const struct member *m = find_member(p, "triggers");

	return m ? (struct text){ buf_text(&m->data), m->data.len } : (struct text){ "", 0 };
}

static int format_file_triggers(const struct dpkg_database *db, struct buf *ret)
{
	struct interest i;
	int r = 0;

	for (size_t n = 0; n < db->count; n++) {
		struct text rest = triggers_of(&db->packages[n]);

		while (r == 0 && next_interest(&rest, &i))
			if (i.trigger.data[0] == '/')
				r = buf_printf(ret, "%.*s %s%s\n", (int)i.trigger.size, i.trigger.data,
					       db->packages[n].key, i.wait ? "" : "/noawait");
	}
	return r;
}

static int format_trigger(const struct dpkg_database *db, struct text trigger, struct buf *ret)
{
	struct interest i;
	int r = 0;

	for (size_t n = 0; n < db->count; n++) {
		struct text rest = triggers_of(&db->packages[n]);

		while (r == 0 && next_interest(&rest, &i))
			if (i.trigger.size == trigger.size &&
			    memcmp(i.trigger.data, trigger.data, trigger.size) == 0)
				r = buf_printf(ret, "%s%s\n", db->packages[n].key, i.wait ? "" : "/noawait");
	}
	return r;
}

/* ---------------------------------------------------------------- handing them out */

struct handout {
	dpkg_database_fn each;
	void *context;
};

static int hand(const struct handout *h, const char *path, mode_t mode, const struct buf *data,
		struct error *err)
{
	return h->each(h->context, path, mode, buf_text(data), data->len, err);
}

static bool is_script(const char *name)
{
	static const char *const scripts[] = { "preinst", "postinst", "prerm", "postrm", "config" };

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		if (strcmp(name, scripts[i]) == 0)
			return true;
	return false;
}

static int hand_package(const struct package *p, const struct handout *h, struct error *err)
{
	CLEANUP_FREE char *path = string_printf(INFO "%s.list", p->key);
	CLEANUP_BUF struct buf list = BUF_INIT(TEXT_MAX);
	int r = format_list(p, &list);

	if (r < 0)
		return error_system(err, r, "package %s: list of files", p->name);
	r = hand(h, path, 0644, &list, err);
	for (size_t i = 0; i < p->member_count && r == 0; i++) {
		const struct member *m = &p->members[i];
		CLEANUP_FREE char *name = string_printf(INFO "%s.%s", p->key, m->name);

		r = hand(h, name, is_script(m->name) ? 0755 : 0644, &m->data, err);
	}
	return r;
}

/* A trigger's file once, however many packages wait for it. */
static bool seen_before(const struct dpkg_database *db, size_t package, const char *at,
			struct text trigger)
{
	struct interest i;

	for (size_t n = 0; n <= package; n++) {
		struct text rest = triggers_of(&db->packages[n]);

		while (next_interest(&rest, &i)) {
			if (i.trigger.data == at)
				return false;
			if (i.trigger.size == trigger.size &&
			    memcmp(i.trigger.data, trigger.data, trigger.size) == 0)
				return true;
		}
	}
	return false;
}

static int hand_trigger(const struct dpkg_database *db, struct text trigger, const struct handout *h,
			struct error *err)
{
	CLEANUP_FREE char *path = string_printf(TRIGGERS "%.*s", (int)trigger.size, trigger.data);
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r;

	if (memchr(trigger.data, '/', trigger.size) || trigger.data[0] == '.')
		return error_outside(err, "a package waits for the strange trigger \"%.*s\"",
				     (int)trigger.size, trigger.data);
	r = format_trigger(db, trigger, &text);
	return r < 0 ? error_system(err, r, "%s", path) : hand(h, path, 0644, &text, err);
}

static int hand_triggers(const struct dpkg_database *db, const struct handout *h, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = format_file_triggers(db, &text);

	if (r < 0)
		return error_system(err, r, TRIGGERS "File");
	r = hand(h, TRIGGERS "File", 0644, &text, err);
	for (size_t n = 0; n < db->count && r == 0; n++) {
		struct text rest = triggers_of(&db->packages[n]);
		struct interest i;

		while (r == 0 && next_interest(&rest, &i))
			if (i.trigger.data[0] != '/' && !seen_before(db, n, i.trigger.data, i.trigger))
				r = hand_trigger(db, i.trigger, h, err);
	}
	return r;
}

static int hand_status(const struct dpkg_database *db, const struct handout *h, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = 0;

	for (size_t i = 0; i < db->count && r == 0; i++)
		r = format_status(&db->packages[i], &text);
	return r < 0 ? error_system(err, r, "var/lib/dpkg/status") :
		       hand(h, "var/lib/dpkg/status", 0644, &text, err);
}

int dpkg_database_each(const struct dpkg_database *db, dpkg_database_fn each, void *context,
		       struct error *err)
{
	const struct handout h = { each, context };
	int r;

	r = each(context, INFO "format", 0644, "1\n", 2, err);
	if (r == 0)
		r = each(context, TRIGGERS "Unincorp", 0644, "", 0, err);
	if (r == 0)
		r = hand_status(db, &h, err);
	if (r == 0)
		r = hand_triggers(db, &h, err);
	for (size_t i = 0; i < db->count && r == 0; i++)
		r = hand_package(&db->packages[i], &h, err);
	return r;
}
