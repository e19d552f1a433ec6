/* SPDX-License-Identifier: Apache-2.0 */
#include "sign.h"

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../keys/keyring.h"
#include "../keys/sign.h"
#include "registry.h"

/*
 * The file that the firmware starts: the UKI, signed if the image is built with keys. The private key is no part of the
 * key in the cache, and a signature found there is as good as a new one: both are the same bytes.
 */

static int sign(const struct plan *plan, const char *from, const char *to, struct error *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(SIZE_MAX);
	CLEANUP_IO_MAP struct io_map uki = { 0 };
	int r = io_map_file(from, &uki, err);

	if (r == 0 && plan->signature_pending)
		r = sign_prepare(plan->keyring, uki.data, uki.size, &out, err);
	else if (r == 0)
		r = sign_image(plan->keyring, uki.data, uki.size, &out, err);
	return r < 0 ? r : io_write_file(to, out.data, out.len, 0644, err);
}

static int sign_run(const struct stage_context *ctx, struct error *err)
{
	const char *uki = artifacts_path(ctx->artifacts, "uki.efi");
	CLEANUP_FREE char *path = path_join(ctx->output, "boot.efi");

	return ctx->plan->keyring ? sign(ctx->plan, uki, path, err) : io_copy_file(uki, path, 0644, err);
}

void sign_key(const struct plan *plan, struct stage_key *key)
{
	const char *how = !plan->keyring ? "none" : plan->signature_pending ? "pending" : "made";

	stage_key_string(key, "signature", how);
	if (plan->keyring)
		stage_key_string(key, "signer", keyring_signer(plan->keyring, SECURE_DB)->sha256);
}

static int add_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	(void)err;
	sign_key(plan, key);
	return 0;
}

const struct stage stage_sign = {
	.name = "sign",
	.title = "making the boot file of it",
	.version = "1",
	.room = ROOM_FACTORY,
	.inputs = { "uki.efi" },
	.outputs = { "boot.efi" },
	.key = add_key,
	.run = sign_run,
};
