/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/arguments.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "commands.h"
#include "compare.h"
#include "model/json.h"

#define TEXT_MAX ((size_t)1 << 20)

static int make_json(const struct comparison *c, struct buf *ret)
{
	struct json_t *root = json_new();
	struct json_t *array;

	json_put_bool(root, "identical", c->count == 0);
	array = json_put_array(root, "findings");
	for (size_t i = 0; i < c->count; i++) {
		const struct compare_finding *f = &c->findings[i];
		struct json_t *o = json_put_object(array, NULL);

		json_put_string(o, "part", compare_part_names[f->part]);
		json_put_string(o, "text", f->text);
		json_put_bool(o, "follows", f->follows);
	}
	return json_finish(root, false, ret);
}

static int make_text(const struct comparison *c, struct buf *ret)
{
	if (c->count == 0)
		return buf_add_string(ret, "the same, byte for byte\n");
	return comparison_table(c, ret);
}

static int print(const struct comparison *c, bool json, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = json ? make_json(c, &text) : make_text(c, &text);

	if (r < 0)
		return error_system(err, r, "what differs");
	fputs(buf_text(&text), stdout);
	return 0;
}

static int compare_two(char **paths, bool json, struct error *err)
{
	CLEANUP_COMPARISON struct comparison found = { .findings = NULL };
	CLEANUP_COMPARE_IMAGE struct compare_image a = { .name = NULL }, b = { .name = NULL };
	const struct compare_finding *cause;
	CLEANUP_FREE char *cache = NULL;
	struct error ignored = ERROR_INIT;
	int r;

	/* Without a cache there are no root trees to look into, and that is all. */
	(void)io_cache_dir(&cache, &ignored);
	r = compare_image_open(paths[0], cache, &a, err);
	if (r == 0)
		r = compare_image_open(paths[1], cache, &b, err);
	if (r == 0)
		r = compare_images(&a, &b, &found, err);
	if (r == 0)
		r = print(&found, json, err);
	if (r < 0)
		return r;
	cause = comparison_cause(&found);
	return cause ? error_verdict(err, "%s and %s differ: %s: %s", a.name, b.name,
				     compare_part_names[cause->part], cause->text) : 0;
}

static int compare(int argc, char **argv, struct error *err)
{
	struct operands operands;
	bool json = false;
	int r;

	const struct argument table[] = {
		{ .name = "json", .kind = ARGUMENT_FLAG, .target = &json },
		{ .name = NULL },
	};

	r = arguments_parse(&command_compare, table, argc, argv,
			    "image to compare with", 2, 2, &operands, err);
	return r < 0 ? r : compare_two(operands.items, json, err);
}

const struct command command_compare = {
	.name = "compare",
	.run = compare,
	.summary = "say whether two images are the same bytes, and what differs first",
	.usage = "A B [--json]",
	.help =
		"A and B are raw disks, or directories that \"kiln build\" left (OUT/NAME), whose manifests and lists\n"
		"of packages are compared too. What differs is named by its cause: a file in the root file system, a\n"
		"section of the boot file, a field of the partition table. Which file of the root file system it is\n"
		"can be told while the root trees of both builds are in this cache. Exit code 1 if they differ.\n"
		"\n"
		"    --json   the same for machines\n",
};
