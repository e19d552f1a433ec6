/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/data_digest.h"
#include "factory/model/bootfile.h"
#include "factory/model/manifest.h"
#include "factory/sign_disk.h"
#include "keys/sign.h"
#include "tests/unit/keyring_fixture.h"
#include "tests/unit/tiny_disk.h"

#define MANIFEST_MAX (1 << 20)

/* A tiny disk of a keyring's with its manifest beside it, as the stages make them. */
struct made {
	struct fixture f;
	char *disk, *manifest;
};

static void made_open(struct made *m, const struct keyring *k, bool pending)
{
	struct error err = ERROR_INIT;

	tiny_disk_signed(&m->f, k, pending);
	tiny_firmware(&m->f);
	need(fixture_run(&m->f, &stage_measure, &err) == 0, "measured: %s", err.message);
	m->disk = path_join(m->f.output, "disk.raw");
	m->manifest = path_join(m->f.output, "manifest.json");
}

static void made_close(struct made *m)
{
	free(m->disk);
	free(m->manifest);
	fixture_close(&m->f);
}
#define CLEANUP_MADE __attribute__((cleanup(made_close)))

static void manifest_text(const struct made *m, struct buf *ret)
{
	struct error err = ERROR_INIT;

	need(io_read_file(m->manifest, MANIFEST_MAX, ret, &err) == 0, "%s", err.message);
}

static bool same_disk(const struct made *a, const struct made *b)
{
	struct digest x, y;
	struct error err = ERROR_INIT;

	need(data_digest_file(a->disk, &x, NULL, &err) == 0 && data_digest_file(b->disk, &y, NULL, &err) == 0,
	     "the disks are read: %s", err.message);
	return digest_equal(&x, &y);
}

static bool same_manifest(const struct made *a, const struct made *b)
{
	CLEANUP_BUF struct buf x = BUF_INIT(MANIFEST_MAX), y = BUF_INIT(MANIFEST_MAX);

	manifest_text(a, &x);
	manifest_text(b, &y);
	return strcmp(buf_text(&x), buf_text(&y)) == 0;
}

static void test_same_bytes(bool ecdsa)
{
	CLEANUP_KEYRING struct keyring *k = NULL;
	CLEANUP_MANIFEST struct manifest *m = NULL;
	CLEANUP_MADE struct made direct, later;
	struct error err = ERROR_INIT;
	struct keyring_fixture keys;

	keyring_fixture_open(&keys, ecdsa);
	k = keyring_fixture_read(&keys);
	made_open(&direct, k, false);
	made_open(&later, k, true);
	need(manifest_read(later.manifest, &m, &err) == 0 && m->secure_boot, "the manifest knows of Secure Boot");
	ok(m->secure_boot->pending, "and that the signature is missing");
	ok_str(m->secure_boot->signer, keyring_signer(k, SECURE_DB)->sha256, "and whose it will be");
	ok_int(m->secure_boot->variables[SECURE_PK].certificate_count, 1, "and which certificates PK has");
	ok(!same_disk(&direct, &later), "without it the disk is another one");
	ok_int(sign_disk(later.disk, k, NULL, &err), 0, "it is signed later (%s)", err.message);
	ok(same_disk(&direct, &later), "then it is the same disk");
	ok(same_manifest(&direct, &later), "and the same manifest");
	ok_int(sign_disk(later.disk, k, NULL, &err), 0, "once more does no harm (%s)", err.message);
	ok(same_disk(&direct, &later) && same_manifest(&direct, &later), "and changes nothing");
	keyring_fixture_close(&keys);
}

/* With Secure Boot on: another PCR 7, and no inner kernel in PCR 4; off: what an unsigned image has. */
static void test_predictions(void)
{
	CLEANUP_MANIFEST struct manifest *plain = NULL, *m = NULL;
	CLEANUP_KEYRING struct keyring *k = NULL;
	CLEANUP_MADE struct made with, without;
	struct error err = ERROR_INIT;
	struct keyring_fixture keys;
	struct digest a, b;

	keyring_fixture_open(&keys, true);
	k = keyring_fixture_read(&keys);
	made_open(&with, k, false);
	made_open(&without, NULL, false);
	need(manifest_read(with.manifest, &m, &err) == 0 && manifest_read(without.manifest, &plain, &err) == 0,
	     "both manifests: %s", err.message);
	ok(!plain->secure_boot && m->secure_boot, "only a build with keys speaks of Secure Boot");
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++) {
		if (!(m->pcr_mask & 1u << pcr))
			continue;
		pcr_replay(&plain->events, pcr, DIGEST_SHA384, &a);
		pcr_replay(&m->events, pcr, DIGEST_SHA384, &b);
		ok(digest_equal(&a, &b), "with Secure Boot off PCR %u is that of the unsigned image", pcr);
		pcr_replay(&m->secure_boot->events, pcr, DIGEST_SHA384, &b);
		ok(digest_equal(&a, &b) == (pcr != 4 && pcr != 7), "and with it on PCR %u is %s", pcr,
		   pcr == 4 || pcr == 7 ? "another" : "likewise");
	}
	keyring_fixture_close(&keys);
}

static void refused(const struct made *m, const struct keyring *k, const struct buf *signature, const char *message,
		    const char *what)
{
	CLEANUP_BUF struct buf before = BUF_INIT(MANIFEST_MAX), after = BUF_INIT(MANIFEST_MAX);
	struct error err = ERROR_INIT;
	struct digest x, y;

	manifest_text(m, &before);
	need(data_digest_file(m->disk, &x, NULL, &err) == 0, "%s", err.message);
	ok_int(sign_disk(m->disk, k, signature, &err), -EINVAL, "refused: %s", what);
	ok_error(&err, message, "for that reason");
	err = (struct error)ERROR_INIT;
	need(data_digest_file(m->disk, &y, NULL, &err) == 0, "%s", err.message);
	manifest_text(m, &after);
	ok(digest_equal(&x, &y) && strcmp(buf_text(&before), buf_text(&after)) == 0, "and nothing was written");
}

static void test_refused(void)
{
	CLEANUP_BUF struct buf wrong = BUF_INIT(256);
	CLEANUP_KEYRING struct keyring *k = NULL, *stranger = NULL;
	CLEANUP_MADE struct made pending, plain;
	struct keyring_fixture keys, others;

	keyring_fixture_open(&keys, true);
	keyring_fixture_open(&others, true);
	k = keyring_fixture_read(&keys);
	stranger = keyring_fixture_read(&others);
	made_open(&pending, k, true);
	made_open(&plain, NULL, false);
	buf_fill(&wrong, 1, 70);
	refused(&pending, k, &wrong, "is not this file's signature", "a signature that is none");
	refused(&pending, stranger, NULL, "waits for the signature of another key", "another keyring");
	refused(&plain, k, NULL, "was built without keys", "a disk that waits for no signature");
	keyring_fixture_close(&keys);
	keyring_fixture_close(&others);
}

int main(void)
{
	test_same_bytes(false);
	test_same_bytes(true);
	test_predictions();
	test_refused();
	return tap_done();
}
