/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "../../factory/base/bytes.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/format/tar.h"
#include "../tree.h"
#include "rules.h"

/* What the file system itself gives away. The root is read-only, but what is above it at run time is not: an overlay
 * in memory, in which the same modes and owners hold until the next boot. */

/* ---------------------------------------------------------------- privileges */

/* Set-id programs that an image may need though nobody logs in, and why. */
static const struct allowed {
	const char *path, *why;
	uint32_t mode, gid_is_not_root;	/* mode: exactly that; and only for a group of its own */
} allowed[] = {
	{ "usr/lib/dbus-1.0/dbus-daemon-launch-helper",
	  "starts system services for dbus-daemon, which is not root; others may not run it", 04754, 1 },
};

static const struct allowed *find_allowed(const struct tree_node *node)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (strcmp(allowed[i].path, node->path) == 0 && node->mode == allowed[i].mode &&
		    (node->gid != 0) == allowed[i].gid_is_not_root)
			return &allowed[i];
	return NULL;
}

static const char *set_id_name(uint32_t mode)
{
	return (mode & S_ISUID) && (mode & S_ISGID) ? "setuid and setgid" : mode & S_ISUID ? "setuid" : "setgid";
}

static int check_setuid(struct audit *a, struct error *err)
{
	const struct allowed *known = NULL;
	struct tree_node node;
	size_t position = 0, files = 0;

	(void)err;
	while (tree_next(a->in->tree, &position, &node)) {
		const struct allowed *found;

		if (node.type != TAR_FILE)
			continue;
		files++;
		if (!(node.mode & (S_ISUID | S_ISGID)))
			continue;
		found = find_allowed(&node);
		if (found)
			known = found;
		else
			audit_find(a, node.path, 0, "%s, mode %04o, owner %u:%u: nobody logs in, so nobody needs it",
				   set_id_name(node.mode), node.mode, node.uid, node.gid);
	}
	audit_seen(a, "%zu files%s%s%s%s", files, known ? "; allowed: /" : "", known ? known->path : "",
		   known ? ", which " : "", known ? known->why : "");
	return 0;
}

static const struct tree_attribute *find_attribute(const struct tree_node *node, const char *name)
{
	for (uint32_t i = 0; i < node->attribute_count; i++)
		if (strcmp(node->attributes[i].name, name) == 0)
			return &node->attributes[i];
	return NULL;
}

static int check_capabilities(struct audit *a, struct error *err)
{
	struct tree_node node;
	size_t position = 0;

	(void)err;
	while (tree_next(a->in->tree, &position, &node))
		if (find_attribute(&node, "security.capability"))
			audit_find(a, node.path, 0, "has file capabilities: who runs it has privileges");
	audit_seen(a, "none among %zu names", position);
	return 0;
}

/*
 * Extended attributes of access control lists, Linux's include/uapi/linux/posix_acl_xattr.h: version 2, then entries of
 * tag, permissions and id, little-endian.
 */
#define ACL_VERSION 2
#define ACL_HEADER 4
#define ACL_ENTRY 8
#define ACL_WRITE 2

enum acl_tag { ACL_USER = 0x02, ACL_GROUP = 0x08, ACL_OTHER = 0x20 };

/* The mask of the list is not asked: it is the file's group mode, which chmod changes. */
static bool acl_lets_write(const struct tree_attribute *list)
{
	const uint8_t *data = list->value;

	/* What cannot be read is taken to let everybody. */
	if (list->size < ACL_HEADER || read_le32(data) != ACL_VERSION || (list->size - ACL_HEADER) % ACL_ENTRY)
		return true;
	for (size_t at = ACL_HEADER; at < list->size; at += ACL_ENTRY) {
		const uint16_t tag = read_le16(data + at);
		const bool named = (tag == ACL_USER || tag == ACL_GROUP) && read_le32(data + at + 4) != 0;

		if ((named || tag == ACL_OTHER) && read_le16(data + at + 2) & ACL_WRITE)
			return true;
	}
	return false;
}

static int check_acls(struct audit *a, struct error *err)
{
	static const char *const names[] = { "system.posix_acl_access", "system.posix_acl_default" };
	struct tree_node node;
	size_t position = 0, lists = 0;

	(void)err;
	while (tree_next(a->in->tree, &position, &node))
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			const struct tree_attribute *list = find_attribute(&node, names[i]);

			lists += list != NULL;
			if (list && acl_lets_write(list))
				audit_find(a, node.path, 0, "its access control list lets others write (%s)", names[i]);
		}
	audit_seen(a, "%zu lists among %zu names, none that lets others write", lists, position);
	return 0;
}

/* ---------------------------------------------------------------- who may write */

static int check_world_writable(struct audit *a, struct error *err)
{
	struct tree_node node;
	size_t position = 0;

	(void)err;
	while (tree_next(a->in->tree, &position, &node)) {
		if (node.type == TAR_SYMLINK || !(node.mode & S_IWOTH))
			continue;
		if (node.type == TAR_DIRECTORY && node.mode & S_ISVTX)
			continue;
		audit_find(a, node.path, 0, "everybody may write to it (mode %04o)", node.mode);
	}
	audit_seen(a, "none among %zu names; directories with the sticky bit apart", position);
	return 0;
}

/* Where programs and their configuration lie. */
static bool is_system(const char *path)
{
	static const char *const patterns[] = {
		"bin/*", "boot/*", "etc/*", "lib/*", "lib64/*", "sbin/*", "usr/*", "bin", "boot", "etc", "lib", "lib64",
		"sbin", "usr", "",
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (fnmatch(patterns[i], path, 0) == 0)
			return true;
	return false;
}

static int check_owner(struct audit *a, struct error *err)
{
	struct tree_node node;
	size_t position = 0;

	(void)err;
	while (tree_next(a->in->tree, &position, &node)) {
		if (!is_system(node.path))
			continue;
		if (node.uid != 0)
			audit_find(a, node.path, 0, "is of user %u, who could change it while the machine runs",
				   node.uid);
		else if (node.type != TAR_SYMLINK && node.gid != 0 && node.mode & S_IWGRP)
			audit_find(a, node.path, 0, "group %u could change it while the machine runs (mode %04o)",
				   node.gid, node.mode);
	}
	audit_seen(a, "programs and configuration are root's, and root's alone to change");
	return 0;
}

static int check_devices(struct audit *a, struct error *err)
{
	struct tree_node node;
	size_t position = 0;

	(void)err;
	while (tree_next(a->in->tree, &position, &node))
		if (node.type == TAR_CHARACTER || node.type == TAR_BLOCK)
			audit_find(a, node.path, 0, "is a %s device: the kernel makes those in /dev",
				   node.type == TAR_BLOCK ? "block" : "character");
	audit_seen(a, "none among %zu names", position);
	return 0;
}

const struct audit_rule audit_file_rules[] = {
	{ "files.setuid", "no setuid or setgid program without a reason", check_setuid },
	{ "files.capabilities", "no file capabilities", check_capabilities },
	{ "files.acl", "no access control list lets others write", check_acls },
	{ "files.world-writable", "nothing everybody may write to", check_world_writable },
	{ "files.owner", "the system's files are root's alone to change", check_owner },
	{ "files.devices", "no device node", check_devices },
	{ .id = NULL }
};
