/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/arguments.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "blocks.h"
#include "commands.h"
#include "rehearsal.h"

static int find(const struct rehearsal *r, const char *id, const struct object **ret, struct error *err)
{
	*ret = objects_find(&r->objects, NULL, id);
	if (!*ret || !object_is(*ret, "snap"))
		return error_input(err, "%s: there is no snapshot %s", r->data, id);
	if (object_gone(*ret) || strcmp(object_get(*ret, "State"), "completed") != 0)
		return error_input(err, "%s: the snapshot %s is %s, not completed", r->data, id,
				   object_gone(*ret) ? "deleted" : object_get(*ret, "State"));
	return 0;
}

static int write_image(struct rehearsal *r, const char *id, const char *path, struct error *err)
{
	CLEANUP_BLOCKS struct blocks *b = NULL;
	const struct object *o = NULL;
	int result = find(r, id, &o, err);

	if (result == 0)
		result = rehearsal_open_blocks(r, o, &b, err);
	if (result == 0)
		result = blocks_export(b, object_number(o, "VolumeSize") << 30, path, err);
	return result;
}

static int export_snapshot(const char *data, const char *id, const char *path, struct error *err)
{
	CLEANUP_FREE char *directory = path_join(data, "objects");
	struct rehearsal r = { .data = data };
	int result;

	if (!io_exists(directory))
		return error_input(err, "%s is no directory of the rehearsal server's", data);
	result = objects_open(directory, &r.objects, err);
	if (result < 0)
		return result;
	result = write_image(&r, id, path, err);
	objects_close(&r.objects);
	return result;
}

static int export(int argc, char **argv, struct error *err)
{
	const char *data = NULL;
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "data", .kind = ARGUMENT_TEXT, .target = &data },
		{ .name = NULL },
	};

	r = arguments_parse(&command_export, table, argc, argv, "snapshot or file", 2, 2, &operands, err);
	if (r == 0 && !data)
		r = error_input(err, "kiln-rehearsal export: --data DIR, the server's directory, is missing");
	return r < 0 ? r : export_snapshot(data, operands.items[0], operands.items[1], err);
}

const struct command command_export = {
	.name = "export",
	.program = REHEARSAL_PROGRAM,
	.run = export,
	.summary = "write a snapshot as a raw image",
	.usage = "SNAPSHOT FILE --data DIR",
	.help =
		"Writes a completed snapshot of the server's directory DIR, its parents' blocks included, as a sparse raw image\n"
		"of its volume's size to FILE, which must not exist. The server may be running.\n",
};
