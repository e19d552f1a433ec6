/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "rules.h"

/* What boots the tree: are these the bytes that a TPM speaks for, and is there nothing beside them? */

static int check_root(struct audit *a, struct error *err)
{
	struct audit_parameter p;

	(void)err;
	if (a->in->root_problem)
		audit_find(a, AUDIT_DISK, 0, "%s", a->in->root_problem);
	else if (!audit_parameter(a, "roothash", &p))
		audit_find(a, AUDIT_CMDLINE, 0, "names no root hash");
	else
		audit_seen(a, "every byte that was read is what root hash %.16s.. covers", p.value);
	return 0;
}

/* Each item is a finding. */
static int check_list(struct audit *a, const char *const *items, const char *place, const char *what)
{
	for (; *items; items++)
		audit_find(a, place, 0, "%s %s", *items, what);
	return 0;
}

static int check_esp(struct audit *a, struct error *err)
{
	(void)err;
	audit_seen(a, "the boot file and nothing else");
	return check_list(a, a->in->esp, AUDIT_ESP, "lies beside the boot file: firmware or systemd-stub may use it");
}

static int check_partitions(struct audit *a, struct error *err)
{
	(void)err;
	audit_seen(a, "the boot file's, the root's and its hash tree's");
	return check_list(a, a->in->partitions, AUDIT_DISK,
			  "is neither boot file, root nor hash tree: it can be written");
}

/* What dracut and its like put there, and a static shell. */
static int check_initrd(struct audit *a, struct error *err)
{
	static const char *const shells[] = {
		"sh", "bash", "dash", "ash", "busybox", "toybox", "sulogin", "agetty", "getty", "login", "emergency.service",
		"rescue.service", "debug-shell.service", "dracut-emergency.service", "rdsosreport", "sshd", "dropbear", "zsh", "mksh", NULL,
	};
	size_t count = 0;

	(void)err;
	for (const char *const *name = a->in->initrd; *name; name++, count++)
		if (audit_among(audit_base(*name), shells))
			audit_find(a, AUDIT_INITRD, 0, "%s: a shell, or leads to one, before the root is there", *name);
	audit_seen(a, "%zu names, no shell among them", count);
	return 0;
}

const struct audit_rule audit_boot_rules[] = {
	{ "boot.root", "what was read is what the root hash covers", check_root },
	{ "boot.esp", "the ESP holds the boot file alone", check_esp },
	{ "boot.partitions", "no partition that can be written", check_partitions },
	{ "boot.initrd", "no shell in the initrd", check_initrd },
	{ .id = NULL }
};
