/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/data_digest.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "../factory/format/predict.h"
#include "../factory/format/uki.h"
#include "../factory/model/bootfile.h"
#include "../factory/model/json.h"
#include "../factory/model/manifest.h"
#include "../factory/model/plan.h"
#include "../keys/keyring.h"
#include "registry.h"
#include "sign.h"
#include "verity.h"

/*
 * Says what the finished disk is and what it will measure. Everything is read back out of the disk, as
 * firmware would find it; the UKI and the root hash that went in only have to agree.
 */

#define JSON_MAX (16 * 1024 * 1024)

/* What an image answers on when its description declares nothing; the boot proof asks there. */
#define SERVICE_PORT 3000

/* ---------------------------------------------------------------- checking */

static int check_against_artifacts(const struct bootfile *b, const struct artifacts *artifacts,
				   struct error *err)
{
	CLEANUP_IO_MAP struct io_map uki = { 0 };
	CLEANUP_FREE char *cmdline = bootfile_cmdline(b);
	char expected[ROOT_HASH_DIGITS + 1], text[ROOT_HASH_DIGITS + 1];
	uint8_t hash[ROOT_HASH_DIGITS / 2];
	int r;

	r = io_map_file(artifacts_path(artifacts, "boot.efi"), &uki, err);
	if (r == 0)
		r = verity_root_hash(artifacts, expected, err);
	if (r < 0)
		return r;
	if (uki.size != b->image_size || memcmp(uki.data, b->image, uki.size))
		return error_verdict(err, "the boot file on the disk is not the UKI that was made");
	if (bootfile_root_hash(cmdline, hash) < 0)
		return error_verdict(err, "the boot file's command line names no root hash");
	hex_encode(hash, sizeof(hash), text);
	if (strcmp(text, expected))
		return error_verdict(err, "the boot file names root hash %s, not %s", text, expected);
	return bootfile_check_root(b, err);
}

/* ---------------------------------------------------------------- the manifest */

static void set_text(char **field, const char *text)
{
	free(*field);
	*field = string_copy(text);
}

static void digest_text(const struct digest *digest, char ret[static 65])
{
	hex_encode(digest->bytes, digest_size(digest->alg), ret);
}

static char *guid_text(const uint8_t guid[static 16])
{
	char text[GUID_TEXT_SIZE];

	guid_format(guid, text);
	return string_copy(text);
}

static int add_partitions(struct manifest *m, const struct bootfile *b, const struct data_digests *digests,
			  struct error *err)
{
	struct digest digest;
	int r = 0;

	m->partitions = calloc(b->gpt.count, sizeof(*m->partitions));
	if (!m->partitions)
		error_no_memory();
	for (unsigned int i = 0; i < b->gpt.count && r == 0; i++) {
		const struct gpt_partition *p = &b->gpt.partitions[i];
		struct manifest_partition *out = &m->partitions[m->partition_count++];

		out->number = p->number;
		out->label = string_copy(p->name);
		out->type = guid_text(p->type);
		out->id = guid_text(p->id);
		out->offset = p->offset;
		out->size = p->size;
		r = data_digests_part(digests, p->offset, p->size, &digest, err);
		if (r == 0)
			digest_text(&digest, out->data_sha256);
	}
	return r;
}

/* The disk and its partitions, of one reading: partitions begin and end on the digests' blocks. */
static int add_contents(struct manifest *m, const char *disk, const struct bootfile *b, struct error *err)
{
	CLEANUP_DATA_DIGESTS struct data_digests *digests = NULL;
	struct digest digest;
	int r;

	r = data_digests_read(disk, &digests, err);
	if (r < 0)
		return r;
	m->disk_size = data_digests_size(digests);
	r = data_digests_part(digests, 0, m->disk_size, &digest, err);
	if (r < 0)
		return r;
	digest_text(&digest, m->disk_data_sha256);
	return add_partitions(m, b, digests, err);
}

static int add_firmware(struct manifest *m, const struct lock *lock, struct error *err)
{
	const struct lock_set *set = &lock->sets[LOCK_FIRMWARE];

	if (set->count == 0)
		return error_input(err, "the lock holds no firmware for the boot proof: run \"kiln fetch\" again");
	set_text(&m->firmware_package, set->packages[0].name);
	set_text(&m->firmware_version, set->packages[0].version);
	memcpy(m->firmware_sha256, set->packages[0].sha256, sizeof(m->firmware_sha256));
	return 0;
}

/* What the description says of the finished image, for those who examine it (kiln audit). */
static void declare(const struct description *d, struct declared *ret)
{
	const struct description_packages *const absent[] = { &d->ignored, &d->uninstalled };

	for (size_t i = 0; i < d->port_count; i++)
		declared_add_port(ret, d->ports[i].number, d->ports[i].udp);
	if (d->port_count == 0)
		declared_add_port(ret, SERVICE_PORT, false);
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		for (size_t k = 0; k < absent[i]->count; k++)
			declared_add_absent(ret, absent[i]->items[k].name);
	for (size_t i = 0; i < d->exception_count; i++)
		declared_add_exception(ret, d->exceptions[i].rule, d->exceptions[i].path ? d->exceptions[i].path : "",
				       d->exceptions[i].reason);
}

static int predict(const struct bootfile *b, const struct predict_keys *keys, uint32_t *ret_mask, struct pcr_log *ret,
		   struct error *err)
{
	const struct predict_input input = {
		.images = &b->image,
		.image_sizes = &b->image_size,
		.image_count = 1,
		.keys = keys,
		.gpt_event = b->gpt_event,
		.gpt_event_size = b->gpt_event_size,
	};

	*ret_mask = predict_pcr_mask(&input);
	return predict_boot(&input, ret, err);
}

static void add_certificates(const struct keyring *k, enum secure_variable_id role, struct manifest_variable *ret)
{
	ret->certificates = calloc(k->count, sizeof(*ret->certificates));
	if (!ret->certificates)
		error_no_memory();
	for (size_t i = 0; i < k->count; i++)
		if (k->entries[i].role == role)
			memcpy(ret->certificates[ret->certificate_count++], k->entries[i].sha256,
			       sizeof(*ret->certificates));
}

static int add_secure_boot(struct manifest *m, const struct plan *plan, const struct bootfile *b, struct error *err)
{
	CLEANUP_KEYRING_VARIABLES struct keyring_variables v = KEYRING_VARIABLES_INIT;
	struct manifest_secure_boot *s = manifest_secure_boot_new();
	const struct keyring *k = plan->keyring;
	struct predict_keys keys;
	struct digest digest;

	m->secure_boot = s;
	keyring_variables(k, &v);
	keys = keyring_variables_predict(&v);
	keys.signature_pending = s->pending = plan->signature_pending;
	memcpy(s->signer, keyring_signer(k, SECURE_DB)->sha256, sizeof(s->signer));
	for (int i = 0; i < SECURE_VARIABLES; i++) {
		digest_of(DIGEST_SHA256, v.values[i].data, v.values[i].len, &digest);
		digest_text(&digest, s->variables[i].sha256);
		add_certificates(k, (enum secure_variable_id)i, &s->variables[i]);
	}
	return predict(b, &keys, &s->pcr_mask, &s->events, err);
}

static int describe(const struct plan *plan, const char *disk, const struct bootfile *b,
		    struct manifest *m, struct error *err)
{
	uint8_t root_hash[ROOT_HASH_DIGITS / 2];
	struct digest digest;
	int r;

	set_text(&m->name, plan->description->name);
	set_text(&m->version, plan->description->version);
	set_text(&m->arch, plan->arch->name);
	free(m->disk_file);
	m->disk_file = string_printf("%s.raw", plan->result_name);
	free(m->cmdline);
	m->cmdline = bootfile_cmdline(b);
	(void)bootfile_root_hash(m->cmdline, root_hash);	/* checked before */
	hex_encode(root_hash, sizeof(root_hash), m->root_hash);
	lock_digest(plan->lock, m->lock_sha256);
	m->epoch = plan->epoch;
	declare(plan->description, &m->declared);
	m->service_port = m->declared.ports[0].number;
	m->uki_size = b->image_size;
	digest_of(DIGEST_SHA256, b->image, b->image_size, &digest);
	digest_text(&digest, m->uki_sha256);
	r = add_firmware(m, plan->lock, err);
	if (r == 0)
		r = uki_stub_version(&b->pe, &m->stub_version, err);
	if (r == 0)
		r = predict(b, NULL, &m->pcr_mask, &m->events, err);
	if (r == 0 && plan->keyring)
		r = add_secure_boot(m, plan, b, err);
	if (r == 0)
		r = add_contents(m, disk, b, err);
	return r;
}

/* ---------------------------------------------------------------- the stage */

static int write_text(const struct stage_context *ctx, const char *name, const struct buf *text,
		      struct error *err)
{
	CLEANUP_FREE char *path = path_join(ctx->output, name);

	return io_write_file(path, text->data, text->len, 0644, err);
}

static int measure_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_BUF struct buf manifest = BUF_INIT(JSON_MAX), measurements = BUF_INIT(JSON_MAX);
	CLEANUP_MANIFEST struct manifest *m = manifest_new();
	CLEANUP_BOOTFILE struct bootfile *b = NULL;
	const char *disk = artifacts_path(ctx->artifacts, "disk.raw");
	int r;

	r = bootfile_open(disk, &b, err);
	if (r == 0)
		r = check_against_artifacts(b, ctx->artifacts, err);
	if (r == 0)
		r = describe(ctx->plan, disk, b, m, err);
	if (r == 0)
		r = manifest_format(m, &manifest, err);
	if (r == 0)
		r = measurements_format(m->secure_boot ? &m->secure_boot->events : &m->events, &measurements, err);
	if (r == 0)
		r = write_text(ctx, "pcr_measurements.json", &measurements, err);
	if (r == 0)
		r = write_text(ctx, "manifest.json", &manifest, err);
	return r;
}

/* The values of the firmware's variables, which are certificates and nothing secret. */
static void add_variables_key(const struct plan *plan, struct stage_key *key)
{
	CLEANUP_KEYRING_VARIABLES struct keyring_variables v = KEYRING_VARIABLES_INIT;
	struct digest digest;
	char text[65];

	if (!plan->keyring)
		return;
	keyring_variables(plan->keyring, &v);
	for (int i = 0; i < SECURE_VARIABLES; i++) {
		digest_of(DIGEST_SHA256, v.values[i].data, v.values[i].len, &digest);
		digest_text(&digest, text);
		stage_key_string(key, secure_variables[i].name, text);
	}
}

static int add_declared(const struct description *description, struct stage_key *key, struct error *err)
{
	CLEANUP_DECLARED struct declared declared = { .ports = NULL };
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_MAX);
	struct json_t *root = json_new();
	int r;

	declare(description, &declared);
	declared_write(root, &declared);
	r = json_finish(root, false, &text);
	if (r < 0)
		return error_system(err, r, "what the description declares");
	stage_key_string(key, "declared", buf_text(&text));
	return 0;
}

static int measure_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	char lock[65];

	lock_digest(plan->lock, lock);
	stage_key_string(key, "lock", lock);
	stage_key_string(key, "result", plan->result_name);
	stage_key_string(key, "name", plan->description->name);
	stage_key_string(key, "version", plan->description->version);
	stage_key_string(key, "arch", plan->arch->name);
	sign_key(plan, key);
	add_variables_key(plan, key);
	return add_declared(plan->description, key, err);
}

const struct stage stage_measure = {
	.name = "measure",
	.title = "predicting the measurements",
	.version = "3",
	.room = ROOM_FACTORY,
	.inputs = { "disk.raw", "boot.efi", "root.hash" },
	.outputs = { "manifest.json", "pcr_measurements.json" },
	.key = measure_key,
	.run = measure_run,
};
