/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "factory/model/description.h"
#include "rootfs/shell.h"
#include "stages/accounts.h"

/* The tools show what they are called with, in place of changing a tree that only root could change. */
static const char tools[] =
	"set -eu\n"
	"show() { printf '%s' \"$1\"; shift; for word do printf ' <%s>' \"$word\"; done; echo; }\n"
	"useradd() { show useradd \"$@\"; }\n"
	"usermod() { show usermod \"$@\"; }\n"
	"groupadd() { show groupadd \"$@\"; }\n";

static char plain[] = "plain", odd[] = "o'dd x", root[] = "root", password[] = "$6$salt$hash", id[] = "42";
static char groups[] = "video,new,extra", wheel[] = "video", home[] = "/srv/odd", shell[] = "/bin/sh";

/* %s: the tree. */
static const struct {
	const char *what;
	struct description_user user;
	const char *calls;
} cases[] = {
	{ "a name alone", { .name = plain },
	  "useradd <--prefix> <%s> <--create-home> <--user-group> <plain>\n" },
	{ "everything", { .name = odd, .password = password, .groups = groups, .home = home, .id = id,
			  .shell = shell },
	  "groupadd <--prefix> <%s> <new>\n"
	  "groupadd <--prefix> <%s> <extra>\n"
	  "useradd <--prefix> <%s> <--create-home> <--no-user-group> <--password> <$6$salt$hash>"
	  " <--shell> </bin/sh> <-d> </srv/odd> <--uid> <42> <--gid> <video> <--groups> <new,extra>"
	  " <o'dd x>\n" },
	{ "one who exists", { .name = root, .password = password },
	  "usermod <--prefix> <%s> <--password> <$6$salt$hash> <root>\n" },
	{ "a group that exists", { .name = plain, .groups = wheel },
	  "useradd <--prefix> <%s> <--create-home> <--no-user-group> <--gid> <video> <plain>\n" },
};

static char *fill_in(const char *pattern, const char *tree)
{
	CLEANUP_BUF struct buf text = BUF_INIT(65536);

	for (; *pattern; pattern++) {
		bool mark = strncmp(pattern, "%s", 2) == 0;

		need((mark ? buf_add_string(&text, tree) : buf_add(&text, pattern, 1)) == 0, "text");
		pattern += mark;
	}
	return string_copy(buf_text(&text));
}

static void test_case(const char *tree, size_t i)
{
	struct description_user user = cases[i].user;
	const struct description d = { .users = &user, .user_count = 1 };
	CLEANUP_BUF struct buf script = BUF_INIT(65536), output = BUF_INIT(65536);
	CLEANUP_FREE char *expected = fill_in(cases[i].calls, tree);
	struct error err = ERROR_INIT;
	int r;

	need(buf_add_string(&script, tools) == 0, "tools");
	ok(accounts_script(&d, tree, &script) == 0, "%s: a script", cases[i].what);

	const char *const argv[] = { "sh", "-c", buf_text(&script), NULL };

	r = process_run(&(struct process_options) { .argv = argv, .output = &output }, NULL, &err);
	ok(r == 0, "%s: runs: %s", cases[i].what, err.message);
	ok_str(buf_text(&output), expected, "%s", cases[i].what);
}

static void test_none(void)
{
	const struct description d = { .user_count = 0 };
	CLEANUP_BUF struct buf script = BUF_INIT(64);

	ok(accounts_script(&d, "/tree", &script) == 0 && script.len == 0, "nobody, nothing");
}

int main(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *etc = NULL, *passwd = NULL, *group = NULL;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "a scratch directory: %s", err.message);
	etc = path_join(scratch.path, "etc");
	passwd = path_join(etc, "passwd");
	group = path_join(etc, "group");
	need(io_mkdirs(etc, 0755, &err) == 0 &&
		     io_write_file(passwd, "root:x:0:0::/root:/bin/sh\n", 26, 0644, &err) == 0 &&
		     io_write_file(group, "video:x:44:\n", 12, 0644, &err) == 0, "a tree: %s", err.message);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		test_case(scratch.path, i);
	test_none();
	return tap_done();
}
