/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../keys/export.h"
#include "../keys/keyring.h"
#include "../keys/keyring_make.h"
#include "base/arguments.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/log.h"
#include "commands.h"
#include "epoch.h"
#include "format/esl.h"
#include "format/uefi_data.h"

#define UEFI_DATA_FILE_MAX (UEFI_DATA_TEXT_MAX * 2)

static const struct command verb_new, verb_show, verb_rotate, verb_export;

/* ---------------------------------------------------------------- new, rotate */

static int take_type(const char *type, bool *ret, struct error *err)
{
	*ret = type && strcmp(type, "p256") == 0;
	if (type && !*ret && strcmp(type, "rsa2048") != 0)
		return error_input(err, "--type is rsa2048 or p256, not \"%s\"", type);
	if (*ret)
		log_warning("Debian's OVMF (EDK2 2025.02) refuses images that a P-256 key has signed, and on EC2 nobody has tried; rsa2048 is taken everywhere");
	return 0;
}

static int new(int argc, char **argv, struct error *err)
{
	struct keyring_new options = { .name = "Kiln" };
	struct operands operands;
	const char *type = NULL;
	int r;

	const struct argument table[] = {
		{ .name = "type", .kind = ARGUMENT_TEXT, .target = &type },
		{ .name = "name", .kind = ARGUMENT_TEXT, .target = &options.name },
		{ .name = "days", .kind = ARGUMENT_NUMBER, .target = &options.days, .least = 1,
		  .most = KEYRING_DAYS_MAX },
		{ .name = "PK", .kind = ARGUMENT_TEXT, .target = &options.uris[SECURE_PK] },
		{ .name = "KEK", .kind = ARGUMENT_TEXT, .target = &options.uris[SECURE_KEK] },
		{ .name = "db", .kind = ARGUMENT_TEXT, .target = &options.uris[SECURE_DB] },
		{ .name = NULL },
	};

	r = arguments_parse(&verb_new, table, argc, argv, "directory", 1, 1, &operands, err);
	if (r == 0)
		r = take_type(type, &options.ecdsa, err);
	if (r == 0)
		r = epoch_now(&options.begin, err);
	if (r == 0)
		r = keyring_new(operands.items[0], &options, err);
	if (r == 0)
		printf("%s\n", operands.items[0]);
	return r;
}

static int rotate(int argc, char **argv, struct error *err)
{
	struct keyring_new options = { .name = "Kiln" };
	bool finish = false, revoke = false;
	struct operands operands;
	const char *type = NULL;
	int r;

	const struct argument table[] = {
		{ .name = "type", .kind = ARGUMENT_TEXT, .target = &type },
		{ .name = "name", .kind = ARGUMENT_TEXT, .target = &options.name },
		{ .name = "days", .kind = ARGUMENT_NUMBER, .target = &options.days, .least = 1,
		  .most = KEYRING_DAYS_MAX },
		{ .name = "db", .kind = ARGUMENT_TEXT, .target = &options.uris[SECURE_DB] },
		{ .name = "finish", .kind = ARGUMENT_FLAG, .target = &finish },
		{ .name = "revoke", .kind = ARGUMENT_FLAG, .target = &revoke },
		{ .name = NULL },
	};

	r = arguments_parse(&verb_rotate, table, argc, argv, "keyring", 1, 1, &operands, err);
	if (r == 0 && revoke && !finish)
		r = error_input(err, "kiln keys rotate: --revoke goes with --finish");
	if (r == 0)
		r = take_type(type, &options.ecdsa, err);
	if (r == 0)
		r = epoch_now(&options.begin, err);
	if (r < 0)
		return r;
	if (finish)
		return keyring_finish(operands.items[0], revoke, err);
	return keyring_rotate(operands.items[0], &options, err);
}

/* ---------------------------------------------------------------- show */

static int show_keyring(const char *directory, struct error *err)
{
	CLEANUP_KEYRING struct keyring *k = NULL;
	char owner[GUID_TEXT_SIZE];
	int r = keyring_open(directory, &k, err);

	if (r < 0)
		return r;
	guid_format(k->owner, owner);
	printf("owner  %s\n", owner);
	for (size_t i = 0; i < k->count; i++) {
		const struct keyring_entry *e = &k->entries[i];

		printf("%-5s  %s  %s\n       %s, until %s\n       %s%s\n", secure_variables[e->role].name, e->sha256,
		       e->certificate_file, e->subject, e->not_after,
		       strcmp(e->key, KEYRING_NO_KEY) ? "key " : "the private key is elsewhere",
		       strcmp(e->key, KEYRING_NO_KEY) ? e->key : "");
	}
	if (k->dbx.len > 0)
		printf("dbx    and a signature list of %zu bytes\n", k->dbx.len);
	return 0;
}

static int show_entry(const struct esl_entry *e, void *arg)
{
	char type[GUID_TEXT_SIZE], hex[2 * DIGEST_MAX + 1];
	struct digest digest;

	(void)arg;
	guid_format(e->type, type);
	digest_of(DIGEST_SHA256, e->data, e->size, &digest);
	digest_hex(&digest, hex);
	printf("    %s  %zu bytes, SHA-256 %s\n",
	       memcmp(e->type, esl_guid_x509, sizeof(e->type)) == 0 ? "X.509 certificate" : type, e->size, hex);
	return 0;
}

static int show_uefi_data(const char *path, struct error *err)
{
	CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(UEFI_DATA_FILE_MAX);
	int r = io_read_file(path, UEFI_DATA_FILE_MAX, &text, err);

	if (r == 0) {
		r = uefi_data_parse(buf_text(&text), text.len, &u, err);
		if (r < 0)
			return error_wrap(err, "%s", path);
	}
	for (size_t i = 0; r == 0 && i < u.count; i++) {
		const struct uefi_data_variable *v = &u.items[i];
		struct error ignored = ERROR_INIT;
		char vendor[GUID_TEXT_SIZE];

		guid_format(v->vendor, vendor);
		printf("%s %s, attributes 0x%02x, %zu bytes\n", v->name, vendor, v->attributes, v->value.len);
		/* Not every variable is of signature lists. */
		if (v->attributes == SECURE_VARIABLE_ATTRIBUTES)
			(void)esl_walk(v->value.data, v->value.len, show_entry, NULL, &ignored);
	}
	return r;
}

static int show(int argc, char **argv, struct error *err)
{
	static const struct argument table[] = { { .name = NULL } };
	struct operands operands;
	struct stat st;
	int r = arguments_parse(&verb_show, table, argc, argv, "keyring or UefiData file", 1, 1, &operands, err);

	if (r < 0)
		return r;
	if (stat(operands.items[0], &st) == 0 && S_ISREG(st.st_mode))
		return show_uefi_data(operands.items[0], err);
	return show_keyring(operands.items[0], err);
}

/* ---------------------------------------------------------------- export */

static int export(int argc, char **argv, struct error *err)
{
	CLEANUP_KEYRING struct keyring *k = NULL;
	struct operands operands;
	unsigned int given = 0;
	int64_t epoch = 0;
	int r;

	const struct argument table[] = {
		{ .name = "epoch", .kind = ARGUMENT_NUMBER, .target = &given, .least = 1, .most = UINT32_MAX },
		{ .name = NULL },
	};

	r = arguments_parse(&verb_export, table, argc, argv, "keyring or the directory for what it says", 2, 2,
			    &operands, err);
	if (r == 0)
		r = epoch_now(&epoch, err);
	if (r == 0)
		r = keyring_open(operands.items[0], &k, err);
	if (r == 0)
		r = keyring_export(k, operands.items[1], given ? given : epoch, err);
	if (r == 0)
		printf("%s\n", operands.items[1]);
	return r;
}

/* ---------------------------------------------------------------- the verbs */

static const struct command verb_new = {
	.name = "keys new",
	.run = new,
	.usage = "DIR [--type rsa2048|p256] [--name NAME] [--days N] [--PK URI] [--KEK URI] [--db URI]",
};
static const struct command verb_show = {
	.name = "keys show",
	.run = show,
	.usage = "DIR|FILE",
};
static const struct command verb_rotate = {
	.name = "keys rotate",
	.run = rotate,
	.usage = "DIR [--type rsa2048|p256] [--name NAME] [--days N] [--db URI] | DIR --finish [--revoke]",
};
static const struct command verb_export = {
	.name = "keys export",
	.run = export,
	.usage = "DIR OUT [--epoch SECONDS]",
};

static int keys(int argc, char **argv, struct error *err)
{
	static const struct command *const verbs[] = { &verb_new, &verb_show, &verb_rotate, &verb_export };

	if (argc < 2)
		return error_input(err, "kiln keys: the verb is missing; usage: kiln keys %s", command_keys.usage);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i]->name + strlen("keys "), argv[1]) == 0)
			return verbs[i]->run(argc - 1, argv + 1, err);
	return error_input(err, "kiln keys: unknown verb \"%s\"; usage: kiln keys %s", argv[1], command_keys.usage);
}

const struct command command_keys = {
	.name = "keys",
	.run = keys,
	.summary = "make, show, rotate and export the keys of Secure Boot",
	.usage = "new|show|rotate|export ...",
	.help =
		"A keyring is a directory with PK, KEK and db. Private keys never leave it but for a signature.\n"
		"\n"
		"    kiln keys new DIR [--type rsa2048|p256] [--name NAME] [--days N]\n"
		"                      [--PK URI] [--KEK URI] [--db URI]\n"
		"        makes one, or makes certificates for keys that lie behind PKCS#11 (\"pkcs11:...\"; their\n"
		"        PIN comes out of the file that KILN_PIN_FILE or the URI's pin-source names, else from the\n"
		"        terminal). Nothing is ever overwritten.\n"
		"\n"
		"    kiln keys show DIR|FILE\n"
		"        says what is in a keyring, or in a UefiData file.\n"
		"\n"
		"    kiln keys rotate DIR [--type ...] [--name NAME] [--days N] [--db URI]\n"
		"        makes a new db key, which signs from now on; images signed by the old one still start.\n"
		"    kiln keys rotate DIR --finish [--revoke]\n"
		"        takes the old ones out of db; with --revoke it puts them into dbx.\n"
		"\n"
		"    kiln keys export DIR OUT [--epoch SECONDS]\n"
		"        writes signature lists (.esl), signed variable updates (.auth), EC2's UefiData, and in\n"
		"        OUT/public the keyring without its private keys. The updates' time is --epoch, else\n"
		"        SOURCE_DATE_EPOCH, else now.\n",
};
