/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts.h"

#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/io.h"
#include "../factory/model/description.h"
#include "../rootfs/shell.h"

static int add_option(struct buf *b, const char *option, const char *value)
{
	int r = buf_printf(b, " %s ", option);

	return r < 0 ? r : shell_quote(b, value);
}

static int add_group(const char *group, size_t size, const char *root, struct buf *ret)
{
	CLEANUP_FREE char *name = string_printf("%.*s", (int)size, group);
	int r = shell_assign(ret, "group", name);

	if (r == 0)
		r = buf_printf(ret,
			       "cut -d: -f1 %s/etc/group | grep -qxF -e \"$group\" ||"
			       " groupadd --prefix %s \"$group\"\n", root, root);
	return r;
}

static int add_groups(const char *groups, const char *root, struct buf *ret)
{
	int r = 0;

	while (r == 0 && *groups) {
		size_t size = strcspn(groups, ",");

		r = size > 0 ? add_group(groups, size, root, ret) : 0;
		groups += size + (groups[size] == ',');
	}
	return r;
}

/* The primary group, and the others. */
static int add_memberships(const char *groups, struct buf *ret)
{
	CLEANUP_BUF struct buf others = BUF_INIT(64 * 1024);
	CLEANUP_FREE char *copy = string_copy(groups);
	char *rest = copy, *group, *primary = NULL;
	int r = 0;

	while (r == 0 && (group = strsep(&rest, ","))) {
		if (!primary)
			primary = group;
		else if (*group)
			r = buf_printf(&others, "%s%s", others.len ? "," : "", group);
	}
	if (r == 0 && primary && *primary)
		r = add_option(ret, "--gid", primary);
	if (r == 0 && others.len > 0)
		r = add_option(ret, "--groups", buf_text(&others));
	return r;
}

/* useradd and usermod alike. */
static int add_options(const struct description_user *u, struct buf *ret)
{
	const char *const options[][2] = {
		{ "--password", u->password },
		{ "--shell", u->shell },
		{ "-d", u->home },	/* the long names differ */
		{ "--uid", u->id },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(options) && r == 0; i++)
		if (options[i][1])
			r = add_option(ret, options[i][0], options[i][1]);
	return r == 0 && u->groups ? add_memberships(u->groups, ret) : r;
}

static int add_user(const struct description_user *u, const char *root, struct buf *ret)
{
	CLEANUP_BUF struct buf options = BUF_INIT(256 * 1024);
	int r = u->groups ? add_groups(u->groups, root, ret) : 0;

	if (r == 0)
		r = add_options(u, &options);
	if (r == 0)
		r = shell_assign(ret, "user", u->name);
	if (r == 0)
		r = buf_printf(ret,
			       "if cut -d: -f1 %s/etc/passwd | grep -qxF -e \"$user\"; then\n"
			       "\tset -- usermod --prefix %s\n"
			       "else\n"
			       "\tset -- useradd --prefix %s --create-home%s\n"
			       "fi\n"
			       "\"$@\"%s \"$user\"\n",
			       root, root, root, u->groups ? " --no-user-group" : " --user-group",
			       buf_text(&options));
	return r;
}

int accounts_script(const struct description *d, const char *root, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < d->user_count && r == 0; i++)
		r = add_user(&d->users[i], root, ret);
	return r;
}
