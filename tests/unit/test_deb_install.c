/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <errno.h>

#include <archive.h>
#include <archive_entry.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/deb_install.h"
#include "tests/unit/deb_package.h"

/* The bulk archive, read back: one text "TYPE MODE PATH [-> TARGET] [= CONTENT]" an entry. */

static struct scratch dir = SCRATCH_INIT;
static struct store *store;
static struct locked_package packages[8];
static struct lock_set set = { .packages = packages };

struct deb {
	const char *name;
	const struct deb_entry control[6], data[10];
};

static size_t count_entries(const struct deb_entry *e, size_t max)
{
	size_t n = 0;

	while (n < max && e[n].name)
		n++;
	return n;
}

static void add(const struct deb *d)
{
	struct locked_package *package = &packages[set.count++];
	struct buf deb = BUF_INIT(4 << 20);
	struct error err = ERROR_INIT;

	if (buf_add_string(&deb, "!<arch>\n") < 0)
		abort();
	deb_add_member(&deb, "debian-binary", "2.0\n", 4);
	deb_add_tar(&deb, "control.tar.xz", ARCHIVE_FILTER_XZ, d->control, count_entries(d->control, 6));
	deb_add_tar(&deb, "data.tar.xz", ARCHIVE_FILTER_XZ, d->data, count_entries(d->data, 10));
	*package = (struct locked_package){ .name = (char *)d->name, .version = (char *)"1",
					    .architecture = (char *)"amd64", .size = deb.len };
	need(store_add_bytes(store, deb.data, deb.len, package->sha256, &err) == 0, "%s", err.message);
	buf_free(&deb);
}

static int install(char **ret, struct error *err)
{
	static unsigned int count;

	*ret = string_printf("%s/%u.tar", dir.path, count++);
	return deb_install(store, &set, *ret, err);
}

static void read_entry(struct archive *a, struct archive_entry *e, struct buf *ret)
{
	static char content[65536];
	const char *link = archive_entry_symlink(e) ? archive_entry_symlink(e) : archive_entry_hardlink(e);
	ssize_t size = archive_read_data(a, content, sizeof(content) - 1);

	need(size >= 0, "reads the archive back");
	content[size] = '\0';
	need(buf_printf(ret, "\n%o %s", (unsigned int)archive_entry_mode(e), archive_entry_pathname(e)) == 0, "room");
	if (link)
		need(buf_printf(ret, " -> %s", link) == 0, "room");
	if (archive_entry_filetype(e) == AE_IFREG && !link)
		need(buf_printf(ret, " = %s", content) == 0, "room");
}

static void read_back(const char *path, struct buf *ret)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;

	archive_read_support_format_tar(a);
	need(archive_read_open_filename(a, path, 65536) == ARCHIVE_OK, "opens %s", path);
	while (archive_read_next_header(a, &e) == ARCHIVE_OK)
		read_entry(a, e, ret);
	need(buf_add_string(ret, "\n") == 0, "room");
	archive_read_free(a);
}

#define CONTROL(name, more) { "./control", AE_IFREG, "Package: " name "\nVersion: 1\nArchitecture: amd64\n" more }

static const struct deb base_files = {
	"base-files", { CONTROL("base-files", "") },
	{ { "./", AE_IFDIR, NULL }, { "./usr/", AE_IFDIR, NULL }, { "./usr/lib/", AE_IFDIR, NULL },
	  { "./lib", AE_IFLNK, "usr/lib" } },
};

static const struct deb liba = {
	"liba", { CONTROL("liba", "Multi-Arch: same\nDescription: a\n b\n"),
		  { "./postinst", AE_IFREG, "#!/bin/sh\n" },
		  { "./conffiles", AE_IFREG, "/etc/a.conf\nremove-on-upgrade /etc/old\n" },
		  { "./triggers", AE_IFREG, "# a comment\ninterest-noawait /usr/lib/a\ninterest made\n"
					    "activate other\n" },
		  { "./md5sums", AE_IFREG, "x  lib/a\n" } },
	{ { "./", AE_IFDIR, NULL }, { "./lib/", AE_IFDIR, NULL }, { "./lib/a", AE_IFREG, "A" },
	  { "./lib/a2", 0, "./lib/a" }, { "./etc/", AE_IFDIR, NULL }, { "./etc/a.conf", AE_IFREG, "conf" } },
};

static const struct deb without_sums = {
	"plain", { CONTROL("plain", "") }, { { "./etc/", AE_IFDIR, NULL }, { "./etc/plain", AE_IFREG, "P" } },
};

static bool has(const struct buf *text, const char *line)
{
	CLEANUP_FREE char *whole = string_printf("\n%s", line);

	return strstr(buf_text(text), whole);
}

static int count(const struct buf *text, const char *part)
{
	int n = 0;

	for (const char *p = buf_text(text); (p = strstr(p, part)); p++)
		n++;
	return n;
}

static void test_tree(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;

	set.count = 0;
	add(&liba);
	add(&without_sums);
	add(&base_files);
	need(install(&path, &err) == 0, "installs: %s", err.message);
	read_back(path, &text);
	ok(has(&text, "120644 lib -> usr/lib\n"), "the link at the top");
	ok(has(&text, "100644 usr/lib/a = A\n"), "a file behind it lies where it leads");
	ok(strstr(buf_text(&text), " usr/lib/a2 -> usr/lib/a\n"), "a second name for it too");
	ok(!has(&text, "40644 lib"), "the directory of the same name does not take the link's place");
	ok_int(count(&text, " etc/\n"), 1, "a directory of two packages is there once");
	ok(has(&text, "100644 var/lib/dpkg/info/liba:amd64.list = /.\n/lib\n/lib/a\n/lib/a2\n/etc\n/etc/a.conf\n"),
	   "dpkg's list has the package's own paths, under its name for several architectures");
	ok(has(&text, "100755 var/lib/dpkg/info/liba:amd64.postinst = #!/bin/sh\n"), "scripts can be executed");
	ok(has(&text, "100644 var/lib/dpkg/info/liba:amd64.md5sums = x  lib/a\n"), "a list of sums is kept");
	ok(has(&text, "100644 var/lib/dpkg/info/plain.md5sums = 44c29edb103a2872f519ad0c9a0fdaaa  etc/plain\n"),
	   "a missing one is made");
	ok(strstr(buf_text(&text), "Package: liba\nStatus: install ok unpacked\nVersion: 1\n"), "the state");
	ok(strstr(buf_text(&text), " b\nConffiles:\n /etc/a.conf 3a8e4c06e471595f6eb262bb9b5582d9\n"),
	   "configuration files by their sums");
	ok(strstr(buf_text(&text), "\n /etc/old newconffile remove-on-upgrade\n"), "and those to be removed");
	ok(has(&text, "100644 var/lib/dpkg/triggers/File = /usr/lib/a liba:amd64/noawait\n"), "interest in a path");
	ok(has(&text, "100644 var/lib/dpkg/triggers/made = liba:amd64\n"), "interest in a name");
	ok(!strstr(buf_text(&text), "triggers/other"), "an activation is none");
}

static const struct deb other_a = {
	"other", { CONTROL("other", "") }, { { "./usr/lib/a", AE_IFREG, "B" } },
};
static const struct deb replacing = {
	"better", { CONTROL("better", "Replaces: libz, liba (<< 2)\n") }, { { "./usr/lib/a", AE_IFREG, "B" } },
};
static const struct deb replaced_later = {
	"afore", { CONTROL("afore", "Replaces: zlast\n") }, { { "./usr/x", AE_IFREG, "mine" } },
};
static const struct deb zlast = {
	"zlast", { CONTROL("zlast", "") }, { { "./usr/x", AE_IFREG, "not this" } },
};

static void test_overlap(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	CLEANUP_FREE char *path = NULL, *second = NULL, *third = NULL;
	struct error err = ERROR_INIT;

	set.count = 0;
	add(&base_files);
	add(&liba);
	add(&other_a);
	ok_int(install(&path, &err), -EIO, "two packages with one file");
	ok_error(&err, "packages liba and other both bring /usr/lib/a", "are named");
	set.count = 2;
	add(&replacing);
	err = (struct error)ERROR_INIT;
	ok_int(install(&second, &err), 0, "unless one replaces the other");
	read_back(second, &text);
	ok(has(&text, "100644 usr/lib/a = B\n"), "whose file it is then");
	ok(strstr(buf_text(&text), "liba:amd64.list = /.\n/lib\n/lib/a2\n"), "and no longer the other's");
	set.count = 1;
	add(&replaced_later);
	add(&zlast);
	buf_truncate(&text, 0);
	ok_int(install(&third, &err), 0, "in either order");
	read_back(third, &text);
	ok(has(&text, "100644 usr/x = mine\n"), "the replacing one's file stays");
	ok(!strstr(buf_text(&text), "not this"), "and the other's never gets in");
}

static const struct deb diverting = {
	"divert", { CONTROL("divert", ""),
		    { "./preinst", AE_IFREG, "#!/bin/sh\ndpkg-divert --add --rename /bin/a\n" } },
	{ { "./usr/d", AE_IFREG, "D" } },
};
static const struct deb accounts = {
	"account", { CONTROL("account", "Pre-Depends: init-system-helpers (>= 1.54~), adduser (>= 3)\n"),
		     { "./preinst", AE_IFREG, "#!/bin/sh\nadduser --system me\n" } },
	{ { "./usr/accounts", AE_IFREG, "E" } },
};
static const struct deb no_accounts = {
	"none", { CONTROL("none", "Pre-Depends: adduser-not\nDepends: adduser\n"), { "./preinst", AE_IFREG, "" } },
	{ { "./usr/none", AE_IFREG, "N" } },
};
static const struct deb no_control = {
	"bare", { { "./postinst", AE_IFREG, "" } }, { { "./x", AE_IFREG, "" } },
};
static const struct deb climbing = {
	"climb", { CONTROL("climb", "") }, { { "./a/../../x", AE_IFREG, "" } },
};
static const struct deb mixed = {
	"mixed", { CONTROL("mixed", "") }, { { "./usr", AE_IFREG, "a file" } },
};

static void test_strange(void)
{
	static const struct {
		const struct deb *deb;
		const char *message;
	} cases[] = {
		{ &no_control, "package bare has no control file" },
		{ &climbing, "package climb: the path \"a/../../x\" leaves the tree" },
		{ &mixed, "/usr is a directory in one of the packages base-files and mixed" },
	};
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *out = NULL;

		set.count = 0;
		add(&base_files);
		add(cases[i].deb);
		err = (struct error)ERROR_INIT;
		ok(install(&out, &err) < 0, "%s is refused", cases[i].deb->name);
		ok_error(&err, cases[i].message, "with its name");
	}
	set.count = 0;
	add(&base_files);
	add(&diverting);
	add(&accounts);
	add(&no_accounts);
	err = (struct error)ERROR_INIT;
	ok_int(install(&path, &err), 0, "a package that moves files aside: %s", err.message);
	read_back(path, &text);
	ok(strstr(buf_text(&text), " " DEB_INSTALL_LATER "/divert_amd64.deb = !<arch>\n"), "is left to dpkg");
	ok(!strstr(buf_text(&text), " usr/d"), "and not unpacked");
	ok(strstr(buf_text(&text), " " DEB_INSTALL_LATER "/account_amd64.deb = !<arch>\n"),
	   "and so is one that makes users before it is unpacked");
	ok(has(&text, "100644 usr/none = N\n"), "but not one that could do so when it is configured");
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch: %s", err.message);
	need(store_open(dir.path, &store, &err) == 0, "store: %s", err.message);
	test_tree();
	test_overlap();
	test_strange();
	store_free(store);
	io_scratch_free(&dir);
	return tap_done();
}
