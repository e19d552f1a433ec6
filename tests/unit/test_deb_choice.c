/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/deb_choice.h"
#include "rootfs/packages/store.h"

/* In the order of the lock. */
static const struct {
	const char *name, *fields;
} packages[] = {
	{ "awk-one", "Provides: awk\n" },
	{ "awk-two", "Provides: awk (= 2), something\n" },
	{ "base", "Essential: yes\nPre-Depends: awk\n" },
	{ "circle-a", "Depends: circle-b (>= 1), libc\n" },
	{ "circle-b", "Depends:\n circle-a:any\n" },
	{ "heavy", "Depends: heavy-data\n" },
	{ "heavy-data", "" },
	{ "lib", "" },
	{ "libc", "" },
	{ "not-essential", "Essential: no\n" },
	{ "tool", "Depends: lib(>= 2)|libc [amd64], heavy <!nocheck>, gone | also-gone (= 1)\n"
		  "Recommends: unwanted\n" },
	{ "unwanted", "" },
};

static struct scratch dir = SCRATCH_INIT;
static struct store *store;
static struct locked_package locked[ARRAY_SIZE(packages)];
static struct lock_set set = { .packages = locked, .count = ARRAY_SIZE(packages) };

static void make_set(size_t stanzas)
{
	CLEANUP_BUF struct buf index = BUF_INIT(65536);
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		locked[i] = (struct locked_package) { .name = (char *)packages[i].name, .size = i };
		if (i < stanzas)
			buf_printf(&index, "Package: %s\nVersion: 1\n%s\n", packages[i].name, packages[i].fields);
	}
	need(store_add_bytes(store, index.data, index.len, set.index_sha256, &err) == 0, "index: %s",
	     err.message);
}

/* "a b c" of what is chosen, or the error. */
static char *chosen(const struct deb_choice *choice)
{
	CLEANUP_DEB_CHOICE struct lock_set ret = { .packages = NULL };
	CLEANUP_BUF struct buf names = BUF_INIT(4096);
	struct error err = ERROR_INIT;

	if (deb_choose(store, &set, choice, &ret, &err) < 0)
		return string_printf("error: %s", err.message);
	for (size_t i = 0; i < ret.count; i++)
		buf_printf(&names, "%s%s", i ? " " : "", ret.packages[i].name);
	return string_copy(buf_text(&names));
}

static void check(const char *const *names, bool essential, const char *const *without,
		  const char *expected, const char *what)
{
	const struct deb_choice choice = { .names = names, .essential = essential, .without = without };
	CLEANUP_FREE char *got = chosen(&choice);

	ok_str(got, expected, "%s", what);
}

#define NAMES(...) ((const char *const[]) { __VA_ARGS__, NULL })
#define NONE ((const char *const[]) { NULL })

static void test_choices(void)
{
	check(NAMES("lib"), false, NULL, "lib", "one that needs nothing");
	check(NONE, false, NULL, "", "nothing");
	check(NONE, true, NULL, "awk-one awk-two base", "the essential ones, and every provider of what they need");
	check(NAMES("circle-b"), false, NULL, "circle-a circle-b libc", "a circle ends");
	check(NAMES("tool"), false, NULL, "heavy heavy-data lib libc tool",
	      "alternatives, versions and conditions; what is recommended is not needed, what is not in the set not missed");
	check(NAMES("tool"), false, NAMES("heav"), "lib libc tool", "a beginning leaves out, with what it alone needs");
	check(NAMES("tool", "heavy-data"), false, NAMES("heavy-"), "heavy lib libc tool", "even what is named");
	check(NAMES("libc", "circle-a", "libc"), true, NULL, "awk-one awk-two base circle-a circle-b libc",
	      "names and essential ones, each once, in the set's order");
}

static void test_errors(void)
{
	const struct deb_choice choice = { .names = NAMES("lib") };
	struct lock_set ret = { .count = 77 };
	struct error err = ERROR_INIT;
	struct lock_set absent = set;

	check(NAMES("lib", "mkfs"), false, NULL,
	      "error: the lock has no package mkfs, which this version of Kiln needs: run \"kiln fetch\"",
	      "a name that the lock does not have");
	make_set(ARRAY_SIZE(packages) - 1);
	check(NAMES("lib"), false, NULL,
	      "error: the index of the set does not name unwanted: run \"kiln fetch\"",
	      "an index of other packages");
	absent.index_sha256[0] ^= 1;
	ok(deb_choose(store, &absent, &choice, &ret, &err) < 0 && ret.count == 77, "no index");
	ok_error(&err, "is not in the store: run kiln fetch", "says so");
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	need(store_open(dir.path, &store, &err) == 0, "store");
	make_set(ARRAY_SIZE(packages));
	test_choices();
	test_errors();
	store_free(store);
	io_scratch_free(&dir);
	return tap_done();
}
