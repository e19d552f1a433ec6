/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/snapshot.h"

#define MOMENT "20260131T000000Z"

static const char config[] =
	"Acquire::http::Proxy none\n"
	"Acquire::Snapshots \n"
	"Acquire::Snapshots::URI \n"
	"Acquire::Snapshots::URI::Origin::Debian http://origin/@SNAPSHOTID@/\n"
	"Acquire::Snapshots::URI::Label::Two Words http://label/@SNAPSHOTID@/\n"
	"Acquire::Snapshots::URI::Override::Label::Debian-Security http://override/@SNAPSHOTID@/\n"
	"Acquire::Snapshots::URI::Override::Origin::Never no\n"
	"Acquire::Snapshots::URI::Host::deb.example http://host/@PATH@/@SNAPSHOTID@/\n";

#define HEADER "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"

/* In the order in which apt asks. */
static void test_template(void)
{
	static const struct {
		const char *release, *host, *expected;
	} cases[] = {
		{ HEADER "Origin: Debian\nLabel: Debian\n", "x", "http://origin/@SNAPSHOTID@/" },
		{ "Origin: Debian\nLabel: Debian\n", "deb.example", "http://origin/@SNAPSHOTID@/" },
		{ "Origin: Debian\nLabel: Two Words\n", "x", "http://label/@SNAPSHOTID@/" },
		{ "Origin: Debian\nLabel: Debian-Security\n", "x", "http://override/@SNAPSHOTID@/" },
		{ HEADER "Origin: Debian\nSnapshots: http://own/@SNAPSHOTID@\n", "x", "http://own/@SNAPSHOTID@" },
		{ "Label: Debian-Security\nSnapshots: http://own/@SNAPSHOTID@\n", "x", "http://override/@SNAPSHOTID@/" },
		{ "Origin: Other\n", "deb.example", "http://host/@PATH@/@SNAPSHOTID@/" },
		{ "Origin: Other\n", "x", NULL },
		{ "Origin: Debia\n", "x", NULL },
		{ "Origin: Debian\nSnapshots: no\n", "deb.example", NULL },
		{ "Origin: Never\nSnapshots: http://own/@SNAPSHOTID@\n", "deb.example", NULL },
		{ "", "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *got =
			snapshot_template(text_of(cases[i].release), text_of(config), cases[i].host);

		if (cases[i].expected)
			ok_str(got, cases[i].expected, "template %zu", i);
		else
			ok(!got, "template %zu: there is none", i);
	}
}

static void test_expand(void)
{
	CLEANUP_FREE char *both = snapshot_expand("http://h/@PATH@/@SNAPSHOTID@//", MOMENT, "a/b");
	CLEANUP_FREE char *twice = snapshot_expand("http://h/@SNAPSHOTID@/@SNAPSHOTID@", "@PATH@", "x");

	ok_str(both, "http://h/a/b/" MOMENT, "both placeholders, no slash at the end");
	ok_str(twice, "http://h/x/x", "as often as they stand there");
}

static void test_given(void)
{
	static const struct {
		const char *given, *source, *suite, *expected;
	} cases[] = {
		{ "http://s/archive/debian/@SNAPSHOTID@/", "distro:debian", "trixie", "http://s/archive/debian/" MOMENT },
		{ "http://s/archive/debian/@SNAPSHOTID@/", "distro:debian", "trixie-security",
		  "http://s/archive/debian-security/" MOMENT },
		{ "http://s/@SNAPSHOTID@ http://t/@SNAPSHOTID@", "distro:debian", "trixie-security", "http://t/" MOMENT },
		{ "http://s/@SNAPSHOTID@ http://t/@SNAPSHOTID@", "distro:debian", "trixie", "http://s/" MOMENT },
		{ "http://s/@PATH@/@SNAPSHOTID@", "distro:debian", "trixie-security", "http://s/debian-security/" MOMENT },
		{ "http://s/@PATH@/@SNAPSHOTID@", "http://own:80/a/b/", "x-security", "http://s/a/b/" MOMENT },
		{ "http://s/@PATH@/@SNAPSHOTID@", "file:///a/b", "x", "http://s/a/b/" MOMENT },
		{ "http://s/@PATH@/@SNAPSHOTID@", "file:/a/b", "x", "http://s/a/b/" MOMENT },
		{ "http://s/@SNAPSHOTID@", "distro:debian", "trixie-security", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct snapshots s = { .moment = MOMENT, .given = cases[i].given };
		CLEANUP_FREE char *got = NULL;
		struct error err = ERROR_INIT;
		int r = snapshot_find(&s, cases[i].source, cases[i].suite, &got, &err);

		if (cases[i].expected) {
			ok_str(got, cases[i].expected, "case %zu: %s", i, err.message);
		} else {
			ok(r < 0, "case %zu", i);
			ok_error(&err, "SECURITY-URL", "says what is missing");
		}
	}
}

static void test_check(void)
{
	static const char *const wrong[] = {
		"", " ", "http://s/archive", "@SNAPSHOTID@", "http://s/@SNAPSHOTID@ http://t/",
		"a:/@SNAPSHOTID@ b:/@SNAPSHOTID@ c:/@SNAPSHOTID@",
	};
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		err = (struct error)ERROR_INIT;
		ok(snapshot_check(wrong[i], &err) < 0 && err.kind == ERROR_INPUT, "\"%s\" is no template", wrong[i]);
	}
	ok_int(snapshot_check("http://s/@SNAPSHOTID@/ http://t/@SNAPSHOTID@/", &err), 0, "two are");
}

int main(void)
{
	test_template();
	test_expand();
	test_given();
	test_check();
	return tap_done();
}
