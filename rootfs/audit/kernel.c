/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "rules.h"
#include "sysctl.h"

/* What keeps root, if somebody became it, from changing the kernel that was measured. */

/* ---------------------------------------------------------------- the command line */

/* Words that take a protection away, or put something between the kernel and what was measured. */
static const struct weak_word {
	const char *key, *value;	/* value NULL: whatever it is */
	const char *why;
} weak_words[] = {
	{ "init", NULL, "starts something else" },
	{ "rdinit", NULL, "starts something else" },
	{ "systemd.run", NULL, "runs a command" },
	{ "systemd.wants", NULL, "starts a unit" },
	{ "systemd.verity", NULL, "is about switching verity off" },
	{ "rd.systemd.verity", NULL, "is about switching verity off" },
	{ "systemd.setenv", NULL, "changes the environment of every service" },
	{ "nokaslr", NULL, "puts the kernel where everybody knows" },
	{ "nopti", NULL, "takes a protection away" },
	{ "pti", "off", "takes a protection away" },
	{ "nosmep", NULL, "takes a protection away" },
	{ "nosmap", NULL, "takes a protection away" },
	{ "mitigations", "off", "takes protections away" },
	{ "iomem", "relaxed", "lets programs at the memory of devices" },
	{ "apparmor", "0", "takes a protection away" },
	{ "selinux", "0", "takes a protection away" },
	{ "enforcing", "0", "takes a protection away" },
	{ "ima_appraise", "off", "takes a protection away" },
	{ "sysrq_always_enabled", NULL, "lets a key combination command the kernel" },
	{ "kgdboc", NULL, "is a debugger on a console" },
	{ "ekgdboc", NULL, "is a debugger on a console" },
	{ "kgdbwait", NULL, "is a debugger on a console" },
	{ "kdb", NULL, "is a debugger on a console" },
	{ "debug_pagealloc", NULL, "is for debugging" },
	{ "bpf_jit_enable", NULL, "is for debugging" },
	{ "efi", "debug", "is for debugging" },
	{ "acpi_rsdp", NULL, "gives the kernel tables that nobody measured" },
	{ "module.sig_enforce", "0", "lets modules in that nobody signed" },
};

static int check_cmdline(struct audit *a, struct error *err)
{
	const char *rest = a->in->cmdline;
	struct audit_parameter p;
	size_t words = 0;

	(void)err;
	for (; audit_parameter_next(&rest, &p); words++)
		for (size_t i = 0; i < ARRAY_SIZE(weak_words); i++) {
			const struct weak_word *w = &weak_words[i];

			if (strcmp(w->key, p.key) == 0 && (!w->value || strcmp(w->value, p.value) == 0))
				audit_find(a, AUDIT_CMDLINE, 0, "%s%s%s %s", p.key, p.has_value ? "=" : "", p.value,
					   w->why);
		}
	if (rest[strspn(rest, " ")])
		audit_find(a, AUDIT_CMDLINE, 0, "what comes after \"--\" is no longer the kernel's");
	audit_seen(a, "%zu words, none that takes something away", words);
	return 0;
}

static int check_lockdown(struct audit *a, struct error *err)
{
	static const char *const levels[] = { "integrity", "confidentiality", NULL };
	struct audit_parameter p;

	(void)err;
	if (!audit_parameter(a, "lockdown", &p) || !audit_among(p.value, levels))
		audit_find(a, AUDIT_CMDLINE, 0, "root may change the running kernel: say lockdown=integrity");
	else
		audit_seen(a, "lockdown=%s", p.value);
	return 0;
}

/* ---------------------------------------------------------------- settings */

/* What may stand there, and otherwise what to say. */
struct wanted {
	const char *rule, *key;
	const char *values[4];		/* NULL-terminated */
};

static const struct wanted wanted[] = {
	{ "kernel.kexec", "kernel.kexec_load_disabled", { "1" } },
	{ "kernel.ebpf", "kernel.unprivileged_bpf_disabled", { "1", "2" } },
	{ "kernel.ptrace", "kernel.yama.ptrace_scope", { "1", "2", "3" } },
	{ "kernel.sysrq", "kernel.sysrq", { "0" } },
	{ "kernel.messages", "kernel.dmesg_restrict", { "1" } },
	{ "kernel.messages", "kernel.kptr_restrict", { "1", "2" } },
	{ "kernel.core-dumps", "kernel.core_pattern", { "|/bin/false", "|/usr/bin/false", "" } },
};

static void judge(struct audit *a, const struct sysctl *s, const struct wanted *w)
{
	const struct sysctl_setting *setting = sysctl_find(s, w->key);

	if (!setting)
		audit_find(a, s->applied ? "etc/sysctl.d" : "usr/lib/systemd/system/systemd-sysctl.service", 0,
			   "%s%s is not set: write \"%s = %s\"", s->applied ? "" : "this service does not run, so ",
			   w->key, w->key, w->values[0]);
	else if (!audit_among(setting->value, w->values))
		audit_find(a, setting->path, setting->line, "%s is \"%s\": it must be %s", w->key, setting->value,
			   w->values[0]);
	else
		audit_seen(a, "%s = %s (%s%s:%u)", w->key, setting->value, setting->path[0] == '(' ? "" : "/",
			   setting->path, setting->line);
}

static int check_settings(struct audit *a, struct error *err)
{
	CLEANUP_SYSCTL struct sysctl s = { .settings = NULL };
	int r = sysctl_read(a, &s, err);

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && r == 0; i++)
		if (strcmp(wanted[i].rule, a->rule->id) == 0)
			judge(a, &s, &wanted[i]);
	return r;
}

/* Either none can be loaded that is not signed, or after boot none at all. */
static int check_modules(struct audit *a, struct error *err)
{
	CLEANUP_SYSCTL struct sysctl s = { .settings = NULL };
	const struct sysctl_setting *off;
	struct audit_parameter p;
	int r = sysctl_read(a, &s, err);

	if (r < 0)
		return r;
	off = sysctl_find(&s, "kernel.modules_disabled");
	if (audit_parameter(a, "module.sig_enforce", &p) && audit_is_yes(&p))
		audit_seen(a, "module.sig_enforce is on");
	else if (off && strcmp(off->value, "1") == 0)
		audit_seen(a, "kernel.modules_disabled = 1 (/%s:%u)", off->path, off->line);
	else
		audit_find(a, AUDIT_CMDLINE, 0, "modules that nobody signed can be loaded: say module.sig_enforce=1");
	return 0;
}

const struct audit_rule audit_kernel_rules[] = {
	{ "kernel.cmdline", "the command line takes nothing away", check_cmdline },
	{ "kernel.lockdown", "lockdown is on", check_lockdown },
	{ "kernel.modules", "only signed modules, or none after boot", check_modules },
	{ "kernel.kexec", "no other kernel can be loaded", check_settings },
	{ "kernel.ebpf", "no eBPF for ordinary users", check_settings },
	{ "kernel.ptrace", "no process reads another", check_settings },
	{ "kernel.core-dumps", "no core dumps", check_settings },
	{ "kernel.sysrq", "no commands to the kernel from a keyboard or serial line", check_settings },
	{ "kernel.messages", "the kernel's messages and addresses are root's", check_settings },
	{ .id = NULL }
};
