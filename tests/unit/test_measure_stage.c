/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "factory/base/data_digest.h"
#include "factory/model/manifest.h"
#include "tests/unit/tiny_disk.h"

static void check_digest(const char *path, const char *expected, const char *what)
{
	struct error err = ERROR_INIT;
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;

	need(digest_file(DIGEST_SHA256, path, &digest, NULL, &err) == 0, "%s", err.message);
	digest_hex(&digest, hex);
	ok_str(expected, hex, "%s is that of the file", what);
}

static void check_data_digest(const char *path, const char *expected, const char *what)
{
	struct error err = ERROR_INIT;
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;

	need(data_digest_file(path, &digest, NULL, &err) == 0, "%s", err.message);
	digest_hex(&digest, hex);
	ok_str(expected, hex, "%s is that of the file", what);
}

/* Cut out of the disk, a partition is a file with the partition's digest. */
static void check_partition(const struct fixture *f, const struct manifest_partition *p)
{
	CLEANUP_FREE char *path = path_join(f->scratch.path, "partition");
	CLEANUP_CLOSE int disk = open(artifacts_path(f->artifacts, "disk.raw"), O_RDONLY | O_CLOEXEC);
	CLEANUP_CLOSE int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct error err = ERROR_INIT;

	need(disk >= 0 && out >= 0 && io_copy_range(disk, p->offset, out, 0, p->size, "disk", &err) == 0,
	     "the partition is cut out (%s)", err.message);
	check_data_digest(path, p->data_sha256, "the partition's data digest");
}

static void test_good(void)
{
	CLEANUP_FREE char *path = NULL, *measurements = NULL;
	CLEANUP_MANIFEST struct manifest *m = NULL;
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	struct error err = ERROR_INIT;
	struct fixture f;

	tiny_disk(&f, NULL);
	tiny_firmware(&f);
	ok_int(fixture_run(&f, &stage_measure, &err), 0, "the stage runs (%s)", err.message);
	path = path_join(f.output, "manifest.json");
	measurements = path_join(f.output, "pcr_measurements.json");
	need(manifest_read(path, &m, &err) == 0, "the manifest reads back (%s)", err.message);
	ok_str(m->disk_file, "tiny.x86_64-1.raw", "the disk's name");
	ok_int(m->disk_size, INT64_C(1) << 30, "its size");
	check_data_digest(artifacts_path(f.artifacts, "disk.raw"), m->disk_data_sha256, "the disk's data digest");
	check_digest(artifacts_path(f.artifacts, "uki.efi"), m->uki_sha256, "the UKI's digest");
	ok_int(m->stub_version, 257, "the stub's version");
	ok_int(m->partition_count, 3, "the partitions");
	check_partition(&f, &m->partitions[1]);
	ok_str(m->firmware_package, "ovmf", "the firmware");
	ok(m->pcr_mask == (1u << 4 | 1u << 5 | 1u << 7 | 1u << 9 | 1u << 11 | 1u << 12),
	   "PCR 4, 5, 7, 9, 11 and 12 are predicted: %#x", m->pcr_mask);
	need(io_read_file(measurements, text.max, &text, &err) == 0, "%s", err.message);
	ok(strstr(buf_text(&text), "98441c7f7625d10058c47683aec486ce311c633235eb555593a7ee791121e3578ae72d04ecef661f272d59058b77af35"),
	   "PCR 7 without Secure Boot is the one of EC2's documents");
	fixture_close(&f);
}

/* A disk that is not made of the artifacts must not get a manifest. */
static void test_mismatch(void)
{
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;
	struct fixture f;

	tiny_disk(&f, NULL);
	tiny_firmware(&f);
	fixture_pattern(&f, "boot.efi", 5000);
	path = path_join(f.output, "manifest.json");
	ok(fixture_run(&f, &stage_measure, &err) < 0, "another UKI than the disk's fails");
	ok_error(&err, "not the UKI that was made", "for this reason");
	ok(!io_exists(path), "and leaves no manifest");
	fixture_close(&f);
}

int main(void)
{
	test_good();
	test_mismatch();
	return tap_done();
}
