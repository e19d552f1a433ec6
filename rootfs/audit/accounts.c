/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "../../factory/format/tar.h"
#include "../tree.h"
#include "rules.h"

/* Who could be logged in as. */

#define FIELDS 9			/* of /etc/shadow; passwd has 7 */

struct record {
	char *line;
	char *fields[FIELDS];		/* "" where there are fewer */
	unsigned int number;
	size_t count;
};

static void record_clear(struct record *r)
{
	free(r->line);
	r->line = NULL;
}

/* The next line that is neither empty nor a comment, cut at its colons. */
static bool next_record(struct text *rest, struct record *ret)
{
	struct text line;

	record_clear(ret);
	while (text_line(rest, &line)) {
		char *field, *more;

		ret->number++;
		if (line.size == 0 || line.data[0] == '#')
			continue;
		more = ret->line = text_copy(line);
		ret->count = 0;
		while (ret->count < FIELDS && (field = strsep(&more, ":")))
			ret->fields[ret->count++] = field;
		for (size_t i = ret->count; i < FIELDS; i++)
			ret->fields[i] = (char *)"";
		return true;
	}
	return false;
}

/* Calls `judge` for each record of a file. */
static int each_record(struct audit *a, const char *path, void (*judge)(struct audit *a, const struct record *r),
		       size_t *ret_count, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);
	struct record record = { .line = NULL };
	struct text rest;
	int r = audit_text(a, path, &text, err);

	*ret_count = 0;
	if (r <= 0)
		return r;
	rest = (struct text) { buf_text(&text), text.len };
	for (; next_record(&rest, &record); (*ret_count)++)
		judge(a, &record);
	return 1;
}

/* ---------------------------------------------------------------- passwords */

#define PASSWD "etc/passwd"
#define SHADOW "etc/shadow"

/* shadow(5): '!' and '*' begin no hash. */
static void judge_shadow(struct audit *a, const struct record *r)
{
	const char *password = r->fields[1];

	if (!password[0])
		audit_find(a, SHADOW, r->number, "%s has no password at all: lock it", r->fields[0]);
	else if (!strchr("!*", password[0]))
		audit_find(a, SHADOW, r->number, "%s has a password: lock it", r->fields[0]);
}

/* passwd(5): 'x' sends to shadow; everything else is the password itself. */
static void judge_password(struct audit *a, const struct record *r)
{
	const char *password = r->fields[1];

	if (r->count < 7)
		audit_find(a, PASSWD, r->number, "no account can be read there");
	else if (!password[0])
		audit_find(a, PASSWD, r->number, "%s has no password at all: lock it", r->fields[0]);
	else if (strcmp(password, "x") != 0 && !strchr("!*", password[0]))
		audit_find(a, PASSWD, r->number, "%s has a password that all may read: lock it", r->fields[0]);
	if (r->count >= 7 && strtoul(r->fields[2], NULL, 10) == 0 && strcmp(r->fields[0], "root") != 0)
		audit_find(a, PASSWD, r->number, "%s is root by another name (user id \"%s\")", r->fields[0],
			   r->fields[2]);
}

static int check_accounts(struct audit *a, struct error *err)
{
	size_t accounts, passwords;
	int r = each_record(a, PASSWD, judge_password, &accounts, err);

	if (r >= 0)
		r = each_record(a, SHADOW, judge_shadow, &passwords, err);
	if (r >= 0)
		audit_seen(a, "%zu accounts, %zu of them with a locked password, the others with none to try", accounts,
			   passwords);
	return r < 0 ? r : 0;
}

/* ---------------------------------------------------------------- shells */

static void judge_shell(struct audit *a, const struct record *r)
{
	static const char *const none[] = {
		"/usr/sbin/nologin", "/sbin/nologin", "/bin/nologin", "/usr/bin/nologin", "/bin/false", "/usr/bin/false",
		"/sbin/false", NULL,
	};

	/* passwd(5): an empty one is /bin/sh. */
	if (!audit_among(r->fields[6], none))
		audit_find(a, PASSWD, r->number, "%s has the shell \"%s\" and nobody is to log in: /usr/sbin/nologin",
			   r->fields[0], r->fields[6]);
}

static int check_shells(struct audit *a, struct error *err)
{
	size_t accounts;
	int r = each_record(a, PASSWD, judge_shell, &accounts, err);

	if (r >= 0)
		audit_seen(a, "%zu accounts, none with a shell", accounts);
	return r < 0 ? r : 0;
}

/* ---------------------------------------------------------------- keys that open */

static int check_authorized_keys(struct audit *a, struct error *err)
{
	static const char *const names[] = {
		"authorized_keys", "authorized_keys2", ".rhosts", "hosts.equiv", ".shosts", "shosts.equiv", ".k5login", NULL,
	};
	struct tree_node node;
	size_t position = 0;

	(void)err;
	while (tree_next(a->in->tree, &position, &node))
		if (node.type != TAR_DIRECTORY && audit_among(audit_base(node.path), names))
			audit_find(a, node.path, 0, "says who may come in without a password");
	audit_seen(a, "no file of that kind");
	return 0;
}

const struct audit_rule audit_account_rules[] = {
	{ "accounts.locked", "every account is locked", check_accounts },
	{ "accounts.shells", "no account has a shell", check_shells },
	{ "accounts.keys", "no list of keys or hosts that may log in", check_authorized_keys },
	{ .id = NULL }
};
