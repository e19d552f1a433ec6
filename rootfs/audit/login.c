/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../tree.h"
#include "rules.h"
#include "units.h"

/* Ways to a prompt on a console. */

/* A unit that can be started can be started by somebody; so these must be masked or absent, wanted or not. */
static void check_unmasked(struct audit *a, const char *const *names)
{
	for (; *names; names++) {
		const struct unit *u = units_find(a->units, *names);

		if (u && !u->masked)
			audit_find(a, u->path, 0, "%s can be started: mask it", u->name);
	}
}

static void check_commands(struct audit *a, const char *const *programs)
{
	for (size_t i = 0; i < a->units->count; i++) {
		const struct unit_entry *e = unit_runs(&a->units->items[i], programs);

		if (e)
			audit_find(a, e->path, e->line, "%s of %s: %s", e->key, a->units->items[i].name, e->value);
	}
}

static int check_getty(struct audit *a, struct error *err)
{
	static const char *const units[] = {
		"getty@.service", "serial-getty@.service", "console-getty.service", "container-getty@.service",
		"autovt@.service", NULL,
	};
	static const char *const programs[] = {
		"agetty", "getty", "mgetty", "mingetty", "fgetty", "ngetty", "login", NULL,
	};

	(void)err;
	check_unmasked(a, units);
	check_commands(a, programs);
	audit_seen(a, "no getty or login in the commands of %zu units", a->units->count);
	return 0;
}

static int check_terminal(struct audit *a, struct error *err)
{
	(void)err;
	for (size_t i = 0; i < a->units->count; i++) {
		const struct unit *u = &a->units->items[i];
		const char *input = unit_file_value(&u->file, "Service", "StandardInput");

		if (strncmp(input, "tty", 3) == 0)
			audit_find(a, u->path, 0, "%s reads from a terminal (StandardInput=%s)", u->name, input);
	}
	audit_seen(a, "none of %zu units has a terminal as its input", a->units->count);
	return 0;
}

/* Parameters that give a shell or stop where one is; value NULL: with any but a no. */
static const struct shell_word {
	const char *rule, *key, *value;
} shell_words[] = {
	{ "login.debug-shell", "systemd.debug_shell", NULL },
	{ "login.debug-shell", "rd.systemd.debug_shell", NULL },
	{ "login.debug-shell", "systemd.default_debug_tty", NULL },
	{ "login.debug-shell", "systemd.crash_shell", NULL },
	{ "login.debug-shell", "systemd.break", NULL },
	{ "login.debug-shell", "rd.systemd.break", NULL },
	{ "login.debug-shell", "rd.break", NULL },
	{ "login.debug-shell", "rd.shell", NULL },
	{ "login.debug-shell", "systemd.confirm_spawn", NULL },
	{ "login.debug-shell", "break", NULL },
	{ "login.emergency", "emergency", NULL },
	{ "login.emergency", "rescue", NULL },
	{ "login.emergency", "rd.emergency", NULL },
	{ "login.emergency", "rd.rescue", NULL },
	{ "login.emergency", "single", NULL },
	{ "login.emergency", "s", NULL },
	{ "login.emergency", "S", NULL },
	{ "login.emergency", "1", NULL },
	{ "login.emergency", "_b", NULL },
	{ "login.emergency", "systemd.unit", "emergency.target" },
	{ "login.emergency", "systemd.unit", "emergency.service" },
	{ "login.emergency", "systemd.unit", "rescue.target" },
	{ "login.emergency", "systemd.unit", "rescue.service" },
	{ "login.emergency", "systemd.unit", "runlevel1.target" },
};

static bool is_no(const struct audit_parameter *p)
{
	static const char *const no[] = { "0", "no", "n", "false", "f", "off", NULL };

	return p->has_value && audit_among(p->value, no);
}

static bool gives_shell(const struct shell_word *w, const struct audit_parameter *p)
{
	return strcmp(w->key, p->key) == 0 && (w->value ? strcmp(w->value, p->value) == 0 : !is_no(p));
}

static void check_words(struct audit *a)
{
	const char *rest = a->in->cmdline;
	struct audit_parameter p;

	while (audit_parameter_next(&rest, &p))
		for (size_t i = 0; i < ARRAY_SIZE(shell_words); i++)
			if (strcmp(shell_words[i].rule, a->rule->id) == 0 && gives_shell(&shell_words[i], &p))
				audit_find(a, AUDIT_CMDLINE, 0, "%s%s%s asks for a shell", p.key,
					   p.has_value ? "=" : "", p.value);
}

static int check_debug_shell(struct audit *a, struct error *err)
{
	static const char *const units[] = { "debug-shell.service", NULL };

	(void)err;
	check_unmasked(a, units);
	check_words(a);
	audit_seen(a, "debug-shell.service is masked or absent, the command line asks for none");
	return 0;
}

static int check_emergency(struct audit *a, struct error *err)
{
	static const char *const units[] = {
		"emergency.service", "emergency.target", "rescue.service", "rescue.target", NULL,
	};

	(void)err;
	check_unmasked(a, units);
	check_words(a);
	audit_seen(a, "their units are masked or absent, the command line asks for none");
	return 0;
}

static int check_sulogin(struct audit *a, struct error *err)
{
	static const char *const programs[] = { "sulogin", "systemd-sulogin-shell", NULL };

	(void)err;
	check_commands(a, programs);
	audit_seen(a, "in no command of %zu units", a->units->count);
	return 0;
}

/* systemd.system-credentials(7): accounts' passwords, getty's lines and whole units can come in that way. */
static int check_credentials(struct audit *a, struct error *err)
{
	struct audit_parameter p;
	struct tree_node node;

	(void)err;
	if (!tree_stat(a->in->tree, "usr/lib/systemd/systemd", false, &node))
		audit_seen(a, "there is no systemd to take them");
	else if (!audit_parameter(a, "systemd.import_credentials", &p) || !is_no(&p))
		audit_find(a, AUDIT_CMDLINE, 0,
			   "systemd takes passwords, units and more from whoever writes the machine's SMBIOS strings or the ESP: say systemd.import_credentials=0");
	else
		audit_seen(a, "systemd.import_credentials=%s", p.value);
	return 0;
}

const struct audit_rule audit_login_rules[] = {
	{ "login.getty", "no login on any console or serial line", check_getty },
	{ "login.terminal", "no service reads from a terminal", check_terminal },
	{ "login.debug-shell", "no debug shell", check_debug_shell },
	{ "login.emergency", "no emergency or rescue mode", check_emergency },
	{ "login.sulogin", "no sulogin", check_sulogin },
	{ "login.credentials", "no system credentials from outside", check_credentials },
	{ .id = NULL }
};
