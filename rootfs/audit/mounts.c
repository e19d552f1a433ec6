/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "../../factory/format/tar.h"
#include "../tree.h"
#include "rules.h"
#include "units.h"

/* Places that could keep something over a reboot. */

/* File systems that live in memory, or show the kernel. */
static const char *const volatile_types[] = {
	"autofs", "bpf", "binfmt_misc", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl",
	"hugetlbfs", "mqueue", "overlay", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "sysfs", "tmpfs", "tracefs", NULL,
};

static bool has_option(const char *options, const char *wanted)
{
	const size_t size = strlen(wanted);

	for (const char *p = options; *p; p += strspn(p, ",")) {
		size_t n = strcspn(p, ",");

		if (n == size && memcmp(p, wanted, n) == 0)
			return true;
		p += n;
	}
	return false;
}

/* Read-only, and no "rw" that takes it back. */
static bool keeps_nothing(const char *type, const char *options)
{
	return audit_among(type, volatile_types) || (has_option(options, "ro") && !has_option(options, "rw"));
}

/* ---------------------------------------------------------------- tables */

/* fstab(5): device, place, type, options. */
static int check_fstab(struct audit *a, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);
	struct text rest, line, word;
	unsigned int number = 0;
	int r = audit_text(a, "etc/fstab", &text, err);

	if (r < 0)
		return r;
	rest = (struct text) { buf_text(&text), text.len };
	for (; text_line(&rest, &line); number++) {
		char *fields[4] = { NULL };
		size_t count = 0;

		while (count < ARRAY_SIZE(fields) && text_word(&line, &word))
			fields[count++] = text_copy(word);
		if (count > 0 && fields[0][0] != '#' &&
		    (count < 3 || !keeps_nothing(fields[2], count > 3 ? fields[3] : "")))
			audit_find(a, "etc/fstab", number + 1, "%s at %s can be written and is there after a reboot",
				   fields[0], count > 1 ? fields[1] : "no place");
		for (size_t i = 0; i < count; i++)
			free(fields[i]);
	}
	audit_seen(a, r ? "%u lines, nothing but memory and what is read-only" : "there is no /etc/fstab", number);
	return 0;
}

/* Whoever opens a volume at boot means to use it. */
static int check_volumes(struct audit *a, struct error *err)
{
	static const char *const tables[] = {
		"etc/crypttab", "etc/integritytab", "etc/mdadm/mdadm.conf", "etc/mdadm.conf",
	};
	struct text rest, line, word;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);
		int r = audit_text(a, tables[i], &text, err);

		if (r < 0)
			return r;
		rest = (struct text) { buf_text(&text), text.len };
		for (unsigned int number = 1; text_line(&rest, &line); number++)
			if (text_word(&line, &word) && word.data[0] != '#')
				audit_find(a, tables[i], number, "opens a volume at boot");
	}
	audit_seen(a, "no table of volumes to open");
	return 0;
}

/* ---------------------------------------------------------------- units */

static bool is_mount(const struct unit *u)
{
	const char *dot = strrchr(u->name, '.');

	return strcmp(dot, ".mount") == 0;
}

static void check_mount(struct audit *a, const struct unit *u)
{
	const char *what = unit_file_value(&u->file, "Mount", "What");
	const char *type = unit_file_value(&u->file, "Mount", "Type");
	const char *options = unit_file_value(&u->file, "Mount", "Options");

	if (!keeps_nothing(type, options))
		audit_find(a, u->path, 0, "%s mounts %s so that it can be written", u->name,
			   what[0] ? what : "something");
}

static int check_units(struct audit *a, struct error *err)
{
	size_t mounts = 0;

	(void)err;
	for (size_t i = 0; i < a->units->count; i++) {
		const struct unit *u = &a->units->items[i];

		if (u->masked || !u->file.count)
			continue;
		if (is_mount(u)) {
			mounts++;
			check_mount(a, u);
		} else if (strcmp(strrchr(u->name, '.'), ".swap") == 0) {
			audit_find(a, u->path, 0, "%s writes memory to %s", u->name,
				   unit_file_value(&u->file, "Swap", "What"));
		}
	}
	audit_seen(a, "%zu mount units, nothing but memory and the kernel's own; no swap", mounts);
	return 0;
}

/* ---------------------------------------------------------------- what looks for places itself */

static bool has_files(const struct audit *a, const char *directory)
{
	size_t position = 0;

	return tree_list(a->in->tree, directory, &position);
}

static void check_repart(struct audit *a)
{
	static const char *const places[] = { "etc/repart.d", "usr/local/lib/repart.d", "usr/lib/repart.d" };
	const struct unit *u = units_find(a->units, "systemd-repart.service");

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (u && !u->masked && has_files(a, places[i]))
			audit_find(a, places[i], 0, "systemd-repart makes partitions by these files");
}

/* systemd-gpt-auto-generator(8) mounts what it finds beside the root, and turns swap on. */
static int check_automatic(struct audit *a, struct error *err)
{
	static const char *const programs[] = { "udisksd", "automount", "systemd-homed", "growpart", "lvmpolld", NULL };
	static const char generator[] = "usr/lib/systemd/system-generators/systemd-gpt-auto-generator";
	struct audit_parameter p;
	struct tree_node node;
	size_t position = 0;

	(void)err;
	if (tree_stat(a->in->tree, generator, false, &node) &&
	    (!audit_parameter(a, "systemd.gpt_auto", &p) || audit_is_yes(&p)))
		audit_find(a, AUDIT_CMDLINE, 0,
			   "systemd mounts partitions that it finds on the disk: say systemd.gpt_auto=0");
	while (tree_next(a->in->tree, &position, &node))
		if (audit_is_program(&node) && audit_among(audit_base(node.path), programs))
			audit_find(a, node.path, 0, "mounts or grows what it finds");
	check_repart(a);
	audit_seen(a, "nothing mounts or makes partitions by itself");
	return 0;
}

static int check_cmdline(struct audit *a, struct error *err)
{
	static const char *const words[] = {
		"root", "rootflags", "resume", "systemd.mount_extra", "systemd.swap_extra", "systemd.volatile", "usrhash", "mount.usr",
		"rw", NULL,
	};
	const char *rest = a->in->cmdline;
	struct audit_parameter p;

	(void)err;
	while (audit_parameter_next(&rest, &p))
		if (audit_among(p.key, words))
			audit_find(a, AUDIT_CMDLINE, 0, "%s%s%s mounts something else", p.key, p.has_value ? "=" : "",
				   p.value);
	audit_seen(a, "it names no place to mount or to resume from");
	return 0;
}

const struct audit_rule audit_mount_rules[] = {
	{ "mounts.fstab", "/etc/fstab keeps nothing over a reboot", check_fstab },
	{ "mounts.units", "no mount or swap unit keeps anything over a reboot", check_units },
	{ "mounts.volumes", "no volume is opened at boot", check_volumes },
	{ "mounts.automatic", "nothing mounts what it finds", check_automatic },
	{ "mounts.cmdline", "the command line mounts nothing", check_cmdline },
	{ .id = NULL }
};
