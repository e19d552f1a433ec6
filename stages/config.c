/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/plan.h"
#include "../rootfs/shell.h"
#include "../rootfs/workshop.h"
#include "accounts.h"
#include "hook.h"
#include "inside.h"
#include "registry.h"
#include "transfer.h"

/*
 * What makes the packages this image, in the order of KIWI's prepare step: overlay, archives, users, locale,
 * (Kiln's programs), config.sh, packages taken away again, images.sh. Then everything that is left of
 * the making is swept out.
 */

#define SCRIPT_MAX (1 << 20)
#define LIST_MAX (4 << 20)
#define ROOT WORKSHOP_ROOT

/* ---------------------------------------------------------------- files */

static int send_files(const struct stage_context *ctx, struct error *err)
{
	const struct description *d = ctx->plan->description;
	struct guest *g = workshop_guest(ctx->workshop);
	int r = 0;

	if (d->overlay)
		r = transfer_tree(g, d->overlay, ROOT, err);
	for (size_t i = 0; i < d->archive_count && r == 0; i++) {
		CLEANUP_FREE char *path = path_join(d->directory, d->archives[i]);

		r = transfer_archive(g, path, ROOT, err);
	}
	return r;
}

/* ---------------------------------------------------------------- locale, keytable, timezone */

/* Each value is one word or a list of them, of which the first is the default. */
static char *first_word(const char *list)
{
	return string_printf("%.*s", (int)strcspn(list, ", "), list);
}

static int add_locale(const struct description *d, struct buf *script)
{
	CLEANUP_FREE char *name = NULL, *locale = NULL;
	int r;

	if (!d->locale)
		return 0;
	name = first_word(d->locale);
	locale = string_printf("%s%s", name, strchr(name, '.') || !strcmp(name, "POSIX") ? "" : ".UTF-8");
	r = shell_assign(script, "locale", locale);
	if (r < 0)
		return r;
	/* Debian's PAM reads the other name. */
	return buf_add_string(script,
			      "echo \"LANG=$locale\" >etc/locale.conf\n"
			      "[ ! -d etc/default ] || [ -e etc/default/locale ] ||"
			      " ln -s ../locale.conf etc/default/locale\n");
}

static int add_keytable(const struct description *d, struct buf *script)
{
	int r = d->keytable ? shell_assign(script, "keytable", d->keytable) : 0;

	return d->keytable && r == 0 ?
		       buf_add_string(script, "echo \"KEYMAP=$keytable\" >etc/vconsole.conf\n") : r;
}

static int add_timezone(const struct description *d, struct buf *script)
{
	int r = d->timezone ? shell_assign(script, "zone", d->timezone) : 0;

	if (!d->timezone || r < 0)
		return r;
	/* Without a file in /etc the time is UTC, with or without the database of zones. */
	return buf_add_string(script,
			      "if [ -e \"usr/share/zoneinfo/$zone\" ]; then\n"
			      "\tln -sfn \"../usr/share/zoneinfo/$zone\" etc/localtime\n"
			      "elif [ \"$zone\" != UTC ]; then\n"
			      "\techo \"the image has no time zone $zone: add the package tzdata\"\n"
			      "\texit 1\n"
			      "fi\n");
}

/*
 * Without Debian's passwd package nobody has moved passwords out of the file that all may read; useradd
 * and usermod then put them there. As its shadowconfig(8) does.
 */
static const char make_shadow[] =
	"pwconv --root " ROOT "\n"
	"grpconv --root " ROOT "\n"
	"chown 0:42 etc/shadow etc/gshadow\n"
	"chmod 640 etc/shadow etc/gshadow\n";

static int write_settings(const struct plan *plan, struct buf *ret, struct error *err)
{
	const struct description *d = plan->description;
	/* useradd takes the date of a password's last change from there. */
	int r = buf_printf(ret, "export SOURCE_DATE_EPOCH=%" PRId64 "\ncd " ROOT "\n", plan->epoch);

	if (r == 0)
		r = buf_add_string(ret, make_shadow);
	if (r == 0)
		r = accounts_script(d, ROOT, ret);
	if (r == 0)
		r = add_locale(d, ret);
	if (r == 0)
		r = add_keytable(d, ret);
	if (r == 0)
		r = add_timezone(d, ret);
	return r < 0 ? error_system(err, r, "settings of the image") : 0;
}

/* ---------------------------------------------------------------- packages taken away */

/* As KIWI does: whatever depends on them is the description's concern. */
static const char purge[] =
	"dpkg --root=" ROOT " --force-depends --force-remove-essential --force-remove-protected"
	" --force-unsafe-io --log=/dev/null --purge";

static int write_purge(const struct plan *plan, struct buf *ret)
{
	const struct description_packages *p = &plan->description->uninstalled;
	int r = buf_printf(ret, "export DEBIAN_FRONTEND=noninteractive SOURCE_DATE_EPOCH=%" PRId64 "\n%s%s",
			   plan->epoch, inside_enter, purge);

	for (size_t i = 0; i < p->count && r == 0; i++) {
		r = buf_add_string(ret, " ");
		if (r == 0)
			r = shell_quote(ret, p->items[i].name);
	}
	return r;
}

static int purge_packages(const struct stage_context *ctx, struct error *err)
{
	const struct description *d = ctx->plan->description;
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	int r;

	for (size_t i = 0; i < d->uninstalled.count; i++)
		if (!lock_find(ctx->plan->lock, LOCK_IMAGE, d->uninstalled.items[i].name))
			return error_input(err, "%s:%d: package %s is to be deleted and was never installed",
					   d->file, d->uninstalled.items[i].line,
					   d->uninstalled.items[i].name);
	if (d->uninstalled.count == 0)
		return 0;
	r = write_purge(ctx->plan, &script);
	if (r < 0)
		return error_system(err, r, "list of packages");
	r = guest_run(workshop_guest(ctx->workshop), buf_text(&script), err);
	return r < 0 ? error_wrap(err, "dpkg") : 0;
}

/* ---------------------------------------------------------------- the end */

/*
 * Caches, logs, copies of earlier versions, and everything by which two machines of one image would be
 * the same machine. An empty /etc/machine-id makes systemd choose an id at each boot, without the rites
 * of a first boot that a missing one brings, machine-id(5).
 */
static const char sweep[] =
	"cd " ROOT "\n"
	"mkdir -p etc var/log\n"
	"rm -f etc/machine-id\n"
	": >etc/machine-id\n"
	"chmod 444 etc/machine-id\n"
	"rm -f var/lib/dbus/machine-id etc/ssh/ssh_host_* var/lib/systemd/random-seed var/lib/systemd/credential.secret\n"
	"rm -f etc/passwd- etc/shadow- etc/group- etc/gshadow- etc/subuid- etc/subgid- etc/.pwd.lock\n"
	"rm -f var/cache/ldconfig/aux-cache var/lib/dpkg/*-old var/cache/debconf/*-old var/lib/dpkg/lock*"
	" var/lib/dpkg/triggers/Lock root/.bash_history .kconfig\n"
	"rm -rf var/lib/apt/lists/* var/cache/apt/* var/cache/man/* run/* tmp/* var/tmp/* lost+found\n"
	"find var/log -type f -delete\n";

/* KIWI's NAME.packages for Debian: what a deb does not have is None. */
static const char list_packages[] =
	"dpkg-query --admindir=" ROOT "/var/lib/dpkg --show"
	" --showformat='${Package}|None|${Version}|None|${Architecture}|None|None\\n' | LC_ALL=C sort\n";

/*
 * What has changed since the packages were unpacked, as the overlay keeps it: whole files, whiteouts
 * (character devices 0:0) and marks of directories that hide all below (trusted.overlay.opaque).
 */
static const char pack_changes[] =
	"tar --create --file=/scratch/changes.tar --directory=" WORKSHOP_UPPER " --sort=name --format=posix"
	" --numeric-owner --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"
	" --xattrs --xattrs-include='*' .\n"
	"cat /scratch/changes.tar >" WORKSHOP_OUT "\n"
	"stat --format=%s /scratch/changes.tar\n"
	"rm /scratch/changes.tar\n";

/* The number of bytes in the last line of `text`, which is cut off. */
static int take_size(struct buf *text, uint64_t *ret, struct error *err)
{
	const char *end = text->len > 0 ? memrchr(text->data, '\n', text->len - 1) : NULL;
	const char *line = end ? end + 1 : buf_text(text);
	char *rest;

	errno = 0;
	*ret = strtoull(line, &rest, 10);
	if (errno != 0 || *rest != '\n' || *ret == 0)
		return error_outside(err, "stat answered \"%s\"", line);
	buf_truncate(text, (size_t)(line - buf_text(text)));
	return 0;
}

/* In one go: each command of the appliance's costs a good part of a second around it. */
static int save(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FREE char *packages = path_join(ctx->output, "packages");
	CLEANUP_FREE char *changes = path_join(ctx->output, "changes.tar");
	CLEANUP_FREE char *script = string_printf("%s%s%s", sweep, list_packages, pack_changes);
	CLEANUP_BUF struct buf list = BUF_INIT(LIST_MAX);
	uint64_t size = 0;
	int r = guest_run_output(workshop_guest(ctx->workshop), script, &list, err);

	if (r == 0)
		r = take_size(&list, &size, err);
	if (r == 0)
		r = io_write_file(packages, list.data, list.len, 0644, err);
	return r < 0 ? r : workshop_take_out(ctx->workshop, size, changes, err);
}

static int config_run(const struct stage_context *ctx, struct error *err)
{
	const struct description *d = ctx->plan->description;
	CLEANUP_BUF struct buf settings = BUF_INIT(SCRIPT_MAX);
	struct guest *g = workshop_guest(ctx->workshop);
	int r = write_settings(ctx->plan, &settings, err);

	if (r == 0)
		r = send_files(ctx, err);
	if (r == 0)
		r = guest_run(g, buf_text(&settings), err);
	if (r == 0)
		r = transfer_archive(g, artifacts_path(ctx->artifacts, "programs.tar"), ROOT, err);
	if (r == 0)
		r = hook_run(ctx, d->config_script, "config.sh", err);
	if (r == 0)
		r = purge_packages(ctx, err);
	if (r == 0)
		r = hook_run(ctx, d->images_script, "images.sh", err);
	return r < 0 ? r : save(ctx, err);
}

/* ---------------------------------------------------------------- the key */

static int add_files(const struct description *d, struct stage_key *key, struct error *err)
{
	const char *const files[][2] = {
		{ "overlay", d->overlay },
		{ "config.sh", d->config_script },
		{ "images.sh", d->images_script },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++)
		if (files[i][1])
			r = stage_key_tree(key, files[i][0], files[i][1], err);
	for (size_t i = 0; i < d->archive_count && r == 0; i++) {
		CLEANUP_FREE char *path = path_join(d->directory, d->archives[i]);

		r = stage_key_tree(key, "archive", path, err);
	}
	return r;
}

static int config_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SCRIPT_MAX);
	int r = write_settings(plan, &text, err);

	if (r == 0)
		r = hook_text(plan, &text, err);
	if (r < 0)
		return r;
	r = write_purge(plan, &text);
	if (r == 0)
		r = buf_add_string(&text, sweep);
	if (r == 0)
		r = buf_add_string(&text, pack_changes);
	if (r < 0)
		return error_system(err, r, "settings of the image");
	stage_key_string(key, "text", buf_text(&text));
	return add_files(plan->description, key, err);
}

const struct stage stage_config = {
	.name = "config",
	.title = "configuring the image",
	.version = "3",
	.room = ROOM_APPLIANCE,
	.inputs = { "programs.tar", "watch" },
	.outputs = { "changes.tar", "packages" },
	.layer = "base.qcow2",
	.key = config_key,
	.run = config_run,
};
