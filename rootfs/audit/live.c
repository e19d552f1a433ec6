/* SPDX-License-Identifier: Apache-2.0 */
#include "../../factory/model/live.h"

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "../../factory/model/declared.h"
#include "rules.h"

/* What the running machine answered to whoever tried to get in. */

static const struct {
	enum live_scan_kind kind;
	bool udp;
} scans[] = { { LIVE_TCP4, false }, { LIVE_TCP6, false }, { LIVE_UDP4, true }, { LIVE_UDP6, true } };

static void judge_scan(struct audit *a, enum live_scan_kind kind, bool udp)
{
	const struct live_scan *scan = &a->in->live->scans[kind];

	for (size_t i = 0; i < scan->open_count; i++) {
		CLEANUP_FREE char *path = string_printf("(%s/%u)", udp ? "udp" : "tcp", scan->open[i]);

		if (!declared_has_port(a->in->declared, scan->open[i], udp))
			audit_find(a, path, 0, "answers %s, and is not declared", live_scan_names[kind]);
	}
}

static void tell_scan(const struct live_scan *scan, enum live_scan_kind kind, struct buf *ret)
{
	/* What finds no room in the line is told in no other place, and there is room. */
	if (scan->done)
		(void)buf_printf(ret, "%s%s: %zu answer, %u refuse, %u are silent", ret->len ? "; " : "",
				 live_scan_names[kind], scan->open_count, scan->closed, scan->silent);
	else
		(void)buf_printf(ret, "%s%s: the machine has no address", ret->len ? "; " : "", live_scan_names[kind]);
}

static int check_ports(struct audit *a, bool udp)
{
	CLEANUP_BUF struct buf seen = BUF_INIT(1024);
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(scans); i++) {
		if (scans[i].udp != udp)
			continue;
		judge_scan(a, scans[i].kind, udp);
		tell_scan(&a->in->live->scans[scans[i].kind], scans[i].kind, &seen);
		any = any || a->in->live->scans[scans[i].kind].done;
	}
	if (!any)
		audit_find(a, AUDIT_MACHINE, 0, "no port was tried");
	audit_seen(a, "%s", buf_text(&seen));
	return 0;
}

static int check_tcp(struct audit *a, struct error *err)
{
	(void)err;
	return check_ports(a, false);
}

static int check_udp(struct audit *a, struct error *err)
{
	(void)err;
	return check_ports(a, true);
}

/* ---------------------------------------------------------------- typing and pressing */

static void judge_touch(struct audit *a, enum live_touch touch, const char *what)
{
	const struct live *live = a->in->live;

	if (live->effects[touch])
		audit_find(a, AUDIT_MACHINE, 0, "%s: %s", what, live->effects[touch]);
}

static int check_serial(struct audit *a, struct error *err)
{
	(void)err;
	judge_touch(a, LIVE_SERIAL, "typed into the first serial line");
	judge_touch(a, LIVE_SECOND_SERIAL, "typed into the second serial line");
	audit_seen(a, "both lines typed at: returns, names, a command, escapes");
	return 0;
}

static int check_keyboard(struct audit *a, struct error *err)
{
	(void)err;
	judge_touch(a, LIVE_KEYBOARD, "typed on the keyboard");
	judge_touch(a, LIVE_USB_KEYBOARD, "a USB keyboard, plugged in and typed on");
	audit_seen(a, "the screen and the serial line stay as they are, on three virtual consoles");
	return 0;
}

static int check_sysrq(struct audit *a, struct error *err)
{
	(void)err;
	judge_touch(a, LIVE_SYSRQ, "SysRq h and b, from keyboard and serial line");
	audit_seen(a, "no help, no reset");
	return 0;
}

static int check_ctrl_alt_del(struct audit *a, struct error *err)
{
	(void)err;
	judge_touch(a, LIVE_CTRL_ALT_DEL, "Ctrl-Alt-Del, twelve times in a row");
	audit_seen(a, "the service goes on answering");
	return 0;
}

static int check_power_button(struct audit *a, struct error *err)
{
	(void)err;
	judge_touch(a, LIVE_POWER_BUTTON, "the power button");
	audit_seen(a, "the service goes on answering");
	return 0;
}

/* ---------------------------------------------------------------- user data */

static int check_user_data(struct audit *a, struct error *err)
{
	const struct live *live = a->in->live;
	CLEANUP_BUF struct buf sent = BUF_INIT(2048);

	(void)err;
	for (size_t i = 0; i < live->user_data.count; i++)
		audit_find(a, AUDIT_MACHINE, 0, "asked the metadata service: %s", live->user_data.items[i]);
	for (size_t i = 0; i < live->sent.count; i++)
		(void)buf_printf(&sent, "%s%s", i ? ", " : "", live->sent.items[i]);	/* as many as there is room for */
	audit_seen(a, "never asked; the machine sent to: %s", sent.len ? buf_text(&sent) : "nobody");
	return 0;
}

const struct audit_rule audit_live_rules[] = {
	{ "live.tcp", "No TCP port answers but what is declared", check_tcp },
	{ "live.udp", "No UDP port answers but what is declared", check_udp },
	{ "live.serial", "Nothing answers on a serial line", check_serial },
	{ "live.keyboard", "Nothing answers a keyboard", check_keyboard },
	{ "live.sysrq", "The kernel obeys no SysRq key", check_sysrq },
	{ "live.ctrl-alt-del", "Ctrl-Alt-Del does nothing", check_ctrl_alt_del },
	{ "live.power-button", "The power button does nothing", check_power_button },
	{ "live.user-data", "The machine asks for no user data", check_user_data },
	{ .id = NULL },
};
