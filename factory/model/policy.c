/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"

#include <stdio.h>

#include "../base/error.h"
#include "../base/hex.h"
#include "json.h"
#include "manifest.h"

#define BIT(pcr) (1u << (pcr))
#define IMAGE 4
#define SECURE_BOOT 7
#define ARGUMENTS 12

static const struct pcr_log *predicted(const struct manifest *m, bool secure_boot)
{
	return secure_boot ? &m->secure_boot->events : &m->events;
}

static uint32_t known(const struct manifest *m, bool secure_boot)
{
	return secure_boot ? m->secure_boot->pcr_mask : m->pcr_mask;
}

/* What binds PCR 4 alone, or others that do not tell which arguments the kernel got either. */
static int check_binding(bool secure_boot, uint32_t pcrs, struct error *err)
{
	bool arguments = pcrs & BIT(ARGUMENTS), keys = secure_boot && pcrs & BIT(SECURE_BOOT);

	if (pcrs & BIT(IMAGE) && !arguments && !keys)
		return error_input(err, "a policy on PCR 4 without PCR 12%s: whoever can change the machine's boot options passes the kernel other arguments, which switch verity off, and PCR 4 stays the same (GHSA-xrv8-2pf5-f3q7); bind PCR 12 as well%s",
				   secure_boot ? " or PCR 7" : "",
				   secure_boot ? "" : ", or PCR 7 of an image built with --keys");
	if (!(pcrs & BIT(IMAGE)) && !keys)
		return error_input(err, "a policy that binds neither PCR 4 nor%s PCR 7 says nothing about what is booted",
				   secure_boot ? "" : ", with Secure Boot on,");
	return 0;
}

int policy_check(const struct manifest *m, bool secure_boot, uint32_t pcrs, struct error *err)
{
	uint32_t unknown;

	if (secure_boot && !m->secure_boot)
		return error_input(err, "the image was built without keys: there is no prediction with Secure Boot on");
	unknown = pcrs & ~known(m, secure_boot);
	if (unknown)
		return error_input(err, "PCR %d is not predicted, so a policy cannot bind it", __builtin_ctz(unknown));
	return check_binding(secure_boot, pcrs, err);
}

struct policy_binding policy_binding_default(const struct manifest *m)
{
	return (struct policy_binding) {
		.manifest = m,
		.secure_boot = m->secure_boot,
		.pcrs = BIT(IMAGE) | BIT(ARGUMENTS) | (m->secure_boot ? BIT(SECURE_BOOT) : 0),
	};
}

void policy_key(unsigned int pcr, char ret[static POLICY_KEY_MAX])
{
	(void)snprintf(ret, POLICY_KEY_MAX, "kms:RecipientAttestation:NitroTPMPCR%u", pcr);
}

void policy_put_value(struct json_t *values, const struct policy_binding *b, unsigned int pcr)
{
	char name[POLICY_KEY_MAX];
	struct digest value;

	policy_key(pcr, name);
	pcr_replay(predicted(b->manifest, b->secure_boot), pcr, DIGEST_SHA384, &value);
	json_put_digest(values, name, &value);
}

void policy_put_values(struct json_t *values, const struct policy_binding *b)
{
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		if (b->pcrs & BIT(pcr))
			policy_put_value(values, b, pcr);
}

int policy_condition(const struct manifest *m, bool secure_boot, uint32_t pcrs, struct buf *ret, struct error *err)
{
	const struct policy_binding b = { .manifest = m, .secure_boot = secure_boot, .pcrs = pcrs };
	struct json_t *root;
	int r = policy_check(m, secure_boot, pcrs, err);

	if (r < 0)
		return r;
	root = json_new();
	policy_put_values(json_put_object(json_put_object(root, "Condition"), "StringEqualsIgnoreCase"), &b);
	r = json_finish(root, false, ret);
	return r < 0 ? error_system(err, r, "the policy: cannot make its text") : 0;
}
