/* SPDX-License-Identifier: Apache-2.0 */
#include "../vm-test/boot_options.h"
#include "../vm-test/tamper.h"
#include "base/arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "commands.h"
#include "model/manifest.h"
#include "shipped.h"
#include "tamper_keys.h"

#define TEXT_MAX (4 << 20)
/* Most rows end in a minute without KVM; what has said nothing by then is held for silent. */
#define TIMEOUT_S 300

struct request {
	const char *manifest, *keyring, *only;
	unsigned int timeout_s;
	bool quick, list;
};

static int print_list(struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = tamper_list(&text);

	if (r < 0)
		return error_system(err, r, "the list of rows");
	fputs(buf_text(&text), stdout);
	return 0;
}

static int print_report(const struct tamper_report *report, const struct shipped *s, struct error *err)
{
	CLEANUP_BUF struct buf table = BUF_INIT(TEXT_MAX), json = BUF_INIT(TEXT_MAX);
	CLEANUP_FREE char *path = shipped_beside(s->disk, "tamper-report.json");
	int r = tamper_report_table(report, &table);

	if (r < 0)
		return error_system(err, r, "the table of rows");
	fputs(buf_text(&table), stdout);
	r = tamper_report_format(report, s->manifest, &json, err);
	if (r == 0)
		r = io_write_file(path, json.data, json.len, 0644, err);
	if (r == 0)
		log_info("the whole report is in %s", path);
	return r;
}

static int run(const struct request *request, const struct shipped *s, struct error *err)
{
	CLEANUP_TAMPER_REPORT struct tamper_report report = { .count = 0 };
	CLEANUP_TAMPER_KEYS struct tamper_keys keys = TAMPER_KEYS_INIT;
	CLEANUP_ENROLLED struct enrolled own = ENROLLED_INIT;
	struct boot_options options = { .timeout_s = request->timeout_s };
	struct tamper_input input = {
		.options = &options, .manifest = s->manifest, .quick = request->quick, .only = request->only,
	};
	int r = 0;

	shipped_boot_options(s, &options);
	if (request->keyring)
		r = enrol_keyring(request->keyring, s->manifest, &own, err);
	if (r == 0 && request->keyring)
		r = tamper_keys_make(request->keyring, &own, s->disk, s->tmp, &keys, &input, err);
	if (r == 0)
		r = tamper_run(&input, &report, err);
	if (r == 0)
		r = print_report(&report, s, err);
	if (r == 0 && report.wrong)
		return error_verdict(err, "%s: %zu of %zu rows did not come out as stated", s->disk, report.wrong, report.count);
	return r;
}

static int tamper(int argc, char **argv, struct error *err)
{
	CLEANUP_SHIPPED struct shipped s = SHIPPED_INIT;
	struct request request = { .timeout_s = TIMEOUT_S };
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "secure-boot", .kind = ARGUMENT_TEXT, .target = &request.keyring },
		{ .name = "quick", .kind = ARGUMENT_FLAG, .target = &request.quick },
		{ .name = "row", .kind = ARGUMENT_TEXT, .target = &request.only },
		{ .name = "list", .kind = ARGUMENT_FLAG, .target = &request.list },
		{ .name = "manifest", .kind = ARGUMENT_TEXT, .target = &request.manifest },
		{ .name = "timeout", .kind = ARGUMENT_NUMBER, .target = &request.timeout_s, .least = 1, .most = 86400 },
		{ .name = NULL },
	};

	r = arguments_parse(&command_tamper, table, argc, argv, "disk", 0, 1, &operands, err);
	if (r < 0)
		return r;
	if (request.list)
		return print_list(err);
	if (!operands.count)
		return error_input(err, "kiln tamper: the disk is missing; usage: kiln tamper %s", command_tamper.usage);
	r = shipped_open(operands.items[0], request.manifest, true, &s, err);
	return r < 0 ? r : run(&request, &s, err);
}

const struct command command_tamper = {
	.name = "tamper",
	.run = tamper,
	.summary = "try attacks on copies of a disk and its machine, and see each fail or show",
	.usage = "DISK [--secure-boot KEYRING] [--quick | --row NAME] [--manifest FILE] [--timeout S]",
	.help =
		"Each row changes one thing of a copy of the disk, or of the machine, boots that, and must come out as\n"
		"stated: refused by the firmware, stopped in the kernel, or booted with other PCRs than predicted, which a\n"
		"key policy refuses that binds one of them. Prints the table and writes tamper-report.json beside the disk.\n"
		"Exit code 1: a row came out otherwise. Needs mtools. All rows take about half an hour without KVM.\n"
		"\n"
		"    --secure-boot KEYRING   the rows with Secure Boot on, too; the image was built with these keys\n"
		"    --quick           the most telling rows alone\n"
		"    --row NAME        this row alone\n"
		"    --list            print the rows' names and what they change\n"
		"    --manifest FILE   what was predicted; manifest.json beside the disk by default\n"
		"    --timeout S       seconds after which a machine counts as silent, 300 by default\n",
};
