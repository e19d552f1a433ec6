/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../tree.h"
#include "installed.h"
#include "rules.h"
#include "scan.h"
#include "units.h"

/* Ways for somebody elsewhere to get in or to say what the machine does: known by name, and some by contents. */

enum mark { PROGRAM, UNIT, PACKAGE, PATH };

/* A name is a pattern, fnmatch(3); a PATH is relative to the root and may be of anything. */
static const struct forbidden {
	const char *rule;
	enum mark mark;
	const char *name;
} forbidden[] = {
	{ "access.sshd", PROGRAM, "sshd" },
	{ "access.sshd", PROGRAM, "sshd-session" },
	{ "access.sshd", PROGRAM, "dropbear" },
	{ "access.sshd", PROGRAM, "dropbearmulti" },
	{ "access.sshd", PROGRAM, "tinysshd*" },
	{ "access.sshd", PROGRAM, "lshd" },
	{ "access.sshd", PROGRAM, "tailscaled" },
	{ "access.sshd", UNIT, "ssh.service" },
	{ "access.sshd", UNIT, "ssh@.service" },
	{ "access.sshd", UNIT, "sshd*.service" },
	{ "access.sshd", UNIT, "ssh*.socket" },
	{ "access.sshd", UNIT, "dropbear*" },
	{ "access.sshd", PACKAGE, "openssh-server" },
	{ "access.sshd", PACKAGE, "dropbear*" },
	{ "access.sshd", PACKAGE, "tinysshd" },
	{ "access.sshd", PATH, "etc/ssh/sshd_config" },

	{ "access.ssm-agent", PROGRAM, "amazon-ssm-agent" },
	{ "access.ssm-agent", PROGRAM, "ssm-agent-worker" },
	{ "access.ssm-agent", PROGRAM, "ssm-session-worker" },
	{ "access.ssm-agent", UNIT, "*amazon-ssm-agent*" },
	{ "access.ssm-agent", PACKAGE, "amazon-ssm-agent" },
	{ "access.ssm-agent", PATH, "etc/amazon/ssm" },
	{ "access.ssm-agent", PATH, "snap/amazon-ssm-agent" },

	{ "access.instance-connect", PROGRAM, "eic_*" },
	{ "access.instance-connect", UNIT, "ec2-instance-connect*" },
	{ "access.instance-connect", PACKAGE, "ec2-instance-connect*" },
	{ "access.instance-connect", PATH, "usr/share/ec2-instance-connect" },

	{ "access.cloud-init", PROGRAM, "cloud-init*" },
	{ "access.cloud-init", PROGRAM, "ds-identify" },
	{ "access.cloud-init", UNIT, "cloud-init*" },
	{ "access.cloud-init", UNIT, "cloud-config*" },
	{ "access.cloud-init", UNIT, "cloud-final*" },
	{ "access.cloud-init", PACKAGE, "cloud-init*" },
	{ "access.cloud-init", PATH, "etc/cloud/cloud.cfg" },

	{ "access.user-data", PROGRAM, "ignition" },
	{ "access.user-data", PROGRAM, "afterburn" },
	{ "access.user-data", PROGRAM, "coreos-metadata" },
	{ "access.user-data", PROGRAM, "nocloud-init" },
	{ "access.user-data", PROGRAM, "nodeadm" },
	{ "access.user-data", UNIT, "ignition*" },
	{ "access.user-data", UNIT, "amazon-init*" },
	{ "access.user-data", UNIT, "ec2-user-data*" },

	{ "access.remote-shell", PROGRAM, "telnetd" },
	{ "access.remote-shell", PROGRAM, "in.telnetd" },
	{ "access.remote-shell", PROGRAM, "in.rshd" },
	{ "access.remote-shell", PROGRAM, "in.rlogind" },
	{ "access.remote-shell", PROGRAM, "rexecd" },
	{ "access.remote-shell", PROGRAM, "inetd" },
	{ "access.remote-shell", PROGRAM, "xinetd" },
	{ "access.remote-shell", PROGRAM, "mosh-server" },
	{ "access.remote-shell", PROGRAM, "ttyd" },
	{ "access.remote-shell", PROGRAM, "gotty" },
	{ "access.remote-shell", PROGRAM, "shellinaboxd" },
	{ "access.remote-shell", PROGRAM, "cockpit-ws" },
	{ "access.remote-shell", PROGRAM, "Xvnc" },
	{ "access.remote-shell", PROGRAM, "x11vnc" },
	{ "access.remote-shell", PROGRAM, "xrdp" },
	{ "access.remote-shell", PROGRAM, "teleport" },
	{ "access.remote-shell", PROGRAM, "salt-minion" },
	{ "access.remote-shell", PROGRAM, "puppet" },
	{ "access.remote-shell", PROGRAM, "chef-client" },
	{ "access.remote-shell", PROGRAM, "qemu-ga" },
	{ "access.remote-shell", PROGRAM, "hv_fcopy_daemon" },
	{ "access.remote-shell", PROGRAM, "vmtoolsd" },
	{ "access.remote-shell", PROGRAM, "google_guest_agent" },
	{ "access.remote-shell", PROGRAM, "waagent" },
	{ "access.remote-shell", PROGRAM, "hibagent" },
	{ "access.remote-shell", PACKAGE, "ec2-hibinit-agent" },
	{ "access.remote-shell", PACKAGE, "telnetd*" },
	{ "access.remote-shell", PACKAGE, "inetutils-telnetd" },
	{ "access.remote-shell", PACKAGE, "qemu-guest-agent" },
};

static bool matches(const struct audit *a, const struct forbidden *f, enum mark mark, const char *name)
{
	return f->mark == mark && strcmp(f->rule, a->rule->id) == 0 && fnmatch(f->name, name, 0) == 0;
}

static const struct forbidden *find_mark(const struct audit *a, enum mark mark, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
		if (matches(a, &forbidden[i], mark, name))
			return &forbidden[i];
	return NULL;
}

static void check_files(struct audit *a)
{
	struct tree_node node;
	size_t position = 0, count = 0;

	for (; tree_next(a->in->tree, &position, &node); count++) {
		if (audit_is_program(&node) && find_mark(a, PROGRAM, audit_base(node.path)))
			audit_find(a, node.path, 0, "a program that lets others in or takes orders: leave it out");
		else if (find_mark(a, PATH, node.path))
			audit_find(a, node.path, 0, "part of what lets others in: leave it out");
	}
	audit_seen(a, "none of the names it is known by, in %zu files and %zu units", count, a->units->count);
}

static void check_units(struct audit *a)
{
	for (size_t i = 0; i < a->units->count; i++) {
		const struct unit *u = &a->units->items[i];

		if (!u->masked && find_mark(a, UNIT, u->name))
			audit_find(a, u->path, 0, "unit %s is there and not masked", u->name);
	}
}

static int check_packages(struct audit *a, struct error *err)
{
	CLEANUP_INSTALLED struct installed list = { .names = NULL };
	int r = installed_read(a, &list, err);

	for (size_t i = 0; i < list.count && r == 0; i++)
		if (find_mark(a, PACKAGE, list.names[i].name))
			audit_find(a, list.names[i].place, list.names[i].line, "package %s is installed",
				   list.names[i].name);
	return r;
}

static int check_names(struct audit *a, struct error *err)
{
	check_files(a);
	check_units(a);
	return check_packages(a, err);
}

static void check_hits(struct audit *a, enum scan_kind kind, const char *text)
{
	for (size_t i = 0; i < a->scan->count; i++) {
		const struct scan_hit *hit = &a->scan->hits[i];

		if (hit->kind == kind)
			audit_find(a, hit->path, hit->line, "%s: %s", text, hit->what);
	}
}

static int check_sshd(struct audit *a, struct error *err)
{
	check_hits(a, SCAN_SSH_SERVER, "an SSH server, by its words");
	return check_names(a, err);
}

static int check_user_data(struct audit *a, struct error *err)
{
	check_hits(a, SCAN_USER_DATA, "knows what whoever starts the instance writes");
	return check_names(a, err);
}

const struct audit_rule audit_access_rules[] = {
	{ "access.sshd", "no SSH server", check_sshd },
	{ "access.ssm-agent", "no Systems Manager agent", check_names },
	{ "access.instance-connect", "no EC2 Instance Connect", check_names },
	{ "access.cloud-init", "no cloud-init", check_names },
	{ "access.user-data", "nothing reads user data", check_user_data },
	{ "access.remote-shell", "no other remote shell or agent", check_names },
	{ .id = NULL }
};
