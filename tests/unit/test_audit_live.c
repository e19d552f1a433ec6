/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/audit_tree.h"

#include "factory/model/live.h"

static struct scratch dir = SCRATCH_INIT;
static const char *const nothing[] = { NULL };

/* A machine that answers on its declared port alone. */
static void make_quiet(struct live *l)
{
	*l = (struct live) { .sent = { .count = 0 } };
	for (int i = 0; i < LIVE_SCANS; i++)
		l->scans[i] = (struct live_scan) { .done = true, .silent = 65535 };
	l->scans[LIVE_TCP4].open = calloc(2, sizeof(unsigned int));
	need(l->scans[LIVE_TCP4].open != NULL, "memory");
	l->scans[LIVE_TCP4].open[0] = 3000;
	l->scans[LIVE_TCP4].open_count = 1;
	live_list_add(&l->sent, "udp 10.0.2.2:123");
}

static void run(const struct live *l, const struct declared *d, struct audit_report *ret)
{
	CLEANUP_TREE struct tree *tree = audit_tree_make(dir.path, "");
	struct error err = ERROR_INIT;

	need(audit_run(&(struct audit_input) {
		.tree = tree, .declared = d, .cmdline = AUDIT_CLEAN_CMDLINE, .esp = nothing, .partitions = nothing,
		.initrd = nothing, .live = l,
	}, ret, &err) == 0, "the audit runs: %s", err.message);
}

static void declare(struct declared *d)
{
	declared_add_port(d, 3000, false);
	declared_add_exception(d, "live.power-button", "", "it is meant to end by it");
	declared_add_exception(d, "files.setuid", "/nowhere", "never used");
}

static void test_quiet(void)
{
	CLEANUP_DECLARED struct declared d = { .ports = NULL };
	CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL }, unbooted = { .results = NULL };
	CLEANUP_LIVE struct live l;

	declare(&d);
	make_quiet(&l);
	run(&l, &d, &report);
	ok_int(audit_count(&report, AUDIT_FAILS), 0, "a machine that is quiet passes");
	ok_str(audit_result_of(&report, "live.tcp")->seen,
	       "TCP over IPv4: 1 answer, 0 refuse, 65535 are silent; TCP over IPv6: 0 answer, 0 refuse, 65535 are silent",
	       "with what was seen");
	ok(strstr(audit_result_of(&report, "live.user-data")->seen, "10.0.2.2:123"), "and to whom it sent");
	ok_int(report.unused_count, 2, "an exception for what did not happen is told");
	run(NULL, &d, &unbooted);
	ok(!audit_result_of(&unbooted, "live.tcp"), "what was not booted is not judged");
	ok_int(unbooted.unused_count, 1, "nor called unused");
	ok(audit_has_rule("live.tcp"), "though the rule is there");
}

static void fails(const struct live *l, const char *rule, const char *path, const char *text, const char *about)
{
	CLEANUP_DECLARED struct declared d = { .ports = NULL };
	CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL };
	const struct audit_result *result;

	declare(&d);
	run(l, &d, &report);
	result = audit_result_of(&report, rule);
	need(result && result->count == 1, "%s has one finding", rule);
	ok_str(result->findings[0].path, path, "%s: where", about);
	ok(strstr(result->findings[0].text, text), "%s: %s", about, result->findings[0].text);
	ok_int(audit_count(&report, AUDIT_FAILS) + audit_count(&report, AUDIT_ACCEPTED), 1, "%s: no other rule fails", about);
}

static void test_ports(void)
{
	CLEANUP_LIVE struct live tcp, udp, none;

	make_quiet(&tcp);
	tcp.scans[LIVE_TCP4].open[1] = 22;
	tcp.scans[LIVE_TCP4].open_count = 2;
	fails(&tcp, "live.tcp", "(tcp/22)", "TCP over IPv4", "an open port");
	make_quiet(&udp);
	udp.scans[LIVE_UDP6].open = calloc(1, sizeof(unsigned int));
	need(udp.scans[LIVE_UDP6].open != NULL, "memory");
	udp.scans[LIVE_UDP6].open[0] = 3000;
	udp.scans[LIVE_UDP6].open_count = 1;
	fails(&udp, "live.udp", "(udp/3000)", "UDP over IPv6", "a port that is declared for TCP, over UDP");
	make_quiet(&none);
	none.scans[LIVE_UDP4].done = none.scans[LIVE_UDP6].done = false;
	fails(&none, "live.udp", "(machine)", "no port was tried", "a machine without any address");
}

static void test_touches(void)
{
	static const struct {
		enum live_touch touch;
		const char *rule;
	} rows[] = {
		{ LIVE_SERIAL, "live.serial" }, { LIVE_SECOND_SERIAL, "live.serial" }, { LIVE_KEYBOARD, "live.keyboard" },
		{ LIVE_USB_KEYBOARD, "live.keyboard" }, { LIVE_SYSRQ, "live.sysrq" },
		{ LIVE_CTRL_ALT_DEL, "live.ctrl-alt-del" }, { LIVE_POWER_BUTTON, "live.power-button" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_LIVE struct live answers;

		make_quiet(&answers);
		answers.effects[rows[i].touch] = string_copy("login:");
		fails(&answers, rows[i].rule, "(machine)", "login:", rows[i].rule);
	}
}

static void test_rest(void)
{
	CLEANUP_LIVE struct live asks, ends;
	CLEANUP_DECLARED struct declared d = { .ports = NULL };
	CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL };

	make_quiet(&asks);
	live_list_add(&asks.user_data, "GET /latest/user-data HTTP/1.1");
	live_list_add(&asks.user_data, "GET /latest/user-data HTTP/1.1");
	fails(&asks, "live.user-data", "(machine)", "GET /latest/user-data", "user data asked for twice");
	make_quiet(&ends);
	ends.effects[LIVE_POWER_BUTTON] = string_copy("the guest switched itself off");
	declare(&d);
	run(&ends, &d, &report);
	ok_int(audit_count(&report, AUDIT_ACCEPTED), 1, "what is declared of the power button");
	ok_int(audit_count(&report, AUDIT_FAILS), 0, "does not fail");
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "%s", err.message);
	test_quiet();
	test_ports();
	test_touches();
	test_rest();
	io_scratch_free(&dir);
	return tap_done();
}
