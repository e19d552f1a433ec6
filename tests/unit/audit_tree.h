/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_AUDIT_TREE_H
#define KILN_TESTS_UNIT_AUDIT_TREE_H

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "factory/base/hex.h"
#include "factory/base/io.h"
#include "factory/format/tar.h"
#include "factory/model/declared.h"
#include "rootfs/audit/audit.h"
#include "rootfs/tree.h"
#include "tests/unit/tap.h"

/*
 * Systems to be audited, as texts: a line an entry, "TYPE MODE UID:GID PATH ARGUMENT", where a later line of a path
 * replaces an earlier one. TYPE is f (file with ARGUMENT as its contents, "\n" for a newline), d, l (symbolic link),
 * c and b (devices), or x (file with the extended attribute NAME=VALUE, where a value in hex begins with 0x).
 */

#define AUDIT_TREE_MAX ((size_t)32 << 20)
#define AUDIT_CLEAN_CMDLINE                                                                                     \
	"console=ttyS0 quiet lockdown=integrity module.sig_enforce=1 systemd.gpt_auto=0 systemd.import_credentials=0" \
	" roothash=00"

/* What a system needs so that each rule has something to hold for. */
static const char audit_clean_tree[] =
	"f 0755 0:0 usr/bin/cat program\n"
	"f 0755 0:0 usr/lib/systemd/systemd program\n"
	"f 0755 0:0 usr/lib/systemd/system-generators/systemd-gpt-auto-generator program\n"
	"f 4754 0:101 usr/lib/dbus-1.0/dbus-daemon-launch-helper program\n"
	"f 0755 0:0 usr/sbin/chronyd program\n"
	"f 0644 0:0 etc/chrony/chrony.conf confdir /etc/chrony/conf.d\\n\n"
	"f 0644 0:0 etc/chrony/conf.d/10-port.conf # closed\\ncmdport 0\\n\n"
	"f 0644 0:0 etc/passwd root:x:0:0:root:/root:/usr/sbin/nologin\\nservice:x:999:999::/:/usr/sbin/nologin\\n\n"
	"f 0640 0:42 etc/shadow root:*:20000:0:99999:7:::\\nservice:!*:20000::::::\\n\n"
	"f 0444 0:0 etc/machine-id\n"
	"f 0644 0:0 etc/fstab # nothing\\ntmpfs /tmp tmpfs nosuid 0 0\\n/dev/sr0 /mnt iso9660 ro 0 0\\n\n"
	"f 0644 0:0 etc/sysctl.d/60-hard.conf kernel.core_pattern = |/bin/false\\nkernel.dmesg_restrict=1\\n"
	"kernel.kexec_load_disabled = 1\\nkernel/kptr_restrict = 2\\nkernel.sysrq = 0\\n"
	"-kernel.unprivileged_bpf_disabled = 2\\n; a comment\\nkernel.yama.ptrace_scope = 3\\n\n"
	"f 0644 0:0 usr/lib/sysctl.d/50-default.conf kernel.sysrq = 438\\n\n"
	"f 0644 0:0 usr/lib/systemd/system/systemd-sysctl.service [Service]\\nExecStart=/usr/lib/systemd/systemd-sysctl\\n\n"
	"l 0777 0:0 usr/lib/systemd/system/sysinit.target.wants/systemd-sysctl.service ../systemd-sysctl.service\n"
	"f 0644 0:0 usr/lib/systemd/system/nftables.service [Service]\\nExecStart=/usr/sbin/nft -f /etc/nftables.conf\\n\n"
	"l 0777 0:0 etc/systemd/system/sysinit.target.wants/nftables.service /usr/lib/systemd/system/nftables.service\n"
	"f 0644 0:0 etc/nftables.conf flush ruleset\\ntable inet filter {\\n chain input {\\n"
	"  type filter hook input priority filter; policy drop;\\n  iif lo accept\\n  ct state established,related accept\\n"
	"  meta l4proto { icmp, icmpv6 } accept\\n  udp sport 67 udp dport 68 accept\\n  tcp dport 3000 accept\\n }\\n}\\n\n"
	"f 0644 0:0 usr/lib/systemd/system/getty@.service [Service]\\nExecStart=-/sbin/agetty --noclear %I\\nStandardInput=tty\\n\n"
	"l 0777 0:0 usr/lib/systemd/system/autovt@.service getty@.service\n"
	"l 0777 0:0 etc/systemd/system/getty@.service /dev/null\n"
	"f 0644 0:0 usr/lib/systemd/system/debug-shell.service [Service]\\nExecStart=/bin/sh\\nStandardInput=tty\\n\n"
	"l 0777 0:0 etc/systemd/system/debug-shell.service /dev/null\n"
	"f 0644 0:0 usr/lib/systemd/system/rescue.target [Unit]\\n\n"
	"l 0777 0:0 etc/systemd/system/rescue.target /dev/null\n"
	"f 0644 0:0 usr/lib/systemd/system/rescue.service [Service]\\nExecStart=-/usr/lib/systemd/systemd-sulogin-shell rescue\\n\n"
	"f 0644 0:0 etc/systemd/system/rescue.service\n"
	"f 0644 0:0 usr/lib/systemd/system/emergency.service [Service]\\nExecStart=-/usr/lib/systemd/systemd-sulogin-shell emergency\\n\n"
	"l 0777 0:0 etc/systemd/system/emergency.service /dev/null\n"
	"f 0644 0:0 usr/lib/systemd/system/tmp.mount [Mount]\\nWhat=tmpfs\\nType=tmpfs\\nOptions=mode=1777\\n\n"
	"f 0644 0:0 usr/lib/systemd/system/local.socket [Socket]\\nListenStream=/run/x\\nListenStream=127.0.0.1:22\\n\n"
	"l 0777 0:0 usr/lib/systemd/system/sockets.target.wants/local.socket ../local.socket\n"
	"f 0644 0:0 var/lib/dpkg/status Package: systemd\\nStatus: install ok installed\\n\\n"
	"Package: openssh-server\\nStatus: deinstall ok config-files\\n\\n\n"
	/* user::rwx group::r-x group:4:r-x mask::r-x other::r-x */
	"x 0755 0:0 var/log/journal.list system.posix_acl_access=0x0200000001000700ffffffff04000500ffffffff080005000400000010000500ffffffff20000500ffffffff\n"
	"d 1777 0:0 tmp\n"
	"d 0755 999:999 var/lib/service\n"
	"f 0644 0:0 usr/lib/libtls.so \x7f" "ELF -----BEGIN PRIVATE KEY-----\n";

static inline char *audit_tree_unescape(const char *text)
{
	char *copy = string_copy(text), *to = copy;

	for (const char *p = text; *p; p++) {
		if (p[0] == '\\' && p[1] == 'n') {
			*to++ = '\n';
			p++;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return copy;
}

static inline void audit_tree_attribute(struct tar_member *m, struct tar_attribute *a, char *argument)
{
	char *value = strchr(argument, '=');

	*value++ = '\0';
	*a = (struct tar_attribute) { argument, value, strlen(value) };
	if (strncmp(value, "0x", 2) == 0) {
		a->size = (a->size - 2) / 2;
		need(hex_decode(value + 2, (uint8_t *)value, a->size) == 0, "hex of %s", argument);
	}
	m->attributes = a;
	m->attribute_count = 1;
}

static inline void audit_tree_line(struct buf *b, const char *line)
{
	struct tar_attribute attribute;
	unsigned int mode, uid, gid;
	char type, path[256];
	CLEANUP_FREE char *argument = NULL;
	struct tar_member m = { .mtime = 1 };
	int used = 0;

	need(sscanf(line, "%c %o %u:%u %255s%n", &type, &mode, &uid, &gid, path, &used) == 5, "the line \"%s\"", line);
	argument = audit_tree_unescape(line[used] ? line + used + 1 : "");
	m.path = path;
	m.mode = mode;
	m.uid = uid;
	m.gid = gid;
	m.type = type == 'd' ? TAR_DIRECTORY : type == 'l' ? TAR_SYMLINK : type == 'c' ? TAR_CHARACTER :
		 type == 'b' ? TAR_BLOCK : TAR_FILE;
	m.major = type == 'c' || type == 'b' ? 8 : 0;
	if (type == 'f')
		m.size = strlen(argument);
	if (type == 'l')
		m.link = argument;
	if (type == 'x')
		audit_tree_attribute(&m, &attribute, argument);
	need(tar_add_header(b, &m) == 0 && buf_add(b, argument, (size_t)m.size) == 0 && buf_align(b, TAR_RECORD) == 0,
	     "memory for %s", path);
}

static inline void audit_tree_lines(struct buf *b, const char *text)
{
	CLEANUP_FREE char *copy = string_copy(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			audit_tree_line(b, line);
}

/* The clean system with more lines, as a tree whose archive lies in `directory`. */
static inline struct tree *audit_tree_make(const char *directory, const char *more)
{
	CLEANUP_BUF struct buf b = BUF_INIT(AUDIT_TREE_MAX);
	CLEANUP_FREE char *path = path_join(directory, "tree.tar");
	struct error err = ERROR_INIT;
	struct tree *tree;

	audit_tree_lines(&b, audit_clean_tree);
	audit_tree_lines(&b, more);
	need(tar_add_end(&b) == 0, "memory");
	need(io_write_file(path, b.data, b.len, 0600, &err) == 0, "%s: %s", path, err.message);
	need(tree_open_finished(path, &tree, &err) == 0, "%s: %s", path, err.message);
	return tree;
}

static inline const struct audit_result *audit_result_of(const struct audit_report *report, const char *rule)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->results[i].rule, rule) == 0)
			return &report->results[i];
	return NULL;
}

#endif
