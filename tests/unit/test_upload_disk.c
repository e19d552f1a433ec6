/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/data_digest.h"
#include "factory/base/io.h"
#include "factory/format/uefi_data.h"
#include "factory/model/manifest.h"
#include "factory/model/memory.h"
#include "factory/model/proof.h"
#include "upload/disk.h"

/* Three blocks and a short one: data, a hole, zeros, data. */
#define DISK_SIZE (3 * BLOCK_SIZE + 1000)

static char *directory, *raw;

static void hex_of(const void *data, size_t size, char ret[static 65])
{
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;

	digest_of(DIGEST_SHA256, data, size, &digest);
	digest_hex(&digest, hex);
	memcpy(ret, hex, 65);
}

static void put(const char *name, const struct buf *text)
{
	CLEANUP_FREE char *path = path_join(directory, name);
	struct error err = ERROR_INIT;

	need(io_write_file(path, text->data, text->len, 0644, &err) == 0, "%s is written", name);
}

static void make_disk(void)
{
	CLEANUP_FREE uint8_t *block = malloc(BLOCK_SIZE);
	CLEANUP_CLOSE int fd = open(raw, O_RDWR | O_CREAT | O_TRUNC, 0644);
	struct error err = ERROR_INIT;

	need(fd >= 0 && block && ftruncate(fd, DISK_SIZE) == 0, "a disk");
	memset(block, 'A', BLOCK_SIZE);
	need(io_pwrite_full(fd, block, BLOCK_SIZE, 0, raw, &err) == 0 &&
	     io_pwrite_full(fd, block, 1000, 3 * BLOCK_SIZE, raw, &err) == 0, "data");
	memset(block, 0, BLOCK_SIZE);
	need(io_pwrite_full(fd, block, BLOCK_SIZE, 2 * BLOCK_SIZE, raw, &err) == 0, "zeros");
}

static void predict(struct pcr_log *log, uint32_t *mask)
{
	pcr_log_add_data(log, 4, EV_SEPARATOR, "separator", "\0\0\0\0", 4);
	*mask = 1u << 4;
}

static struct manifest *make_manifest(bool keys)
{
	struct manifest *m = manifest_new();
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	struct error err = ERROR_INIT;

	free(m->name);
	free(m->disk_file);
	m->name = string_copy("tiny");
	m->disk_file = string_copy("tiny.raw");
	need(data_digest_file(raw, &digest, &m->disk_size, &err) == 0, "a data digest");
	digest_hex(&digest, hex);
	memcpy(m->disk_data_sha256, hex, 65);
	for (char *text[] = { m->uki_sha256, m->root_hash, m->lock_sha256, m->firmware_sha256, NULL }, **p = text; *p; p++)
		hex_of("", 0, *p);
	m->uki_size = m->stub_version = m->service_port = 1;
	predict(&m->events, &m->pcr_mask);
	if (!keys)
		return m;
	m->secure_boot = manifest_secure_boot_new();
	hex_of("", 0, m->secure_boot->signer);
	for (int i = 0; i < SECURE_VARIABLES; i++)
		hex_of(secure_variables[i].name, i == SECURE_DBX ? 0 : strlen(secure_variables[i].name),
		       m->secure_boot->variables[i].sha256);
	predict(&m->secure_boot->events, &m->secure_boot->pcr_mask);
	return m;
}

static void put_manifest(const struct manifest *m)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;

	need(manifest_format(m, &text, &err) == 0, "a manifest");
	put("manifest.json", &text);
}

static void put_proof(const struct manifest *m, bool secure_boot)
{
	CLEANUP_PROOF struct proof *p = proof_new();
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	struct digest measured[PCR_COUNT][DIGEST_ALGS];
	struct error err = ERROR_INIT;
	uint32_t mask;

	memcpy(p->disk_data_sha256, m->disk_data_sha256, 65);
	p->service_answered = true;
	p->secure_boot = secure_boot;
	p->seconds = 0.5;
	predict(&p->events, &mask);
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		for (int alg = 0; alg < DIGEST_ALGS; alg++)
			pcr_replay(&p->events, pcr, alg, &measured[pcr][alg]);
	proof_compare(p, &m->events, mask, measured);
	need(p->proven && proof_format(p, &text, &err) == 0, "a proof");
	put("boot-proof.json", &text);
}

/* Each variable holds its own name; dbx is not there. `wrong`: one holds something else. */
static void put_variables(const char *name, int wrong)
{
	CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;

	for (int i = 0; i < SECURE_DBX; i++) {
		const char *value = i == wrong ? "other" : secure_variables[i].name;

		uefi_data_add(&u, secure_variables[i].name, secure_variables[i].vendor, SECURE_VARIABLE_ATTRIBUTES,
			      (const uint8_t *)value, strlen(value));
	}
	need(uefi_data_format(&u, &text, &err) == 0 && buf_add(&text, "\n", 1) == 0, "a variable store");
	put(name, &text);
}

static int open_disk(struct disk *d, const struct disk_options *options, struct error *err)
{
	*d = (struct disk) DISK_INIT;
	*err = (struct error)ERROR_INIT;
	return disk_open(raw, options, d, err);
}

static void refuses(const struct disk_options *options, const char *why)
{
	CLEANUP_DISK struct disk d = DISK_INIT;
	struct error err;

	ok(open_disk(&d, options, &err) < 0, "the disk is refused");
	ok_error(&err, why, "because: %s", why);
}

static void test_blocks(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest(false);
	CLEANUP_FREE uint8_t *block = malloc(BLOCK_SIZE), *data = malloc(BLOCK_SIZE);
	struct disk_options options = { .manifest = NULL };
	CLEANUP_DISK struct disk d = DISK_INIT;
	struct digest digest;
	struct error err;

	put_manifest(m);
	put_proof(m, false);
	need(block && data && open_disk(&d, &options, &err) == 0, "a proven disk is opened: %s", err.message);
	ok(d.proven && !d.secure_boot && d.gib == 1 && d.uefi_data.len == 0, "what it is");
	need(d.index.count == 2, "only blocks that are no zeros are in its index");
	ok(d.index.entries[0].block == 0 && d.index.entries[1].block == 3, "the first and the last");
	memset(data, 0, BLOCK_SIZE);
	memset(data, 'A', 1000);
	need(disk_read(&d, 3, block, &err) == 0, "the last one is read");
	ok(memcmp(block, data, BLOCK_SIZE) == 0, "with zeros behind the disk's end");
	digest_of(DIGEST_SHA256, data, BLOCK_SIZE, &digest);
	ok(memcmp(d.index.entries[1].digest, digest.bytes, BLOCK_DIGEST_SIZE) == 0, "as its digest says");
	memset(data, 0, BLOCK_SIZE);
	ok(disk_read(&d, 1, block, &err) == 0 && memcmp(block, data, BLOCK_SIZE) == 0, "a hole is zeros");
	ok(disk_read(&d, 4, block, &err) == 0 && memcmp(block, data, BLOCK_SIZE) == 0, "so is what lies behind the end");
	ok(disk_check_unchanged(&d, &err) == 0, "nobody has written it");
	need(truncate(raw, DISK_SIZE + 1) == 0, "somebody does");
	ok(disk_check_unchanged(&d, &err) < 0, "and it is noticed");
	ok_error(&err, "is being written while it is uploaded", "in a sentence");
	make_disk();
}

static void test_proof(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest(false);
	CLEANUP_FREE char *path = path_join(directory, "boot-proof.json");
	struct disk_options options = { .manifest = NULL }, unproven = { .unproven = true };
	CLEANUP_DISK struct disk d = DISK_INIT;
	struct error err;

	put_manifest(m);
	put_proof(m, true);
	refuses(&options, "booted with Secure Boot on, and EC2 will start it with Secure Boot off");
	need(unlink(path) == 0, "no proof");
	refuses(&options, "has no boot proof");
	need(open_disk(&d, &unproven, &err) == 0, "without one if that is asked for: %s", err.message);
	ok(!d.proven, "which is known of it");
	m->disk_data_sha256[0] ^= 1;
	put_manifest(m);
	refuses(&unproven, "is not the disk that");
}

static void test_keys(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest(true);
	CLEANUP_FREE char *elsewhere = path_join(directory, "elsewhere");
	struct disk_options options = { .manifest = NULL }, named = { .uefi_data = elsewhere };
	CLEANUP_DISK struct disk d = DISK_INIT;
	struct error err;

	put_manifest(m);
	put_proof(m, true);
	refuses(&options, "name with --uefi-data");
	put_variables("elsewhere", SECURE_DB);
	refuses(&named, "its db is not the one that");
	put_variables("elsewhere", -1);
	need(open_disk(&d, &named, &err) == 0, "with its keys it is opened: %s", err.message);
	ok(d.secure_boot && d.uefi_data.len && d.uefi_data.data[d.uefi_data.len - 1] != '\n',
	   "and the keys go along, without a line's end");
	disk_close(&d);
	put_variables("uefi-data.aws", -1);
	ok(open_disk(&d, &options, &err) == 0, "they may lie beside the disk");
	disk_close(&d);
	put_proof(m, false);
	refuses(&options, "booted with Secure Boot off, and EC2 will start it with Secure Boot on");
	m->secure_boot->pending = true;
	put_manifest(m);
	refuses(&options, "still waits for its signature");
}

static void test_no_keys(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest(false);
	struct disk_options options = { .uefi_data = "x" };

	put_manifest(m);
	put_proof(m, false);
	refuses(&options, "was built without keys");
}

int main(void)
{
	struct error err = ERROR_INIT;

	directory = string_copy("/tmp/kiln-disk-XXXXXX");
	need(mkdtemp(directory), "a directory");
	raw = path_join(directory, "tiny.raw");
	make_disk();
	test_blocks();
	test_proof();
	test_keys();
	test_no_keys();
	(void)io_remove_tree(directory, &err);
	free(directory);
	free(raw);
	return tap_done();
}
