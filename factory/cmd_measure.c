/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "commands.h"
#include "format/predict.h"
#include "model/bootfile.h"
#include "model/manifest.h"

#define IMAGES_MAX 8
#define JSON_MAX (64 * 1024)

/* The files of one invocation: one disk, or images in the order they are loaded. */
struct subject {
	struct bootfile *files[IMAGES_MAX];
	const uint8_t *images[IMAGES_MAX];
	size_t sizes[IMAGES_MAX];
	unsigned int count;
};

static void subject_clear(struct subject *s)
{
	for (unsigned int i = 0; i < s->count; i++)
		bootfile_free(s->files[i]);
}
#define CLEANUP_SUBJECT __attribute__((cleanup(subject_clear)))

enum { PK, KEK, DB, DBX, KEYS };

/* Signature lists as given on the command line. */
struct key_files {
	const char *paths[KEYS];
	struct io_map maps[KEYS];
};

static void key_files_clear(struct key_files *k)
{
	for (int i = 0; i < KEYS; i++)
		io_unmap(&k->maps[i]);
}
#define CLEANUP_KEY_FILES __attribute__((cleanup(key_files_clear)))

static int open_files(const struct operands *operands, struct subject *s, struct error *err)
{
	for (unsigned int i = 0; i < operands->count; i++) {
		int r = bootfile_open(operands->items[i], &s->files[i], err);

		if (r < 0)
			return r;
		s->count++;
		s->images[i] = s->files[i]->image;
		s->sizes[i] = s->files[i]->image_size;
		if (s->files[i]->disk && operands->count > 1)
			return error_input(err, "%s is a disk; several files must all be PE images, in load order",
					   operands->items[i]);
	}
	return 0;
}

static int open_keys(struct key_files *k, struct error *err)
{
	static const char *const names[] = { "PK", "KEK", "db", "dbx" };

	for (int i = 0; i < KEYS; i++) {
		int r;

		if (!k->paths[i])
			continue;
		if (!io_exists(k->paths[i]))
			return error_input(err, "--%s %s: there is no such file", names[i], k->paths[i]);
		r = io_map_file(k->paths[i], &k->maps[i], err);
		if (r < 0)
			return error_wrap(err, "--%s", names[i]);
	}
	if (!k->paths[PK] && (k->paths[KEK] || k->paths[DB] || k->paths[DBX]))
		return error_input(err, "kiln measure: without --PK Secure Boot is off, and the other keys say nothing");
	return 0;
}

static int predict(const struct subject *s, const struct key_files *k, struct pcr_log *log,
		   uint32_t *ret_mask, struct error *err)
{
	const struct predict_keys keys = {
		.pk = k->maps[PK].data, .pk_size = k->maps[PK].size,
		.kek = k->maps[KEK].data, .kek_size = k->maps[KEK].size,
		.db = k->maps[DB].data, .db_size = k->maps[DB].size,
		.dbx = k->maps[DBX].data, .dbx_size = k->maps[DBX].size,
	};
	const struct bootfile *first = s->files[0];
	const struct predict_input input = {
		.images = s->images,
		.image_sizes = s->sizes,
		.image_count = s->count,
		.keys = k->paths[PK] ? &keys : NULL,
		.gpt_event = first->disk ? first->gpt_event : NULL,
		.gpt_event_size = first->disk ? first->gpt_event_size : 0,
	};

	*ret_mask = predict_pcr_mask(&input);
	return predict_boot(&input, log, err);
}

static void print_table(const struct pcr_log *log, uint32_t mask)
{
	static const enum digest_alg banks[] = { DIGEST_SHA384, DIGEST_SHA256 };
	char hex[2 * DIGEST_MAX + 1];
	struct digest value;

	printf("PCR  bank    value\n");
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++) {
		for (size_t i = 0; i < ARRAY_SIZE(banks) && (mask >> pcr & 1); i++) {
			pcr_replay(log, pcr, banks[i], &value);
			digest_hex(&value, hex);
			printf("%3u  %-6s  %s\n", pcr, digest_name(banks[i]), hex);
		}
	}
	printf("\nPCR  type        event\n");
	for (size_t i = 0; i < log->count; i++) {
		const struct pcr_event *e = &log->events[i];

		digest_hex(&e->digests[DIGEST_SHA384], hex);
		printf("%3u  0x%08x  %s\n                 %s\n", e->pcr, e->type, e->label, hex);
	}
}

static int print_json(const struct pcr_log *log, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_MAX);
	int r = measurements_format(log, &text, err);

	if (r == 0)
		fputs(buf_text(&text), stdout);
	return r;
}

static int measure(int argc, char **argv, struct error *err)
{
	CLEANUP_KEY_FILES struct key_files keys = { .paths = { NULL } };
	CLEANUP_SUBJECT struct subject subject = { .count = 0 };
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct operands operands;
	bool json = false;
	uint32_t mask = 0;
	int r;

	const struct argument table[] = {
		{ .name = "json", .kind = ARGUMENT_FLAG, .target = &json },
		{ .name = "PK", .kind = ARGUMENT_TEXT, .target = &keys.paths[PK] },
		{ .name = "KEK", .kind = ARGUMENT_TEXT, .target = &keys.paths[KEK] },
		{ .name = "db", .kind = ARGUMENT_TEXT, .target = &keys.paths[DB] },
		{ .name = "dbx", .kind = ARGUMENT_TEXT, .target = &keys.paths[DBX] },
		{ .name = NULL },
	};

	r = arguments_parse(&command_measure, table, argc, argv, "UKI or disk", 1, IMAGES_MAX,
			    &operands, err);
	if (r == 0)
		r = open_keys(&keys, err);
	if (r == 0)
		r = open_files(&operands, &subject, err);
	if (r == 0)
		r = predict(&subject, &keys, &log, &mask, err);
	if (r < 0)
		return r;
	if (json)
		return print_json(&log, err);
	print_table(&log, mask);
	return 0;
}

const struct command command_measure = {
	.name = "measure",
	.run = measure,
	.summary = "predict the PCRs of a UKI or of a whole disk",
	.usage = "FILE... [--json] [--PK FILE [--KEK FILE] [--db FILE] [--dbx FILE]]",
	.help =
		"FILE is a raw disk, whose boot file is taken out of its ESP, or PE images in the order in which\n"
		"firmware loads them. Prints each predicted PCR and the events that lead to it.\n"
		"\n"
		"    --json         PCR 4, 7 and 12 (SHA-384) exactly as nitro-tpm-pcr-compute prints them\n"
		"    --PK FILE      the platform key's EFI signature list; Secure Boot is then on\n"
		"    --KEK, --db, --dbx FILE   the other variables' signature lists\n",
};
