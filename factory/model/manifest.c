/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/hex.h"
#include "../base/io.h"
#include "json.h"
#include "memory.h"

const enum digest_alg manifest_banks[DIGEST_ALGS] = { DIGEST_SHA384, DIGEST_SHA256 };

struct manifest *manifest_new(void)
{
	struct manifest *m = memory_new(sizeof(*m));

	m->name = string_copy("");
	m->version = string_copy("");
	m->arch = string_copy("");
	m->disk_file = string_copy("");
	m->cmdline = string_copy("");
	m->firmware_package = string_copy("");
	m->firmware_version = string_copy("");
	return m;
}

struct manifest_secure_boot *manifest_secure_boot_new(void)
{
	return memory_new(sizeof(struct manifest_secure_boot));
}

static void secure_boot_free(struct manifest_secure_boot *s)
{
	if (!s)
		return;
	for (int i = 0; i < SECURE_VARIABLES; i++)
		free(s->variables[i].certificates);
	pcr_log_free(&s->events);
	free(s);
}

void manifest_free(struct manifest *m)
{
	if (!m)
		return;
	free(m->name);
	free(m->version);
	free(m->arch);
	free(m->disk_file);
	free(m->cmdline);
	free(m->firmware_package);
	free(m->firmware_version);
	for (size_t i = 0; i < m->partition_count; i++) {
		free(m->partitions[i].label);
		free(m->partitions[i].type);
		free(m->partitions[i].id);
	}
	free(m->partitions);
	declared_clear(&m->declared);
	pcr_log_free(&m->events);
	secure_boot_free(m->secure_boot);
	uploads_clear(&m->uploads);
	free(m);
}

void manifest_freep(struct manifest **m)
{
	manifest_free(*m);
}

/* ---------------------------------------------------------------- reading */

static int read_string(const struct json_node *object, const char *key, char **field,
		       struct error *err)
{
	char *text;
	int r = json_get_string(object, key, &text, err);

	if (r < 0)
		return r;
	free(*field);
	*field = text;
	return 0;
}

static int read_number(const struct json_node *object, const char *key, unsigned int min,
		       unsigned int max, unsigned int *ret, struct error *err)
{
	uint64_t number = 0;
	int r = json_get_number(object, key, min, max, &number, err);

	if (r == 0)
		*ret = (unsigned int)number;
	return r;
}

static int read_image(const struct json_node *root, struct manifest *m, struct error *err)
{
	uint64_t epoch = 0;
	int r = read_string(root, "name", &m->name, err);

	if (r == 0)
		r = read_string(root, "version", &m->version, err);
	if (r == 0)
		r = read_string(root, "arch", &m->arch, err);
	if (r == 0)
		r = json_get_number(root, "epoch", 0, INT64_MAX, &epoch, err);
	if (r == 0)
		r = json_get_hex(root, "lock_sha256", 32, m->lock_sha256, err);
	if (r == 0)
		r = read_number(root, "service_port", 1, 65535, &m->service_port, err);
	if (r == 0)
		r = json_get_hex(root, "root_hash", 32, m->root_hash, err);
	m->epoch = (int64_t)epoch;
	return r;
}

static int read_disk(const struct json_node *root, struct manifest *m, struct error *err)
{
	static const char *const keys[] = { "file", "size", "data_sha256", NULL };
	struct json_node node;
	int r = json_get_object(root, "disk", &node, err);

	if (r == 0)
		r = json_check_keys(&node, keys, err);
	if (r == 0)
		r = read_string(&node, "file", &m->disk_file, err);
	/* It lies beside the manifest, wherever that is. */
	if (r == 0 && (*m->disk_file == '\0' || *m->disk_file == '.' || strchr(m->disk_file, '/')))
		r = json_complain(&node, "file", err, "must be a file name");
	if (r == 0)
		r = json_get_number(&node, "size", 1, INT64_MAX, &m->disk_size, err);
	if (r == 0)
		r = json_get_hex(&node, "data_sha256", 32, m->disk_data_sha256, err);
	return r;
}

static int read_uki(const struct json_node *root, struct manifest *m, struct error *err)
{
	static const char *const keys[] = { "size", "sha256", "stub_version", "cmdline", NULL };
	struct json_node node;
	int r = json_get_object(root, "uki", &node, err);

	if (r == 0)
		r = json_check_keys(&node, keys, err);
	if (r == 0)
		r = json_get_number(&node, "size", 1, INT64_MAX, &m->uki_size, err);
	if (r == 0)
		r = json_get_hex(&node, "sha256", 32, m->uki_sha256, err);
	if (r == 0)
		r = read_number(&node, "stub_version", 1, 99999, &m->stub_version, err);
	if (r == 0)
		r = read_string(&node, "cmdline", &m->cmdline, err);
	return r;
}

static int read_firmware(const struct json_node *root, struct manifest *m, struct error *err)
{
	static const char *const keys[] = { "package", "version", "sha256", NULL };
	struct json_node node;
	int r = json_get_object(root, "firmware", &node, err);

	if (r == 0)
		r = json_check_keys(&node, keys, err);
	if (r == 0)
		r = read_string(&node, "package", &m->firmware_package, err);
	if (r == 0)
		r = read_string(&node, "version", &m->firmware_version, err);
	if (r == 0)
		r = json_get_hex(&node, "sha256", 32, m->firmware_sha256, err);
	return r;
}

static int read_guid(const struct json_node *item, const char *key, char **ret, struct error *err)
{
	uint8_t guid[16];
	int r = json_get_string(item, key, ret, err);

	if (r == 0 && guid_parse(*ret, guid) < 0)
		r = json_complain(item, key, err, "must be a GUID");
	return r;
}

static int read_partition(const struct json_node *item, uint64_t disk_size,
			  struct manifest_partition *ret, struct error *err)
{
	static const char *const keys[] = { "number", "label", "type", "id", "offset", "size",
					    "data_sha256", NULL };
	int r = json_check_keys(item, keys, err);

	if (r == 0)
		r = read_number(item, "number", 1, 128, &ret->number, err);
	if (r == 0)
		r = json_get_string(item, "label", &ret->label, err);
	if (r == 0)
		r = read_guid(item, "type", &ret->type, err);
	if (r == 0)
		r = read_guid(item, "id", &ret->id, err);
	if (r == 0)
		r = json_get_number(item, "offset", 0, INT64_MAX, &ret->offset, err);
	if (r == 0)
		r = json_get_number(item, "size", 1, INT64_MAX, &ret->size, err);
	if (r == 0 && !range_fits(ret->offset, ret->size, disk_size))
		r = json_complain(item, "size", err, "reaches beyond the disk");
	if (r == 0)
		r = json_get_hex(item, "data_sha256", 32, ret->data_sha256, err);
	return r;
}

static int read_partitions(const struct json_node *root, struct manifest *m, struct error *err)
{
	struct json_node array, item;
	size_t count = 0;
	int r = json_get_array(root, "partitions", &array, &count, err);

	for (size_t i = 0; i < count && r == 0; i++) {
		struct manifest_partition *partition;

		r = json_get_item(&array, i, &item, err);
		if (r < 0)
			break;
		partition = memory_append(&m->partitions, i, sizeof(*partition));
		m->partition_count++;
		r = read_partition(&item, m->disk_size, partition, err);
		if (r == 0 && i > 0 && partition->number <= m->partitions[i - 1].number)
			r = json_complain(&item, "number", err, "must be above that of the one before");
	}
	return r;
}

static int read_digest(const struct json_node *object, enum digest_alg alg, struct digest *ret,
		       struct error *err)
{
	char hex[2 * DIGEST_MAX + 1];
	int r = json_get_hex(object, digest_name(alg), digest_size(alg), hex, err);

	if (r < 0)
		return r;
	*ret = (struct digest){ .alg = alg };
	return hex_decode(hex, ret->bytes, digest_size(alg));
}

static int read_event(const struct json_node *item, struct pcr_event *ret, struct error *err)
{
	static const char *const keys[] = { "pcr", "type", "label", "sha384", "sha256", NULL };
	CLEANUP_FREE char *label = NULL;
	int r = json_check_keys(item, keys, err);

	if (r == 0)
		r = read_number(item, "pcr", 0, PCR_COUNT - 1, &ret->pcr, err);
	if (r == 0)
		r = read_number(item, "type", 0, UINT32_MAX, &ret->type, err);
	if (r == 0)
		r = json_get_string(item, "label", &label, err);
	if (r == 0 && (*label == '\0' || strlen(label) >= sizeof(ret->label)))
		r = json_complain(item, "label", err, "must have 1 to %zu bytes",
				  sizeof(ret->label) - 1);
	for (size_t i = 0; i < DIGEST_ALGS && r == 0; i++)
		r = read_digest(item, manifest_banks[i], &ret->digests[manifest_banks[i]], err);
	if (r == 0)
		memcpy(ret->label, label, strlen(label) + 1);
	return r;
}

static int read_events(const struct json_node *root, uint32_t mask, struct pcr_log *ret, struct error *err)
{
	struct json_node array, item;
	size_t count = 0;
	int r = json_get_array(root, "events", &array, &count, err);

	for (size_t i = 0; i < count && r == 0; i++) {
		struct pcr_event event = { .pcr = 0 };

		r = json_get_item(&array, i, &item, err);
		if (r == 0)
			r = read_event(&item, &event, err);
		/* An event that no value speaks for would never be compared with anything. */
		if (r == 0 && !(mask & 1u << event.pcr))
			r = json_complain(&item, "pcr", err, "is %u, which pcrs does not have", event.pcr);
		if (r == 0)
			pcr_log_add(ret, &event);
	}
	return r;
}

/* Keys are "0" to "23"; the last entry stays NULL. */
struct pcr_keys {
	char text[PCR_COUNT][4];
	const char *list[PCR_COUNT + 1];
};

static void make_pcr_keys(struct pcr_keys *keys)
{
	memset(keys, 0, sizeof(*keys));
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++) {
		snprintf(keys->text[pcr], sizeof(keys->text[pcr]), "%u", pcr);
		keys->list[pcr] = keys->text[pcr];
	}
}

static int read_mask(const struct json_node *pcrs, const struct pcr_keys *keys, uint32_t *ret, struct error *err)
{
	int r = json_check_keys(pcrs, keys->list, err);

	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		if (json_has(pcrs, keys->list[pcr]))
			*ret |= 1u << pcr;
	return r;
}

static int check_pcr(const struct json_node *pcrs, const char *key, unsigned int pcr,
		     const struct pcr_log *events, struct error *err)
{
	static const char *const keys[] = { "sha384", "sha256", NULL };
	struct json_node node;
	struct digest given = { .alg = DIGEST_SHA384 }, replayed;
	int r = json_get_object(pcrs, key, &node, err);

	if (r == 0)
		r = json_check_keys(&node, keys, err);
	for (size_t i = 0; i < DIGEST_ALGS && r == 0; i++) {
		r = read_digest(&node, manifest_banks[i], &given, err);
		pcr_replay(events, pcr, manifest_banks[i], &replayed);
		if (r == 0 && !digest_equal(&given, &replayed))
			r = error_input(err, "%s: PCR %u (%s) does not follow from its events",
					pcrs->file, pcr, digest_name(manifest_banks[i]));
	}
	return r;
}

static int read_measurements(const struct json_node *root, uint32_t *ret_mask, struct pcr_log *ret, struct error *err)
{
	struct pcr_keys keys;
	struct json_node pcrs;
	int r = json_get_object(root, "pcrs", &pcrs, err);

	make_pcr_keys(&keys);
	if (r == 0)
		r = read_mask(&pcrs, &keys, ret_mask, err);
	if (r == 0)
		r = read_events(root, *ret_mask, ret, err);
	for (unsigned int pcr = 0; pcr < PCR_COUNT && r == 0; pcr++)
		if (*ret_mask & 1u << pcr)
			r = check_pcr(&pcrs, keys.list[pcr], pcr, ret, err);
	return r;
}

/* ---------------------------------------------------------------- Secure Boot */

static int read_variable(const struct json_node *variables, const char *name, struct manifest_variable *ret,
			 struct error *err)
{
	static const char *const keys[] = { "sha256", "certificates", NULL }, *const item_keys[] = { "sha256", NULL };
	struct json_node node, array, item;
	size_t count = 0;
	int r = json_get_object(variables, name, &node, err);

	if (r == 0)
		r = json_check_keys(&node, keys, err);
	if (r == 0)
		r = json_get_hex(&node, "sha256", 32, ret->sha256, err);
	if (r == 0)
		r = json_get_array(&node, "certificates", &array, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = json_get_item(&array, i, &item, err);
		if (r == 0)
			r = json_check_keys(&item, item_keys, err);
		if (r < 0)
			break;
		(void)memory_append(&ret->certificates, i, sizeof(*ret->certificates));
		ret->certificate_count++;
		r = json_get_hex(&item, "sha256", 32, ret->certificates[i], err);
	}
	return r;
}

static int read_variables(const struct json_node *object, struct manifest_secure_boot *s, struct error *err)
{
	static const char *const keys[] = { "PK", "KEK", "db", "dbx", NULL };
	struct json_node variables;
	int r = json_get_object(object, "variables", &variables, err);

	if (r == 0)
		r = json_check_keys(&variables, keys, err);
	for (int i = 0; r == 0 && i < SECURE_VARIABLES; i++)
		r = read_variable(&variables, secure_variables[i].name, &s->variables[i], err);
	return r;
}

static int read_signature(const struct json_node *object, struct manifest_secure_boot *s, struct error *err)
{
	CLEANUP_FREE char *text = NULL;
	int r = json_get_string(object, "signature", &text, err);

	if (r < 0)
		return r;
	s->pending = strcmp(text, "pending") == 0;
	if (!s->pending && strcmp(text, "made") != 0)
		return json_complain(object, "signature", err, "must be \"made\" or \"pending\"");
	return json_get_hex(object, "signer", 32, s->signer, err);
}

static int read_secure_boot(const struct json_node *root, struct manifest *m, struct error *err)
{
	static const char *const keys[] = { "signature", "signer", "variables", "pcrs", "events", NULL };
	struct json_node object;
	int r;

	if (!json_has(root, "secure_boot"))
		return 0;
	r = json_get_object(root, "secure_boot", &object, err);
	if (r == 0)
		r = json_check_keys(&object, keys, err);
	if (r < 0)
		return r;
	m->secure_boot = manifest_secure_boot_new();
	r = read_signature(&object, m->secure_boot, err);
	if (r == 0)
		r = read_variables(&object, m->secure_boot, err);
	if (r == 0)
		r = read_measurements(&object, &m->secure_boot->pcr_mask, &m->secure_boot->events, err);
	return r;
}

static int read_root(const struct json_node *root, struct manifest *m, struct error *err)
{
	static const char *const keys[] = { "schema", "name", "version", "arch", "epoch",
					    "lock_sha256", "service_port", "declared", "root_hash", "disk",
					    "uki", "firmware", "partitions", "pcrs", "events",
					    "secure_boot", "uploads", NULL };
	/* Older ones do not say what the description declares. */
	int r = json_check_schema(root, MANIFEST_SCHEMA, "build the image again", err);

	if (r == 0)
		r = json_check_keys(root, keys, err);
	if (r == 0)
		r = read_image(root, m, err);
	if (r == 0)
		r = declared_read(root, &m->declared, err);
	if (r == 0)
		r = read_disk(root, m, err);
	if (r == 0)
		r = read_uki(root, m, err);
	if (r == 0)
		r = read_firmware(root, m, err);
	if (r == 0)
		r = read_partitions(root, m, err);
	if (r == 0)
		r = read_measurements(root, &m->pcr_mask, &m->events, err);
	if (r == 0)
		r = read_secure_boot(root, m, err);
	if (r == 0)
		r = uploads_read(root, &m->uploads, err);
	return r;
}

int manifest_parse(const void *json, size_t size, const char *file, struct manifest **ret,
		   struct error *err)
{
	CLEANUP_MANIFEST struct manifest *m = manifest_new();
	CLEANUP_JSON struct json_node root = { .value = NULL };
	int r = json_open(json, size, file, &root, err);

	if (r == 0)
		r = read_root(&root, m, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(m);
	return 0;
}

int manifest_read(const char *path, struct manifest **ret, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_SIZE_MAX);
	int r = io_read_file(path, JSON_SIZE_MAX, &text, err);

	return r < 0 ? r : manifest_parse(text.data, text.len, path, ret, err);
}
