/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/error.h"
#include "commands.h"
#include "transfers.h"
#include "upload.h"
#include "upload_options.h"

#define STALL_MOST_S 604800

static int upload(int argc, char **argv, struct error *err)
{
	struct upload_options o = { .connections = UPLOAD_CONNECTIONS, .stall_s = UPLOAD_STALL_S };
	struct operands operands;
	int r;

	const struct argument table[] = {
		AWS_ARGUMENTS(o.aws),
		{ .name = "manifest", .kind = ARGUMENT_TEXT, .target = &o.disk.manifest },
		{ .name = "unproven", .kind = ARGUMENT_FLAG, .target = &o.disk.unproven },
		{ .name = "uefi-data", .kind = ARGUMENT_TEXT, .target = &o.disk.uefi_data },
		{ .name = "name", .kind = ARGUMENT_TEXT, .target = &o.name },
		{ .name = "description", .kind = ARGUMENT_TEXT, .target = &o.description },
		{ .name = "tag", .kind = ARGUMENT_LIST, .target = &o.tags },
		{ .name = "parent", .kind = ARGUMENT_TEXT, .target = &o.parent },
		{ .name = "full", .kind = ARGUMENT_FLAG, .target = &o.full },
		{ .name = "encrypt", .kind = ARGUMENT_TEXT, .target = &o.key },
		{ .name = "size", .kind = ARGUMENT_NUMBER, .target = &o.gib, .least = 1, .most = BLOCK_GIB_MAX },
		{ .name = "copy-to", .kind = ARGUMENT_LIST, .target = &o.copies },
		{ .name = "share", .kind = ARGUMENT_LIST, .target = &o.shares },
		{ .name = "public", .kind = ARGUMENT_FLAG, .target = &o.everybody },
		{ .name = "connections", .kind = ARGUMENT_NUMBER, .target = &o.connections, .least = 1,
		  .most = TRANSFERS_MOST },
		{ .name = "timeout", .kind = ARGUMENT_NUMBER, .target = &o.stall_s, .least = 1, .most = STALL_MOST_S },
		{ .name = "dry-run", .letter = 'n', .kind = ARGUMENT_FLAG, .target = &o.dry_run },
		{ .name = NULL },
	};

	r = arguments_parse(&command_upload, table, argc, argv, "disk", 1, 1, &operands, err);
	return r < 0 ? r : upload_run(operands.items[0], &o, err);
}

const struct command command_upload = {
	.name = "upload",
	.program = UPLOAD_PROGRAM,
	.run = upload,
	.summary = "send a proven disk to EBS, and register it as an image",
	.usage = "DISK [--region REGION] [--name NAME] [--parent SNAPSHOT | --full] [--tag KEY=VALUE]...\n"
		 "       [--copy-to REGION]... [--share ACCOUNT|ARN]... [--dry-run] ...",
	.help =
		"Makes a snapshot of DISK by the EBS direct APIs and registers it as an image with UEFI, NitroTPM and IMDSv2.\n"
		"Only blocks that differ from the last upload's snapshot travel. After an interruption of any kind the same\n"
		"command goes on; \"kiln-upload abort\" gives up instead. Prints region, image and snapshot, which also go into\n"
		"manifest.json and pcr_measurements.json. A disk without a boot proof is refused.\n"
		"\n"
		AWS_ARGUMENTS_HELP
		"    --manifest FILE   what the disk is; manifest.json beside it by default\n"
		"    --unproven        goes without a boot proof; tag and manifest say so\n"
		"    --uefi-data FILE  the keys, for a disk that was built with some: uefi-data.aws of \"kiln keys export\"\n"
		"    --name NAME       of the image; by default name, version and the first digits of the data digest\n"
		"    --description T   of snapshot and image\n"
		"    --tag KEY=VALUE   on both, from the moment they are made\n"
		"    --parent SNAP     sends what differs from it, in place of the last upload's snapshot\n"
		"    --full            sends all blocks that are not zeros\n"
		"    --encrypt ARN     encrypts with this KMS key\n"
		"    --size GIB        of the root volume; the disk's by default\n"
		"    --copy-to REGION  copies the image there, too\n"
		"    --share WHOM      lets an account, or an organisation or unit by its ARN, launch it\n"
		"    --public          lets everybody; not for a disk that was built with keys\n"
		"    --connections N   at once, 64 by default; fewer while EBS throttles\n"
		"    --timeout S       gives up when nothing has gone on for so long, 1800 by default\n"
		"    -n, --dry-run     says what would be sent, and asks EC2 whether it would be allowed\n",
};
