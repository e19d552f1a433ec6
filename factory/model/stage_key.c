/* SPDX-License-Identifier: Apache-2.0 */
#include "stage_key.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/digest.h"
#include "../base/error.h"
#include "../base/fields.h"
#include "../base/hex.h"
#include "../base/io.h"
#include "../base/walk.h"
#include "memory.h"

struct stage_key {
	struct buf text;
};

struct stage_key *stage_key_new(void)
{
	struct stage_key *key = memory_new(sizeof(*key));

	key->text.max = SIZE_MAX;
	fields_add(&key->text, STAGE_KEY_FORM);
	return key;
}

void stage_key_free(struct stage_key *key)
{
	if (!key)
		return;
	buf_free(&key->text);
	free(key);
}

void stage_key_freep(struct stage_key **key)
{
	stage_key_free(*key);
}

const char *stage_key_text(const struct stage_key *key)
{
	return buf_text(&key->text);
}

void stage_key_digest(const struct stage_key *key, char ret[static 65])
{
	struct digest digest;

	digest_of(DIGEST_SHA256, key->text.data, key->text.len, &digest);
	hex_encode(digest.bytes, digest_size(DIGEST_SHA256), ret);
}

/* ---------------------------------------------------------------- lines */

static void add_line(struct stage_key *key, const char *kind, const char *label, const char *name,
		     const char *value)
{
	fields_add(&key->text, kind, label, name, value);
}

/* The kind keeps a missing string, an empty one and a number apart. */
void stage_key_string(struct stage_key *key, const char *label, const char *text)
{
	add_line(key, text ? "string" : "none", label, "", text ? text : "");
}

void stage_key_number(struct stage_key *key, const char *label, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	add_line(key, "number", label, "", text);
}

void stage_key_artifact(struct stage_key *key, const char *name, const char *stage, const char *id)
{
	add_line(key, "artifact", name, stage, id);
}

void stage_key_packages(struct stage_key *key, const char *label, const struct lock *lock,
			enum lock_set_id set)
{
	const struct lock_set *s = &lock->sets[set];
	char digest[65];

	for (size_t i = 0; i < s->count; i++) {
		const struct locked_package *p = &s->packages[i];
		CLEANUP_FREE char *name = string_printf("%s:%s", p->name, p->architecture);
		CLEANUP_FREE char *value = string_printf("%s %s", p->version, p->sha256);

		add_line(key, "package", label, name, value);
	}
	lock_set_digest(lock, set, digest);
	add_line(key, "packages", label, "", digest);
}

/* ---------------------------------------------------------------- trees */

struct tree {
	struct stage_key *key;
	const char *label;
};

static int add_file(const struct tree *t, const char *path, const char *name, unsigned int mode,
		    struct error *err)
{
	struct digest digest;
	char hex[2 * DIGEST_MAX + 1];
	uint64_t size;
	int r = digest_file(DIGEST_SHA256, path, &digest, &size, err);

	if (r < 0)
		return r;
	digest_hex(&digest, hex);

	CLEANUP_FREE char *value = string_printf("%04o %" PRIu64 " %s", mode, size, hex);

	add_line(t->key, "file", t->label, name, value);
	return 0;
}

static int add_link(const struct tree *t, const char *path, const char *name, struct error *err)
{
	char target[4097];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return error_system(err, errno, "%s: cannot read the link", path);
	target[n] = '\0';
	add_line(t->key, "link", t->label, name, target);
	return 0;
}

static int add_entry(void *arg, const char *path, const char *name, const struct stat *st,
		     struct error *err)
{
	const struct tree *t = arg;
	unsigned int mode = st->st_mode & 07777;
	char text[8];

	if (S_ISREG(st->st_mode))
		return add_file(t, path, name, mode, err);
	if (S_ISLNK(st->st_mode))
		return add_link(t, path, name, err);
	if (!S_ISDIR(st->st_mode))
		return error_input(err, "%s: only files, directories and symbolic links can go into an image",
				   path);
	snprintf(text, sizeof(text), "%04o", mode);
	add_line(t->key, "directory", t->label, name, text);
	return 0;
}

int stage_key_tree(struct stage_key *key, const char *label, const char *path, struct error *err)
{
	struct tree t = { .key = key, .label = label };

	return walk_tree(path, "", add_entry, &t, err);
}
