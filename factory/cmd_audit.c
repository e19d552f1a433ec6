/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../vm-test/boot_options.h"
#include "../vm-test/examine.h"
#include "audit_disk.h"
#include "audit_report.h"
#include "base/arguments.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "commands.h"
#include "model/manifest.h"
#include "shipped.h"

#define TEXT_MAX ((size_t)64 << 20)
#define REPORT "audit-report.json"
/* As for the boot proof. */
#define TIMEOUT_S 300

struct request {
	const char *disk, *manifest, *json;
	unsigned int timeout_s;
	bool all, live;
};

static int read_manifest(const struct request *q, struct manifest **ret, struct error *err)
{
	CLEANUP_FREE char *beside = shipped_beside(q->disk, "manifest.json");
	const char *path = q->manifest ? q->manifest : beside;

	if (!io_exists(q->disk))
		return error_input(err, "%s: there is no such file", q->disk);
	if (!io_exists(path))
		return error_input(err, "%s is missing: it says what is declared of the disk; name it with --manifest",
				   path);
	return manifest_read(path, ret, err);
}

/* The consoles of the appliance and of the machine, for when one does not start. */
static int open_log(const char *disk, struct error *err)
{
	CLEANUP_FREE char *path = shipped_beside(disk, "audit.log");

	return log_open_file(path, err);
}

static int write_report(const struct request *q, const struct audit_report *report, const struct manifest *manifest,
			struct error *err)
{
	CLEANUP_FREE char *beside = shipped_beside(q->disk, REPORT);
	const char *path = q->json ? q->json : beside;
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = audit_report_format(report, manifest, &text, err);

	if (r == 0)
		r = io_write_file(path, text.data, text.len, 0644, err);
	if (r == 0)
		log_info("the whole report is in %s", path);
	return r;
}

static int print_table(const struct audit_report *report, bool all, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = audit_report_table(report, all, &text);

	if (r < 0)
		return error_system(err, r, "the table of rules");
	fputs(buf_text(&text), stdout);
	return 0;
}

/* The same from outside: the first declared port is what the boot proof asks, too. */
static int examine_live(const struct request *q, struct live *ret, struct error *err)
{
	CLEANUP_SHIPPED struct shipped shipped = SHIPPED_INIT;
	struct boot_options options = { .timeout_s = q->timeout_s };
	int r = shipped_open(q->disk, q->manifest, false, &shipped, err);

	if (r < 0)
		return r;
	shipped_boot_options(&shipped, &options);
	return boot_examine(&options, shipped.manifest->service_port, ret, err);
}

static int judge(const struct request *q, const struct audit_disk *disk, struct audit_report *ret, struct error *err)
{
	CLEANUP_LIVE struct live live = { .sent = { .count = 0 } };
	struct audit_input input = *audit_disk_input(disk);
	int r = q->live ? examine_live(q, &live, err) : 0;

	if (q->live)
		input.live = &live;
	return r < 0 ? r : audit_run(&input, ret, err);
}

static int examine(const struct request *q, const struct manifest *manifest, struct error *err)
{
	CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL };
	CLEANUP_AUDIT_DISK struct audit_disk *disk = NULL;
	size_t failed;
	int r = audit_disk_open(q->disk, manifest, &disk, err);

	if (r == 0)
		r = judge(q, disk, &report, err);
	if (r == 0)
		r = print_table(&report, q->all, err);
	if (r == 0)
		r = write_report(q, &report, manifest, err);
	if (r < 0)
		return r;
	failed = audit_count(&report, AUDIT_FAILS);
	return failed ? error_verdict(err, "%s: %zu of %zu rules fail", q->disk, failed, report.count) : 0;
}

static int audit(int argc, char **argv, struct error *err)
{
	CLEANUP_MANIFEST struct manifest *manifest = NULL;
	struct request q = { .timeout_s = TIMEOUT_S };
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "manifest", .kind = ARGUMENT_TEXT, .target = &q.manifest },
		{ .name = "json", .kind = ARGUMENT_TEXT, .target = &q.json },
		{ .name = "all", .kind = ARGUMENT_FLAG, .target = &q.all },
		{ .name = "live", .kind = ARGUMENT_FLAG, .target = &q.live },
		{ .name = "timeout", .kind = ARGUMENT_NUMBER, .target = &q.timeout_s, .least = 1, .most = 86400 },
		{ .name = NULL },
	};

	r = arguments_parse(&command_audit, table, argc, argv, "disk", 1, 1, &operands, err);
	if (r < 0)
		return r;
	q.disk = operands.items[0];
	r = read_manifest(&q, &manifest, err);
	if (r == 0)
		r = open_log(q.disk, err);
	return r < 0 ? r : examine(&q, manifest, err);
}

const struct command command_audit = {
	.name = "audit",
	.run = audit,
	.summary = "examine a finished disk for ways in: logins, privileges, listeners, secrets",
	.usage = "DISK [--manifest FILE] [--json FILE] [--all] [--live] [--timeout S]",
	.help =
		"Verifies that the disk's root is what its root hash covers, takes its tree out without mounting it here and\n"
		"without running anything of it, and holds tree, command line, initrd and ESP against the rules of zero\n"
		"operator access (kiln-audit(1) lists them). What the description declares, ports and exceptions, is in the\n"
		"manifest. Prints what fails or is excepted and writes audit-report.json, and the consoles as audit.log,\n"
		"beside the disk. Exit code 1 if a rule fails.\n"
		"\n"
		"With --live the disk is booted as well, and tried from outside: every TCP and UDP port over IPv4 and IPv6,\n"
		"serial lines, keyboards, SysRq, Ctrl-Alt-Del, the power button, user data. That takes some minutes.\n"
		"\n"
		"    --manifest FILE   what is declared; manifest.json beside the disk by default\n"
		"    --json FILE       the report's place, audit-report.json beside the disk by default\n"
		"    --all             show the rules that hold, too, and what was looked at\n"
		"    --live            boot the disk, too, and try to get in\n"
		"    --timeout S       seconds until the booted disk's service must have answered, 300 by default\n",
};
