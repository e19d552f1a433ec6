/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/io.h"
#include "commands.h"
#include "format/uki.h"
#include "model/bootfile.h"
#include "model/json.h"

#define JSON_MAX (1024 * 1024)

/* What is said of a disk beyond its tables. */
struct findings {
	unsigned int stub_version;	/* 0: not told */
	char *cmdline;
	bool root_fits;
	char root_problem[sizeof(((struct error *)NULL)->message)];
};

static void findings_clear(struct findings *f)
{
	free(f->cmdline);
}
#define CLEANUP_FINDINGS __attribute__((cleanup(findings_clear)))

static void look(const struct bootfile *b, struct findings *ret)
{
	struct error version = ERROR_INIT, root = ERROR_INIT;

	/* A boot file that is no UKI is worth inspecting too. */
	if (uki_stub_version(&b->pe, &ret->stub_version, &version) < 0)
		ret->stub_version = 0;
	ret->cmdline = bootfile_cmdline(b);
	ret->root_fits = bootfile_check_root(b, &root) == 0;
	memcpy(ret->root_problem, root.message, sizeof(ret->root_problem));
}

/* ---------------------------------------------------------------- for people */

static void print_partitions(const struct bootfile *b)
{
	char type[GUID_TEXT_SIZE], id[GUID_TEXT_SIZE];

	printf("partitions\n");
	for (unsigned int i = 0; i < b->gpt.count; i++) {
		const struct gpt_partition *p = &b->gpt.partitions[i];

		guid_format(p->type, type);
		guid_format(p->id, id);
		printf("    %u  %-20s %10ju KiB at byte %ju\n       type %s  id %s%s\n", p->number,
		       p->name, (uintmax_t)p->size / 1024, (uintmax_t)p->offset, type, id,
		       p->attributes >> 60 & 1 ? "  read-only" : "");
	}
}

static void print_boot_file(const struct bootfile *b, const struct findings *f)
{
	printf("boot file %s, %zu bytes\n", b->boot_path, b->image_size);
	for (unsigned int i = 0; i < b->pe.section_count; i++)
		printf("    %-10s %10u bytes\n", b->pe.sections[i].name, b->pe.sections[i].virtual_size);
	if (f->stub_version)
		printf("stub\n    systemd-stub %u\n", f->stub_version);
	else
		printf("stub\n    none that is known\n");
	printf("command line\n    %s\n", f->cmdline);
}

static void print_text(const struct bootfile *b, const struct findings *f)
{
	char id[GUID_TEXT_SIZE];

	guid_format(b->gpt.disk_id, id);
	printf("disk\n    %zu bytes, id %s\n", b->file.size, id);
	print_partitions(b);
	print_boot_file(b, f);
	printf("root hash\n    %s\n", f->root_fits ?
	       "command line, partition ids and hash tree agree" : f->root_problem);
}

/* ---------------------------------------------------------------- for machines */

static void put_guid(struct json_t *object, const char *key, const uint8_t guid[static 16])
{
	char text[GUID_TEXT_SIZE];

	guid_format(guid, text);
	json_put_string(object, key, text);
}

static void put_partition(struct json_t *array, const struct gpt_partition *p)
{
	struct json_t *o = json_put_object(array, NULL);

	json_put_number(o, "number", p->number);
	json_put_string(o, "label", p->name);
	put_guid(o, "type", p->type);
	put_guid(o, "id", p->id);
	json_put_number(o, "offset", p->offset);
	json_put_number(o, "size", p->size);
	json_put_bool(o, "read_only", p->attributes >> 60 & 1);
}

static void put_boot_file(struct json_t *root, const struct bootfile *b, const struct findings *f)
{
	struct json_t *o = json_put_object(root, "boot_file");
	struct json_t *sections;

	json_put_string(o, "path", b->boot_path);
	json_put_number(o, "size", b->image_size);
	if (f->stub_version)
		json_put_number(o, "stub_version", f->stub_version);
	else
		json_put_null(o, "stub_version");
	json_put_string(o, "cmdline", f->cmdline);
	sections = json_put_array(o, "sections");
	for (unsigned int i = 0; i < b->pe.section_count; i++) {
		struct json_t *section = json_put_object(sections, NULL);

		json_put_string(section, "name", b->pe.sections[i].name);
		json_put_number(section, "size", b->pe.sections[i].virtual_size);
	}
}

static int print_json(const struct bootfile *b, const struct findings *f, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_MAX);
	struct json_t *root = json_new();
	struct json_t *array;
	int r;

	json_put_number(root, "size", b->file.size);
	put_guid(root, "id", b->gpt.disk_id);
	array = json_put_array(root, "partitions");
	for (unsigned int i = 0; i < b->gpt.count; i++)
		put_partition(array, &b->gpt.partitions[i]);
	put_boot_file(root, b, f);
	json_put_bool(root, "root_hash_fits", f->root_fits);
	r = json_finish(root, false, &text);
	if (r < 0)
		return error_system(err, r, "the result as JSON");
	fputs(buf_text(&text), stdout);
	return 0;
}

/* ---------------------------------------------------------------- the verb */

static int inspect(int argc, char **argv, struct error *err)
{
	CLEANUP_FINDINGS struct findings findings = { .cmdline = NULL };
	CLEANUP_BOOTFILE struct bootfile *b = NULL;
	struct operands operands;
	bool json = false;
	int r;

	const struct argument table[] = {
		{ .name = "json", .kind = ARGUMENT_FLAG, .target = &json },
		{ .name = NULL },
	};

	r = arguments_parse(&command_inspect, table, argc, argv, "disk", 1, 1, &operands, err);
	if (r == 0)
		r = bootfile_open(operands.items[0], &b, err);
	if (r < 0)
		return r;
	if (!b->disk)
		return error_input(err, "%s is a PE image, not a disk; \"kiln measure\" takes it",
				   operands.items[0]);
	look(b, &findings);
	if (json) {
		r = print_json(b, &findings, err);
		if (r < 0)
			return r;
	} else {
		print_text(b, &findings);
	}
	return findings.root_fits ? 0 : error_verdict(err, "%s", findings.root_problem);
}

const struct command command_inspect = {
	.name = "inspect",
	.run = inspect,
	.summary = "show what is on a disk, and whether its parts speak of one root",
	.usage = "DISK [--json]",
	.help =
		"Prints the partitions, the boot file's sections, its stub and command line, and whether command\n"
		"line, partition ids and hash tree have the same root hash (exit code 1 if not).\n"
		"\n"
		"    --json   the same for machines\n",
};
