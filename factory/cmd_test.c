/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "../vm-test/boot.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "boot_request.h"
#include "commands.h"
#include "model/proof.h"

#define TEXT_MAX (16 * 1024 * 1024)
/* A boot takes 20 seconds on two cores without KVM; a loaded machine may be ten times slower. */
#define TIMEOUT_S 300

static int write_proof(const struct proof *proof, const char *disk, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	CLEANUP_FREE char *path = shipped_beside(disk, "boot-proof.json");
	int r = proof_format(proof, &text, err);

	if (r == 0)
		r = io_write_file(path, text.data, text.len, 0644, err);
	if (r == 0)
		log_info("the whole proof is in %s", path);
	return r;
}

/* The guest's console and the TPM's messages, for when the verdict is not the hoped-for one. */
static int open_log(const char *disk, struct error *err)
{
	CLEANUP_FREE char *path = shipped_beside(disk, "boot.log");

	return log_open_file(path, err);
}

static int print_table(const struct proof *proof, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = proof_table(proof, &text);

	if (r < 0)
		return error_system(err, r, "the table of PCRs");
	fputs(buf_text(&text), stdout);
	return 0;
}

static int say_verdict(const struct proof *proof, const char *disk, struct error *err)
{
	size_t different = 0;

	if (proof->proven)
		return 0;
	if (!proof->service_answered)
		return error_verdict(err, "%s: not proven: the service did not answer", disk);
	for (size_t i = 0; i < proof->row_count; i++)
		different += !proof->rows[i].equal;
	return error_verdict(err, "%s: not proven: %zu of %zu PCR values differ from the prediction", disk,
			     different, proof->row_count);
}

static int test(int argc, char **argv, struct error *err)
{
	CLEANUP_BOOT_REQUEST struct boot_request request = BOOT_REQUEST_INIT(.timeout_s = TIMEOUT_S);
	CLEANUP_PROOF struct proof *proof = NULL;
	const char *disk;
	int r;

	r = boot_request_parse(&command_test, argc, argv, true, &request, err);
	if (r < 0)
		return r;
	disk = request.shipped.disk;
	r = open_log(disk, err);
	if (r == 0)
		r = boot_prove(&request.options, request.shipped.manifest, &proof, err);
	if (r == 0)
		r = print_table(proof, err);
	if (r == 0)
		r = write_proof(proof, disk, err);
	return r < 0 ? r : say_verdict(proof, disk, err);
}

const struct command command_test = {
	.name = "test",
	.run = test,
	.summary = "boot a disk with a software TPM and hold what it measures against the prediction",
	.usage = "DISK [--secure-boot KEYRING] [--manifest FILE] [--port N] [--timeout S] [--memory MIB]",
	.help =
		"Boots the unmodified disk in QEMU, with Kiln's proxy between QEMU and the software TPM, waits until its\n"
		"service answers, and compares every predicted PCR in both banks. Prints the table and writes\n"
		"boot-proof.json, and the console as boot.log, beside the disk. Exit code 0: proven; 1: not; 2 and 3: no\n"
		"verdict was possible.\n"
		"\n"
		"    --secure-boot KEYRING   with Secure Boot on, and this keyring's keys in the firmware; the image was\n"
		"                      built with them\n"
		"    --manifest FILE   what was predicted; manifest.json beside the disk by default\n"
		"    --port N          port of 127.0.0.1 for the service; a free one by default\n"
		"    --timeout S       seconds until the service must have answered, 300 by default\n"
		"    --memory MIB      the machine's memory, 1024 by default\n",
};
