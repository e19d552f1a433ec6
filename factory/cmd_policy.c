/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "format/pcr.h"
#include "model/manifest.h"
#include "model/policy.h"

#define TEXT_MAX (64 * 1024)

/* "4,7,12" */
static int parse_pcrs(const char *text, uint32_t *ret, struct error *err)
{
	*ret = 0;
	for (const char *at = text;; at++) {
		char *end;
		unsigned long pcr = strtoul(at, &end, 10);

		if (end == at || *at < '0' || *at > '9' || pcr >= PCR_COUNT || (*end && *end != ','))
			return error_input(err, "kiln policy: --pcrs %s is no list of PCRs, such as 4,12", text);
		*ret |= 1u << pcr;
		if (!*end)
			return 0;
		at = end;
	}
}

static int print_condition(const char *path, const char *pcrs, bool secure_boot, struct error *err)
{
	CLEANUP_MANIFEST struct manifest *m = NULL;
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	uint32_t mask;
	int r = parse_pcrs(pcrs, &mask, err);

	if (r == 0)
		r = manifest_read(path, &m, err);
	if (r == 0)
		r = policy_condition(m, secure_boot, mask, &text, err);
	if (r == 0)
		fputs(buf_text(&text), stdout);
	return r;
}

static int policy(int argc, char **argv, struct error *err)
{
	const char *pcrs = NULL;
	bool secure_boot = false;
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "pcrs", .kind = ARGUMENT_TEXT, .target = &pcrs },
		{ .name = "secure-boot", .kind = ARGUMENT_FLAG, .target = &secure_boot },
		{ .name = NULL },
	};

	r = arguments_parse(&command_policy, table, argc, argv, "manifest", 1, 1, &operands, err);
	if (r < 0)
		return r;
	return print_condition(operands.items[0], pcrs ? pcrs : secure_boot ? "4,7,12" : "4,12", secure_boot, err);
}

const struct command command_policy = {
	.name = "policy",
	.run = policy,
	.summary = "print the condition by which a KMS key policy binds an image",
	.usage = "MANIFEST [--pcrs N,...] [--secure-boot]",
	.help =
		"Prints the Condition of the statement that allows kms:Decrypt to the machine: the PCRs that a NitroTPM\n"
		"attests, with the values that MANIFEST (manifest.json of a build) predicts. What would bind PCR 4 without\n"
		"PCR 12 or PCR 7 is refused.\n"
		"\n"
		"    --pcrs N,...      which PCRs; 4,12 by default, and 4,7,12 with Secure Boot\n"
		"    --secure-boot     of the machine with Secure Boot on; the image was built with keys\n",
};
