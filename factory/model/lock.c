/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/digest.h"
#include "../base/error.h"
#include "../base/hex.h"
#include "../base/io.h"
#include "json.h"
#include "memory.h"

#define LOCK_SCHEMA 1

const char *const lock_set_names[LOCK_SETS] = {
	[LOCK_IMAGE] = "image",
	[LOCK_BOOT] = "boot",
	[LOCK_SYSROOT] = "sysroot",
	[LOCK_BUILDER] = "builder",
	[LOCK_APPLIANCE] = "appliance",
	[LOCK_FIRMWARE] = "firmware",
};

struct lock *lock_new(void)
{
	return memory_new(sizeof(struct lock));
}

static void repository_clear(struct locked_repository *r)
{
	free(r->alias);
	free(r->source);
	free(r->suite);
	free(r->components);
}

static void package_clear(struct locked_package *p)
{
	free(p->name);
	free(p->version);
	free(p->architecture);
	free(p->repository);
	free(p->path);
}

void lock_free(struct lock *lock)
{
	if (!lock)
		return;
	for (size_t i = 0; i < lock->repository_count; i++)
		repository_clear(&lock->repositories[i]);
	free(lock->repositories);
	for (int s = 0; s < LOCK_SETS; s++) {
		for (size_t i = 0; i < lock->sets[s].count; i++)
			package_clear(&lock->sets[s].packages[i]);
		free(lock->sets[s].packages);
	}
	free(lock);
}

void lock_freep(struct lock **lock)
{
	lock_free(*lock);
}

/* By name, then architecture; one set holds a package of one architecture once. */
static int compare(const struct locked_package *a, const struct locked_package *b)
{
	int c = strcmp(a->name, b->name);

	return c ? c : strcmp(a->architecture, b->architecture);
}

static int compare_items(const void *a, const void *b)
{
	return compare(a, b);
}

const struct locked_package *lock_find(const struct lock *lock, enum lock_set_id set, const char *name)
{
	for (size_t i = 0; i < lock->sets[set].count; i++)
		if (strcmp(lock->sets[set].packages[i].name, name) == 0)
			return &lock->sets[set].packages[i];
	return NULL;
}

/* ---------------------------------------------------------------- reading */

static bool within(const char *digits, size_t count, unsigned int least, unsigned int most)
{
	unsigned int value = 0;

	for (size_t i = 0; i < count; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		value = value * 10 + (unsigned int)(digits[i] - '0');
	}
	return value >= least && value <= most;
}

bool lock_is_snapshot(const char *text)
{
	return strlen(text) == 16 && within(text, 4, 1970, 9999) && within(text + 4, 2, 1, 12) &&
	       within(text + 6, 2, 1, 31) && text[8] == 'T' && within(text + 9, 2, 0, 23) &&
	       within(text + 11, 2, 0, 59) && within(text + 13, 2, 0, 59) && text[15] == 'Z';
}

/*
 * What a string may look like. These end in file names, in apt's source lists and on command lines
 * in the appliance, so each is held to what its kind needs and no more.
 */
enum shape { SHAPE_NAME, SHAPE_VERSION, SHAPE_PATH, SHAPE_TEXT };

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool only(const char *text, const char *allowed)
{
	return *text && text[strspn(text, allowed)] == '\0';
}

/* Relative, and nowhere upwards: every component is there and is neither "." nor "..". */
static bool is_inner_path(const char *path)
{
	while (true) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && memcmp(path, "..", 2) == 0))
			return false;
		if (path[n] == '\0')
			return true;
		path += n + 1;
	}
}

static const char *shape_error(enum shape shape, const char *text)
{
	if (shape == SHAPE_NAME && (!only(text, ALNUM "+._-") || strchr("+.-", *text)))
		return "must begin with a letter, a digit or _, and consist of those and of + . -";
	if (shape == SHAPE_VERSION && !only(text, ALNUM "+.:~^_-"))
		return "must be a package version";
	if (shape == SHAPE_PATH && !is_inner_path(text))
		return "must be a relative path without . and ..";
	if (shape == SHAPE_TEXT && *text == '\0')
		return "must not be empty";
	return NULL;
}

static int get_shaped(const struct json_node *object, const char *key, enum shape shape,
		      char **ret, struct error *err)
{
	CLEANUP_FREE char *text = NULL;
	const char *why;
	int r = json_get_string(object, key, &text, err);

	if (r < 0)
		return r;
	why = shape_error(shape, text);
	if (why)
		return json_complain(object, key, err, "%s", why);
	*ret = TAKE_PTR(text);
	return 0;
}

static int read_repository(const struct json_node *item, struct locked_repository *ret,
			   struct error *err)
{
	static const char *const keys[] = { "alias", "components", "date", "keyring_sha256",
					    "release_sha256", "source", "suite", NULL };
	uint64_t date;
	int r = json_check_keys(item, keys, err);

	if (r == 0)
		r = get_shaped(item, "alias", SHAPE_NAME, &ret->alias, err);
	if (r == 0)
		r = get_shaped(item, "source", SHAPE_TEXT, &ret->source, err);
	if (r == 0)
		r = get_shaped(item, "suite", SHAPE_TEXT, &ret->suite, err);
	if (r == 0)
		r = json_get_string(item, "components", &ret->components, err);
	if (r == 0)
		r = json_get_hex(item, "release_sha256", 32, ret->release_sha256, err);
	if (r == 0)
		r = json_get_hex(item, "keyring_sha256", 32, ret->keyring_sha256, err);
	if (r == 0)
		r = json_get_number(item, "date", 1, INT64_MAX, &date, err);
	if (r == 0)
		ret->date = (int64_t)date;
	return r;
}

static bool has_repository(const struct lock *lock, const char *alias)
{
	for (size_t i = 0; i < lock->repository_count; i++)
		if (strcmp(lock->repositories[i].alias, alias) == 0)
			return true;
	return false;
}

static int read_repositories(const struct json_node *root, struct lock *lock, struct error *err)
{
	struct json_node array, item;
	size_t count;
	int r = json_get_array(root, "repositories", &array, &count, err);

	for (size_t i = 0; i < count && r == 0; i++) {
		struct locked_repository *repository;

		r = json_get_item(&array, i, &item, err);
		if (r < 0)
			break;
		repository = memory_append(&lock->repositories, i, sizeof(*repository));
		r = read_repository(&item, repository, err);
		if (r == 0 && has_repository(lock, repository->alias))
			r = json_complain(&item, "alias", err, "\"%s\" is given twice",
					  repository->alias);
		lock->repository_count++;
	}
	return r;
}

static int read_package(const struct lock *lock, const struct json_node *item,
			struct locked_package *ret, struct error *err)
{
	static const char *const keys[] = { "architecture", "name", "path", "repository",
					    "sha256", "size", "version", NULL };
	int r = json_check_keys(item, keys, err);

	if (r == 0)
		r = get_shaped(item, "name", SHAPE_NAME, &ret->name, err);
	if (r == 0)
		r = get_shaped(item, "version", SHAPE_VERSION, &ret->version, err);
	if (r == 0)
		r = get_shaped(item, "architecture", SHAPE_NAME, &ret->architecture, err);
	if (r == 0)
		r = get_shaped(item, "repository", SHAPE_NAME, &ret->repository, err);
	if (r == 0 && !has_repository(lock, ret->repository))
		r = json_complain(item, "repository", err, "\"%s\" is not among the repositories",
				  ret->repository);
	if (r == 0)
		r = get_shaped(item, "path", SHAPE_PATH, &ret->path, err);
	if (r == 0)
		r = json_get_number(item, "size", 1, INT64_MAX, &ret->size, err);
	if (r == 0)
		r = json_get_hex(item, "sha256", 32, ret->sha256, err);
	return r;
}

static int check_unique(const struct json_node *node, struct lock_set *set, struct error *err)
{
	if (set->count)
		qsort(set->packages, set->count, sizeof(*set->packages), compare_items);
	for (size_t i = 1; i < set->count; i++)
		if (compare(&set->packages[i - 1], &set->packages[i]) == 0)
			return json_complain(node, "packages", err, "names %s (%s) twice",
					     set->packages[i].name, set->packages[i].architecture);
	return 0;
}

static int read_set(const struct json_node *node, struct lock *lock, struct lock_set *set,
		    struct error *err)
{
	static const char *const keys[] = { "index_sha256", "packages", NULL };
	struct json_node array, item;
	size_t count;
	int r = json_check_keys(node, keys, err);

	if (r == 0)
		r = json_get_array(node, "packages", &array, &count, err);
	/* A set without packages has no index. */
	if (r == 0)
		r = json_get_hex(node, "index_sha256", count ? 32 : 0, set->index_sha256, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = json_get_item(&array, i, &item, err);
		if (r < 0)
			break;
		r = read_package(lock, &item,
				 memory_append(&set->packages, i, sizeof(*set->packages)), err);
		set->count++;
	}
	return r < 0 ? r : check_unique(node, set, err);
}

static int read_sets(const struct json_node *root, struct lock *lock, struct error *err)
{
	const char *keys[LOCK_SETS + 1] = { NULL };
	struct json_node sets, node;
	int r = json_get_object(root, "sets", &sets, err);

	memcpy(keys, lock_set_names, sizeof(lock_set_names));
	if (r == 0)
		r = json_check_keys(&sets, keys, err);
	for (int i = 0; i < LOCK_SETS && r == 0; i++) {
		r = json_get_object(&sets, lock_set_names[i], &node, err);
		if (r == 0)
			r = read_set(&node, lock, &lock->sets[i], err);
	}
	return r;
}

/* Only there when it is a dated archive, so that other locks are what they always were. */
static int read_snapshot(const struct json_node *root, struct lock *lock, struct error *err)
{
	CLEANUP_FREE char *text = NULL;
	int r;

	if (!json_has(root, "snapshot"))
		return 0;
	r = json_get_string(root, "snapshot", &text, err);
	if (r < 0)
		return r;
	if (!lock_is_snapshot(text))
		return json_complain(root, "snapshot", err, "must be YYYYMMDDTHHMMSSZ");
	memcpy(lock->snapshot, text, sizeof(lock->snapshot));
	return 0;
}

static int read_root(const struct json_node *root, struct lock *lock, struct error *err)
{
	static const char *const keys[] = { "epoch", "repositories", "request_sha256", "schema",
					    "sets", "snapshot", NULL };
	uint64_t epoch;
	int r = json_check_schema(root, LOCK_SCHEMA, NULL, err);

	if (r == 0)
		r = json_check_keys(root, keys, err);
	if (r == 0)
		r = json_get_number(root, "epoch", 1, INT64_MAX, &epoch, err);
	if (r == 0)
		r = json_get_hex(root, "request_sha256", 32, lock->request_sha256, err);
	if (r == 0)
		r = read_snapshot(root, lock, err);
	if (r == 0)
		r = read_repositories(root, lock, err);
	if (r == 0)
		r = read_sets(root, lock, err);
	if (r == 0)
		lock->epoch = (int64_t)epoch;
	return r;
}

int lock_parse(const void *json, size_t size, const char *file, struct lock **ret, struct error *err)
{
	CLEANUP_LOCK struct lock *lock = lock_new();
	CLEANUP_JSON struct json_node root = { .value = NULL };
	int r = json_open(json, size, file, &root, err);

	if (r == 0)
		r = read_root(&root, lock, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(lock);
	return 0;
}

int lock_read(const char *path, struct lock **ret, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_SIZE_MAX);
	int r = io_read_file(path, JSON_SIZE_MAX, &text, err);

	return r < 0 ? r : lock_parse(text.data, text.len, path, ret, err);
}

/* ---------------------------------------------------------------- writing */

static void put_repository(struct json_t *array, const struct locked_repository *r)
{
	struct json_t *o = json_put_object(array, NULL);

	json_put_string(o, "alias", r->alias);
	json_put_string(o, "source", r->source);
	json_put_string(o, "suite", r->suite);
	json_put_string(o, "components", r->components);
	json_put_string(o, "release_sha256", r->release_sha256);
	json_put_string(o, "keyring_sha256", r->keyring_sha256);
	json_put_number(o, "date", (uint64_t)r->date);
}

static void put_package(struct json_t *array, const struct locked_package *p)
{
	struct json_t *o = json_put_object(array, NULL);

	json_put_string(o, "name", p->name);
	json_put_string(o, "version", p->version);
	json_put_string(o, "architecture", p->architecture);
	json_put_string(o, "repository", p->repository);
	json_put_string(o, "path", p->path);
	json_put_number(o, "size", p->size);
	json_put_string(o, "sha256", p->sha256);
}

static int compare_pointers(const void *a, const void *b)
{
	return compare(*(const struct locked_package *const *)a,
		       *(const struct locked_package *const *)b);
}

static void put_set(struct json_t *o, const struct lock_set *set)
{
	CLEANUP_FREE const struct locked_package **sorted = memory_new((set->count + 1) * sizeof(*sorted));
	struct json_t *array = json_put_array(o, "packages");

	for (size_t i = 0; i < set->count; i++)
		sorted[i] = &set->packages[i];
	qsort(sorted, set->count, sizeof(*sorted), compare_pointers);
	json_put_string(o, "index_sha256", set->index_sha256);
	for (size_t i = 0; i < set->count; i++)
		put_package(array, sorted[i]);
}

static struct json_t *lock_tree(const struct lock *lock)
{
	struct json_t *root = json_new();
	struct json_t *array, *sets;

	json_put_number(root, "schema", LOCK_SCHEMA);
	json_put_number(root, "epoch", (uint64_t)lock->epoch);
	json_put_string(root, "request_sha256", lock->request_sha256);
	if (lock->snapshot[0])
		json_put_string(root, "snapshot", lock->snapshot);
	array = json_put_array(root, "repositories");
	for (size_t i = 0; i < lock->repository_count; i++)
		put_repository(array, &lock->repositories[i]);
	sets = json_put_object(root, "sets");
	for (int i = 0; i < LOCK_SETS; i++)
		put_set(json_put_object(sets, lock_set_names[i]), &lock->sets[i]);
	return root;
}

int lock_write(const struct lock *lock, const char *path, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_SIZE_MAX);
	int r = json_finish(lock_tree(lock), true, &text);

	if (r < 0)
		return error_system(err, r, "%s: cannot make its text", path);
	return io_write_file(path, text.data, text.len, 0644, err);
}

void lock_digest(const struct lock *lock, char ret[static 65])
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_SIZE_MAX);
	struct digest digest;

	/* As in lock_set_digest(). */
	if (json_finish(lock_tree(lock), true, &text) < 0)
		error_no_memory();
	digest_of(DIGEST_SHA256, text.data, text.len, &digest);
	hex_encode(digest.bytes, digest_size(DIGEST_SHA256), ret);
}

void lock_set_digest(const struct lock *lock, enum lock_set_id set, char ret[static 65])
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_SIZE_MAX);
	struct json_t *root = json_new();
	struct digest digest;

	put_set(root, &lock->sets[set]);
	/* A set that no lock file could hold must not share the digest of an empty text. */
	if (json_finish(root, true, &text) < 0)
		error_no_memory();
	digest_of(DIGEST_SHA256, text.data, text.len, &digest);
	hex_encode(digest.bytes, digest_size(DIGEST_SHA256), ret);
}
