/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include <stdio.h>

#include "../base/error.h"
#include "json.h"

static void put_disk(struct json_t *root, const struct manifest *m)
{
	struct json_t *o = json_put_object(root, "disk");

	json_put_string(o, "file", m->disk_file);
	json_put_number(o, "size", m->disk_size);
	json_put_string(o, "data_sha256", m->disk_data_sha256);
}

static void put_uki(struct json_t *root, const struct manifest *m)
{
	struct json_t *o = json_put_object(root, "uki");

	json_put_number(o, "size", m->uki_size);
	json_put_string(o, "sha256", m->uki_sha256);
	json_put_number(o, "stub_version", m->stub_version);
	json_put_string(o, "cmdline", m->cmdline);
}

static void put_firmware(struct json_t *root, const struct manifest *m)
{
	struct json_t *o = json_put_object(root, "firmware");

	json_put_string(o, "package", m->firmware_package);
	json_put_string(o, "version", m->firmware_version);
	json_put_string(o, "sha256", m->firmware_sha256);
}

static void put_partitions(struct json_t *root, const struct manifest *m)
{
	struct json_t *array = json_put_array(root, "partitions");

	for (size_t i = 0; i < m->partition_count; i++) {
		const struct manifest_partition *p = &m->partitions[i];
		struct json_t *o = json_put_object(array, NULL);

		json_put_number(o, "number", p->number);
		json_put_string(o, "label", p->label);
		json_put_string(o, "type", p->type);
		json_put_string(o, "id", p->id);
		json_put_number(o, "offset", p->offset);
		json_put_number(o, "size", p->size);
		json_put_string(o, "data_sha256", p->data_sha256);
	}
}

static void put_pcrs(struct json_t *root, uint32_t mask, const struct pcr_log *events)
{
	struct json_t *pcrs = json_put_object(root, "pcrs"), *o;
	struct digest value;
	char key[12];

	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++) {
		if (!(mask & 1u << pcr))
			continue;
		snprintf(key, sizeof(key), "%u", pcr);
		o = json_put_object(pcrs, key);
		for (size_t i = 0; i < DIGEST_ALGS; i++) {
			pcr_replay(events, pcr, manifest_banks[i], &value);
			json_put_digest(o, digest_name(value.alg), &value);
		}
	}
}

static void put_events(struct json_t *root, const struct pcr_log *events)
{
	struct json_t *array = json_put_array(root, "events");

	for (size_t i = 0; i < events->count; i++) {
		const struct pcr_event *e = &events->events[i];
		struct json_t *o = json_put_object(array, NULL);

		json_put_number(o, "pcr", e->pcr);
		json_put_number(o, "type", e->type);
		json_put_string(o, "label", e->label);
		for (size_t k = 0; k < DIGEST_ALGS; k++)
			json_put_digest(o, digest_name(manifest_banks[k]),
					&e->digests[manifest_banks[k]]);
	}
}

static void put_variable(struct json_t *variables, const char *name, const struct manifest_variable *v)
{
	struct json_t *o = json_put_object(variables, name), *array, *item;

	json_put_string(o, "sha256", v->sha256);
	array = json_put_array(o, "certificates");
	for (size_t i = 0; i < v->certificate_count; i++) {
		item = json_put_object(array, NULL);
		json_put_string(item, "sha256", v->certificates[i]);
	}
}

static void put_secure_boot(struct json_t *root, const struct manifest_secure_boot *s)
{
	struct json_t *o = json_put_object(root, "secure_boot"), *variables;

	json_put_string(o, "signature", s->pending ? "pending" : "made");
	json_put_string(o, "signer", s->signer);
	variables = json_put_object(o, "variables");
	for (int i = 0; i < SECURE_VARIABLES; i++)
		put_variable(variables, secure_variables[i].name, &s->variables[i]);
	put_pcrs(o, s->pcr_mask, &s->events);
	put_events(o, &s->events);
}

int manifest_format(const struct manifest *m, struct buf *ret, struct error *err)
{
	struct json_t *root = json_new();
	int r;

	json_put_number(root, "schema", MANIFEST_SCHEMA);
	json_put_string(root, "name", m->name);
	json_put_string(root, "version", m->version);
	json_put_string(root, "arch", m->arch);
	json_put_number(root, "epoch", (uint64_t)m->epoch);
	json_put_string(root, "lock_sha256", m->lock_sha256);
	json_put_number(root, "service_port", m->service_port);
	declared_write(root, &m->declared);
	json_put_string(root, "root_hash", m->root_hash);
	put_disk(root, m);
	put_uki(root, m);
	put_firmware(root, m);
	put_partitions(root, m);
	put_pcrs(root, m->pcr_mask, &m->events);
	put_events(root, &m->events);
	if (m->secure_boot)
		put_secure_boot(root, m->secure_boot);
	uploads_write(root, &m->uploads);
	r = json_finish(root, false, ret);
	return r < 0 ? error_system(err, r, "manifest.json: cannot make its text") : 0;
}

int measurements_format(const struct pcr_log *log, struct buf *ret, struct error *err)
{
	static const unsigned int pcrs[] = { 4, 7, 12 };
	char hex[3][2 * DIGEST_MAX + 1];
	struct digest value;
	int r;

	for (int i = 0; i < 3; i++) {
		pcr_replay(log, pcrs[i], DIGEST_SHA384, &value);
		digest_hex(&value, hex[i]);
	}
	/* Byte for byte what the tool prints, hence no JSON library in between. */
	r = buf_printf(ret,
		       "{\n"
		       "  \"Measurements\": {\n"
		       "    \"HashAlgorithm\": \"SHA384\",\n"
		       "    \"PCR4\": \"%s\",\n"
		       "    \"PCR7\": \"%s\",\n"
		       "    \"PCR12\": \"%s\"\n"
		       "  }\n"
		       "}\n",
		       hex[0], hex[1], hex[2]);
	return r < 0 ? error_system(err, r, "pcr_measurements.json: cannot make its text") : 0;
}
