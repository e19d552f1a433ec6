/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/model/lock.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What a lock of one package looks like on disk, byte for byte. */
static const char golden[] =
	"{\n"
	"  \"epoch\": 1735689600,\n"
	"  \"repositories\": [\n"
	"    {\n"
	"      \"alias\": \"main\",\n"
	"      \"components\": \"main contrib\",\n"
	"      \"date\": 1735689600,\n"
	"      \"keyring_sha256\": \"" HEX "\",\n"
	"      \"release_sha256\": \"" HEX "\",\n"
	"      \"source\": \"distro:debian\",\n"
	"      \"suite\": \"trixie\"\n"
	"    }\n"
	"  ],\n"
	"  \"request_sha256\": \"" HEX "\",\n"
	"  \"schema\": 1,\n"
	"  \"sets\": {\n"
	"    \"appliance\": {\n"
	"      \"index_sha256\": \"\",\n"
	"      \"packages\": []\n"
	"    },\n"
	"    \"boot\": {\n"
	"      \"index_sha256\": \"\",\n"
	"      \"packages\": []\n"
	"    },\n"
	"    \"builder\": {\n"
	"      \"index_sha256\": \"\",\n"
	"      \"packages\": []\n"
	"    },\n"
	"    \"firmware\": {\n"
	"      \"index_sha256\": \"\",\n"
	"      \"packages\": []\n"
	"    },\n"
	"    \"image\": {\n"
	"      \"index_sha256\": \"" HEX "\",\n"
	"      \"packages\": [\n"
	"        {\n"
	"          \"architecture\": \"amd64\",\n"
	"          \"name\": \"bash\",\n"
	"          \"path\": \"pool/main/b/bash/bash_5.2.37-2+b5_amd64.deb\",\n"
	"          \"repository\": \"main\",\n"
	"          \"sha256\": \"" HEX "\",\n"
	"          \"size\": 1500000,\n"
	"          \"version\": \"5.2.37-2+b5\"\n"
	"        }\n"
	"      ]\n"
	"    },\n"
	"    \"sysroot\": {\n"
	"      \"index_sha256\": \"\",\n"
	"      \"packages\": []\n"
	"    }\n"
	"  }\n"
	"}\n";

static int parse(const char *text, struct lock **ret, struct error *err)
{
	return lock_parse(text, strlen(text), "kiln.lock", ret, err);
}

/* The golden text with the first `from` in it replaced; malloc'ed. */
static char *with(const char *from, const char *to)
{
	const char *at = strstr(golden, from);

	need(at, "the lock has %s", from);
	return string_printf("%.*s%s%s", (int)(at - golden), golden, to, at + strlen(from));
}

static void test_fields(void)
{
	CLEANUP_LOCK struct lock *lock = NULL;
	const struct locked_package *p;
	struct error err = ERROR_INIT;

	need(parse(golden, &lock, &err) == 0, "a good lock is read");
	ok_int(lock->epoch, 1735689600, "epoch");
	ok_str(lock->request_sha256, HEX, "request");
	ok_int(lock->repository_count, 1, "one repository");
	ok_str(lock->repositories[0].source, "distro:debian", "its source");
	ok_str(lock->repositories[0].components, "main contrib", "its components");
	p = lock_find(lock, LOCK_IMAGE, "bash");
	need(p, "bash is found");
	ok_str(p->version, "5.2.37-2+b5", "its version");
	ok_int(p->size, 1500000, "its size");
	ok(!lock_find(lock, LOCK_IMAGE, "bas"), "no package by half a name");
	ok(!lock_find(lock, LOCK_BOOT, "bash"), "sets are kept apart");
}

static struct locked_package package(const char *name, const char *architecture)
{
	struct locked_package p = {
		.name = string_copy(name),
		.version = string_copy("1"),
		.architecture = string_copy(architecture),
		.repository = string_copy("main"),
		.path = string_copy("pool/x.deb"),
		.size = 1,
		.sha256 = HEX,
	};
	return p;
}

static void add(struct lock *lock, enum lock_set_id id, const char *name, const char *architecture)
{
	struct lock_set *set = &lock->sets[id];

	set->packages = reallocarray(set->packages, set->count + 1, sizeof(*set->packages));
	need(set->packages, "memory");
	set->packages[set->count++] = package(name, architecture);
	memcpy(set->index_sha256, HEX, 65);
}

static void test_round_trip(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	CLEANUP_LOCK struct lock *lock = NULL, *again = NULL;
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "a scratch directory");
	path = path_join(scratch.path, "kiln.lock");
	need(parse(golden, &lock, &err) == 0, "a good lock is read");
	ok_int(lock_write(lock, path, &err), 0, "written");
	need(io_read_file(path, 1 << 20, &text, &err) == 0, "and read back");
	ok_str(buf_text(&text), golden, "the same bytes");
	need(lock_read(path, &again, &err) == 0, "lock_read reads it");
	ok_int(again->sets[LOCK_IMAGE].count, 1, "with its package");
}

static void test_order(void)
{
	CLEANUP_LOCK struct lock *a = lock_new(), *b = lock_new();
	char digest_a[65], digest_b[65], empty[65];

	lock_set_digest(a, LOCK_IMAGE, empty);
	add(a, LOCK_IMAGE, "zsh", "amd64");
	add(a, LOCK_IMAGE, "bash", "i386");
	add(a, LOCK_IMAGE, "bash", "amd64");
	add(b, LOCK_IMAGE, "bash", "amd64");
	add(b, LOCK_IMAGE, "bash", "i386");
	add(b, LOCK_IMAGE, "zsh", "amd64");
	lock_set_digest(a, LOCK_IMAGE, digest_a);
	lock_set_digest(b, LOCK_IMAGE, digest_b);
	ok_str(digest_a, digest_b, "the digest does not depend on the order of resolving");
	ok(strcmp(digest_a, empty) != 0, "but on the packages");
	lock_set_digest(a, LOCK_BOOT, digest_b);
	ok_str(digest_b, empty, "and on this set only");
	b->sets[LOCK_IMAGE].packages[1].sha256[0] = 'f';
	lock_set_digest(b, LOCK_IMAGE, digest_b);
	ok(strcmp(digest_a, digest_b) != 0, "one digit of one package changes it");
}

static void test_refusals(void)
{
	static const struct {
		const char *from, *to, *message;
	} cases[] = {
		{ "\"schema\": 1", "\"schema\": 2", "use a newer Kiln" },
		{ "\"schema\": 1", "\"schema\": 0", "schema must be from 1" },
		{ "\"schema\": 1", "\"schema\": \"1\"", "schema must be a whole number" },
		{ "\"schema\": 1,", "", "kiln.lock: schema is missing" },
		{ "\"schema\": 1", "\"schema\": 1, \"x\": 1", "kiln.lock: x is not known" },
		{ "\"schema\": 1", "\"schema\": 1, \"schema\": 1", "duplicate object key" },
		{ "\"epoch\": 1735689600", "\"epoch\": -1", "epoch must be from 1" },
		{ "\"epoch\": 1735689600", "\"epoch\": 1.5", "epoch must be a whole number" },
		{ "\"epoch\": 1735689600", "\"epoch\": 99999999999999999999", "kiln.lock:2:" },
		{ "\"epoch\"", "epoch", "kiln.lock:2:" },
		{ "\"schema\": 1", "\"schema\": 1, \"snapshot\": \"\"", "snapshot must be YYYYMMDDTHHMMSSZ" },
		{ "\"schema\": 1", "\"schema\": 1, \"snapshot\": 1", "snapshot must be a string" },
		{ "\"alias\": \"main\"", "\"alias\": \"a b\"", "repositories[0].alias must begin" },
		{ "\"suite\": \"trixie\"", "\"suite\": \"\"", "repositories[0].suite must not be empty" },
		{ "\"suite\": \"trixie\"", "\"suite\": \"a\\nb\"", "control characters" },
		{ "\"name\": \"bash\"", "\"name\": \"-bash\"", "sets.image.packages[0].name" },
		{ "\"name\": \"bash\"", "\"name\": \"../bash\"", "sets.image.packages[0].name" },
		{ "\"name\": \"bash\"", "\"name\": 7", "packages[0].name must be a string" },
		{ "\"path\": \"pool", "\"path\": \"/pool", "packages[0].path must be a relative path" },
		{ "\"path\": \"pool", "\"path\": \"../pool", "packages[0].path must be a relative path" },
		{ "\"path\": \"pool", "\"path\": \"pool/./", "packages[0].path must be a relative path" },
		{ "\"path\": \"pool", "\"path\": \"a/../pool", "packages[0].path must be a relative path" },
		{ "bash_5.2.37-2+b5_amd64.deb", "", "packages[0].path must be a relative path" },
		{ "\"repository\": \"main\"", "\"repository\": \"other\"", "\"other\" is not among" },
		{ "\"sha256\": \"0", "\"sha256\": \"", "sha256 must be 64 lower-case hex digits" },
		{ "\"sha256\": \"0123456789a", "\"sha256\": \"0123456789A", "64 lower-case hex digits" },
		{ "\"sha256\": \"0", "\"sha256\": \"g", "packages[0].sha256 must be 64" },
		{ "\"size\": 1500000", "\"size\": 0", "packages[0].size must be from 1" },
		{ "\"version\": \"5.2", "\"version\": \"5 2", "packages[0].version must be" },
		{ "\"image\": {", "\"images\": {", "sets.images is not known" },
		{ "\"sysroot\": {", "\"x\": {", "sets.x is not known" },
		{ "\"index_sha256\": \"\"", "\"index_sha256\": \"" HEX "\"", "index_sha256 must be empty" },
		{ "\"index_sha256\": \"0", "\"index_sha256\": \"", "sets.image.index_sha256 must be 64" },
		{ "\"packages\": []", "\"packages\": {}", "sets.appliance.packages must be an array" },
		{ "\"packages\": [\n", "\"packages\": [1,\n", "sets.image.packages[0] must be an object" },
		{ "  }\n}\n", "", "kiln.lock:" },
		{ "}\n}\n", "}\n}\nx", "kiln.lock:" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *text = with(cases[i].from, cases[i].to);
		struct lock *lock = NULL;
		struct error err = ERROR_INIT;

		ok(parse(text, &lock, &err) < 0 && !lock && err.kind == ERROR_INPUT,
		   "case %zu is refused", i);
		ok_error(&err, cases[i].message, "... and says why");
	}
}

static void test_snapshot(void)
{
	static const char *const wrong[] = {
		"", "20260131", "20260131T000000", "20260131t000000z", "20261331T000000Z", "20260132T000000Z",
		"20260131T240000Z", "20260131T006000Z", "20260131T000060Z", "19690131T000000Z", "2026-131T000000Z",
		"20260131T000000Z/",
	};
	CLEANUP_FREE char *text = with("\"schema\": 1", "\"schema\": 1, \"snapshot\": \"20260131T235959Z\"");
	CLEANUP_LOCK struct lock *lock = NULL, *current = NULL;
	char dated_digest[65], current_digest[65];
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ok(!lock_is_snapshot(wrong[i]), "\"%s\" is no moment", wrong[i]);
	need(parse(text, &lock, &err) == 0, "a lock of a dated archive: %s", err.message);
	ok_str(lock->snapshot, "20260131T235959Z", "knows its moment");
	need(parse(golden, &current, &err) == 0, "a lock of the current one");
	ok_str(current->snapshot, "", "has none");
	lock_digest(lock, dated_digest);
	lock_digest(current, current_digest);
	ok(strcmp(dated_digest, current_digest) != 0, "they are different locks");
}

static void test_doubles(void)
{
	CLEANUP_LOCK struct lock *lock = NULL, *again = NULL;
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "a scratch directory");
	path = path_join(scratch.path, "kiln.lock");
	need(parse(golden, &lock, &err) == 0, "a good lock is read");
	add(lock, LOCK_IMAGE, "bash", "i386");
	ok(lock_write(lock, path, &err) == 0 && lock_read(path, &again, &err) == 0,
	   "a package may be there for two architectures");
	add(lock, LOCK_IMAGE, "bash", "amd64");
	ok(lock_write(lock, path, &err) == 0 && lock_read(path, &again, &err) < 0,
	   "but not twice for one");
	ok_error(&err, "names bash (amd64) twice", "and the message names it");
}

static void test_not_json(void)
{
	struct lock *lock = NULL;
	struct error err = ERROR_INIT;

	ok(lock_parse(NULL, 0, "kiln.lock", &lock, &err) < 0, "an empty file is refused");
	ok(parse("[]", &lock, &err) < 0, "an array is refused");
	ok_error(&err, "must be a JSON object", "and says why");
	ok(lock_parse("{\"a\": \"\xff\"}", 11, "kiln.lock", &lock, &err) < 0, "bad UTF-8 is refused");
	ok(lock_read("/nonexistent/kiln.lock", &lock, &err) < 0, "a missing file is an error");
	ok_error(&err, "/nonexistent/kiln.lock", "and names it");
}

int main(void)
{
	test_fields();
	test_round_trip();
	test_order();
	test_refusals();
	test_snapshot();
	test_doubles();
	test_not_json();
	return tap_done();
}
