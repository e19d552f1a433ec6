/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "../keys/keyring.h"
#include "../keys/sign.h"
#include "base/arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "commands.h"
#include "model/bootfile.h"
#include "sign_disk.h"

#define SIGNATURE_MAX 4096

struct request {
	const char *keys, *attach, *output;
	bool pending;
	struct buf signature;		/* what --attach names */
};

/* ---------------------------------------------------------------- a PE image */

static int write_pending(const struct keyring *k, const struct request *q, const struct buf *image, struct error *err)
{
	CLEANUP_FREE char *path = string_printf("%s.to-be-signed", q->output);
	CLEANUP_BUF struct buf request = BUF_INIT(SIZE_MAX);
	int r = sign_request(k, image->data, image->len, &request, err);

	return r < 0 ? r : io_write_file(path, request.data, request.len, 0644, err);
}

static int sign_file(const struct keyring *k, const struct bootfile *b, const struct request *q, struct error *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(SIZE_MAX);
	int r;

	if (!q->output)
		return error_input(err, "%s is a PE image: say with -o where the signed one goes", b->path);
	if (q->pending)
		r = sign_prepare(k, b->image, b->image_size, &out, err);
	else if (q->attach)
		r = sign_attach(k, b->image, b->image_size, q->signature.data, q->signature.len, &out, err);
	else
		r = sign_image(k, b->image, b->image_size, &out, err);
	if (r < 0)
		return error_wrap(err, "%s", b->path);
	r = io_write_file(q->output, out.data, out.len, 0644, err);
	if (r == 0 && q->pending)
		r = write_pending(k, q, &out, err);
	if (r == 0)
		printf("%s\n", q->output);
	return r;
}

/* ---------------------------------------------------------------- either */

static int sign_one(const struct keyring *k, const char *path, const struct request *q, struct error *err)
{
	CLEANUP_BOOTFILE struct bootfile *b = NULL;
	int r = bootfile_open(path, &b, err);

	if (r < 0)
		return r;
	if (!b->disk)
		return sign_file(k, b, q, err);
	if (q->output || q->pending)
		return error_input(err, "%s is a disk: it is signed in place, and prepared for that by \"kiln build --unsigned\"",
				   path);
	r = sign_disk(path, k, q->attach ? &q->signature : NULL, err);
	if (r == 0)
		printf("%s\n", path);
	return r;
}

static int check_use(const struct operands *operands, const struct request *q, struct error *err)
{
	if (!q->keys)
		return error_input(err, "kiln sign: --keys is missing: it names the keyring");
	if (q->attach && q->pending)
		return error_input(err, "kiln sign: --attach and --unsigned are opposites");
	if (operands->count > 1 && (q->attach || q->output))
		return error_input(err, "kiln sign: --attach and -o go with one file");
	return 0;
}

static int sign_all(const struct operands *operands, const struct request *q, struct error *err)
{
	CLEANUP_KEYRING struct keyring *k = NULL;
	int r = keyring_open(q->keys, &k, err);

	for (unsigned int i = 0; r == 0 && i < operands->count; i++)
		r = sign_one(k, operands->items[i], q, err);
	return r;
}

static int sign(int argc, char **argv, struct error *err)
{
	struct request q = { .signature = BUF_INIT(SIGNATURE_MAX) };
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "keys", .kind = ARGUMENT_TEXT, .target = &q.keys },
		{ .name = "attach", .kind = ARGUMENT_TEXT, .target = &q.attach },
		{ .name = "unsigned", .kind = ARGUMENT_FLAG, .target = &q.pending },
		{ .name = "output", .letter = 'o', .kind = ARGUMENT_TEXT, .target = &q.output },
		{ .name = NULL },
	};

	r = arguments_parse(&command_sign, table, argc, argv, "UKI or disk", 1, UINT16_MAX, &operands, err);
	if (r == 0)
		r = check_use(&operands, &q, err);
	if (r == 0 && q.attach && !io_exists(q.attach))
		r = error_input(err, "--attach %s: there is no such file", q.attach);
	if (r == 0 && q.attach)
		r = io_read_file(q.attach, SIGNATURE_MAX, &q.signature, err);
	if (r == 0)
		r = sign_all(&operands, &q, err);
	buf_free(&q.signature);
	return r;
}

const struct command command_sign = {
	.name = "sign",
	.run = sign,
	.summary = "sign a UKI, or finish a disk that was built with --unsigned",
	.usage = "FILE|DISK... --keys KEYRING [--attach SIGNATURE | --unsigned] [-o OUT]",
	.help =
		"Signs with the keyring's first db key. The same key and the same bytes give the same signature; only\n"
		"P-256 keys behind PKCS#11 sign otherwise each time.\n"
		"\n"
		"    FILE               a PE image; -o says where the signed one goes\n"
		"    DISK               a disk of \"kiln build --keys KEYRING --unsigned\": the signature is put in, and\n"
		"                       manifest.json beside it says so; both are then what a build with the key gives\n"
		"    --attach SIGNATURE puts in a signature that was made elsewhere, of DISK's to-be-signed or of\n"
		"                       FILE's OUT.to-be-signed: raw RSA (PKCS#1 v1.5, SHA-256) or ECDSA in DER, as\n"
		"                       \"openssl dgst -sha256 -sign\" writes it. The keyring needs no private key\n"
		"    --unsigned         prepares FILE in OUT, and writes OUT.to-be-signed\n"
		"    -o, --output OUT   where the signed image goes\n",
};
