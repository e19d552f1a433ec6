/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <errno.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/mirror.h"
#include "rootfs/packages/roots.h"

static struct scratch dir = SCRATCH_INIT;

static void test_given(void)
{
	static const struct {
		const char *given;
		const char *root, *security;	/* root NULL: refused with `complaint` */
		const char *complaint;
	} cases[] = {
		{ "http://m/debian", "http://m/debian", "http://m/debian-security", NULL },
		{ " http://m/debian/ ", "http://m/debian", "http://m/debian-security", NULL },
		{ "http://m/d http://m/s/", "http://m/d", "http://m/s", NULL },
		{ "http://m/debian http://m/s", "http://m/debian", "http://m/s", NULL },
		{ "file:/srv/d", "file:/srv/d", NULL, NULL },
		{ "", NULL, NULL, "has no URL" },
		{ "  ", NULL, NULL, "has no URL" },
		{ "/srv/debian", NULL, NULL, "\"/srv/debian\" is no URL" },
		{ "m.example", NULL, NULL, "is no URL" },
		{ "http://a/ http://b/ http://c/", NULL, NULL, "more than two" },
		{ "mirror+file:/nonexistent", NULL, NULL, "/nonexistent" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_MIRROR struct mirror m = { NULL, NULL };
		struct error err = ERROR_INIT;
		int r = mirror_parse(cases[i].given, &m, &err);

		if (!cases[i].root) {
			ok(r < 0 && !m.root, "\"%s\" is refused", cases[i].given);
			ok_error(&err, cases[i].complaint, "with a reason");
			continue;
		}
		ok_int(r, 0, "\"%s\"", cases[i].given);
		ok_str(m.root, cases[i].root, "root");
		ok(cases[i].security ? m.security && strcmp(m.security, cases[i].security) == 0
				     : !m.security, "security root");
	}
}

/* A host's /etc/apt with this one file; NULL: with nothing. */
static char *host(const char *name, const char *content)
{
	static unsigned int count;
	char *etc = string_printf("%s/apt%u", dir.path, count++);
	CLEANUP_FREE char *parts = path_join(etc, "sources.list.d");
	CLEANUP_FREE char *path = name ? path_join(etc, name) : NULL;
	struct error err = ERROR_INIT;

	need(io_mkdirs(parts, 0755, &err) == 0, "mkdir");
	need(!path || io_write_file(path, content, strlen(content), 0644, &err) == 0, "write %s", name);
	return etc;
}

static void test_host(void)
{
	static const struct {
		const char *file, *content;
		const char *root, *security;
	} cases[] = {
		{ "sources.list", "deb http://m/debian trixie main\n", "http://m/debian",
		  "http://m/debian-security" },
		{ "sources.list", "deb http://m/debian bookworm main\ndeb http://s/x bookworm-security main\n",
		  "http://m/debian", "http://s/x" },
		{ "sources.list", "# deb http://no/debian trixie main\ndeb-src http://no/debian trixie main\n"
		  "deb [ arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg ] http://m/d/ "
		  "trixie main # why\n", "http://m/d", NULL },
		{ "sources.list", "deb cdrom:[D]/ trixie main\ndeb [trusted=yes] file:/srv/d sid main contrib\n",
		  "file:/srv/d", NULL },
		/* Vendors: keys of their own, no "main", or suites of their own. */
		{ "sources.list.d/v.list", "deb [signed-by=/usr/share/keyrings/v.gpg] http://v/debian trixie main\n"
		  "deb http://v/debian trixie stable\ndeb http://v/debian trixietools main\n", NULL, NULL },
		{ "sources.list.d/debian.sources",
		  "Types: deb\n# comment\nURIs: http://m/debian\nSuites: trixie\n# in between\n trixie-updates\n"
		  "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
		  "Types: deb deb-src\nURIs: http://m/sec\nSuites: trixie-security\nComponents: main\n",
		  "http://m/debian", "http://m/sec" },
		{ "sources.list.d/debian.sources",
		  "Enabled: no\nTypes: deb\nURIs: http://m/debian\nSuites: trixie\nComponents: main\n", NULL,
		  NULL },
		{ "sources.list.d/debian.sources.save",
		  "Types: deb\nURIs: http://m/debian\nSuites: trixie\nComponents: main\n", NULL, NULL },
		{ "sources.list", "deb\ndeb http://m\ndeb [\ndeb [arch=amd64 http://m/debian trixie main\n", NULL,
		  NULL },
		{ NULL, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *etc = host(cases[i].file, cases[i].content);
		CLEANUP_MIRROR struct mirror m = { NULL, NULL };
		struct error err = ERROR_INIT;
		int r = mirror_of_host(etc, &m, &err);

		if (!cases[i].root) {
			ok_int(r, -EINVAL, "host %zu has no Debian", i);
			ok_error(&err, "--mirror", "and is told what to do");
			continue;
		}
		ok_int(r, 0, "host %zu", i);
		ok_str(m.root, cases[i].root, "root");
		ok(cases[i].security ? m.security && strcmp(m.security, cases[i].security) == 0
				     : !m.security, "security root");
	}
}

static void test_mirror_list(void)
{
	CLEANUP_FREE char *list = path_join(dir.path, "debian.list"), *line = NULL, *etc = NULL;
	static const char content[] = "# mirrors\nhttp://first/debian/ priority:1\nhttp://second/debian\n";
	CLEANUP_MIRROR struct mirror m = { NULL, NULL };
	struct error err = ERROR_INIT;

	need(io_write_file(list, content, strlen(content), 0644, &err) == 0, "write a list");
	line = string_printf("deb mirror+file:%s trixie main\n", list);
	etc = host("sources.list", line);
	ok_int(mirror_of_host(etc, &m, &err), 0, "a list of mirrors in a file");
	ok_str(m.root, "http://first/debian", "its first");
}

static void test_roots(void)
{
	CLEANUP_ROOTS struct roots roots = { .given = "http://m/d", .etc_apt = "/nonexistent" };
	CLEANUP_FREE char *own = NULL, *debian = NULL, *none = NULL;
	struct error err = ERROR_INIT;

	ok_int(roots_find(&roots, "http://own/x/", "s", &own, &err), 0, "a URL needs no mirror");
	ok_str(own, "http://own/x", "and is itself");
	ok_int(roots_find(&roots, "distro:debian", "trixie", &debian, &err), 0, "distro:debian");
	ok_str(debian, "http://m/d", "is the mirror");
	ok_int(roots_find(&roots, "distro:debian", "trixie-security", &none, &err), -EINVAL,
	       "its security suite is elsewhere");
	ok_error(&err, "--mirror \"http://m/d SECURITY-URL\"", "and is asked for");
	err = (struct error)ERROR_INIT;
	ok_int(roots_find(&roots, "distro:other", "x", &none, &err), -EINVAL, "another distribution");
	ok_error(&err, "distro:other", "is not known");
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	test_given();
	test_host();
	test_mirror_list();
	test_roots();
	io_scratch_free(&dir);
	return tap_done();
}
