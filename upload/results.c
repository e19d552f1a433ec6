/* SPDX-License-Identifier: Apache-2.0 */
#include "results.h"

#include <time.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/json.h"
#include "../factory/model/manifest.h"

#define TEXT_MAX ((size_t)64 << 20)
#define MEASUREMENTS "pcr_measurements.json"

static int copy_measurements(const struct json_node *root, struct json_t *to, struct error *err)
{
	static const char *const names[] = { "HashAlgorithm", "PCR4", "PCR7", "PCR12", NULL };
	struct json_t *o = json_put_object(to, "Measurements");
	struct json_node measurements;
	int r = json_get_object(root, "Measurements", &measurements, err);

	if (r == 0)
		r = json_check_keys(&measurements, names, err);
	for (size_t i = 0; r == 0 && names[i]; i++) {
		CLEANUP_FREE char *value = NULL;

		r = json_get_string(&measurements, names[i], &value, err);
		if (r == 0)
			json_put_string(o, names[i], value);
	}
	return r;
}

static void put_upload(struct json_t *to, const struct upload *upload)
{
	time_t seconds = (time_t)upload->time;
	char text[32];
	struct tm tm;

	json_put_string(to, "ImageId", upload->image);
	json_put_string(to, "SnapshotId", upload->snapshot);
	json_put_string(to, "Region", upload->region);
	if (!gmtime_r(&seconds, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
	json_put_string(to, "Time", text);
}

int results_measurements(const void *json, size_t size, const char *file, const struct upload *upload, struct buf *ret,
			 struct error *err)
{
	static const char *const keys[] = { "Measurements", "ImageId", "SnapshotId", "Region", "Time", NULL };
	CLEANUP_JSON struct json_node root = { .value = NULL };
	CLEANUP_JSON struct json_node made = { .value = NULL };
	int r = json_open(json, size, file, &root, err);

	if (r == 0)
		r = json_check_keys(&root, keys, err);
	if (r < 0)
		return r;
	made.value = json_new();
	r = copy_measurements(&root, made.value, err);
	if (r < 0)
		return r;
	put_upload(made.value, upload);
	r = json_finish(TAKE_PTR(made.value), false, ret);
	return r < 0 ? error_system(err, r, "%s: cannot make its text", file) : 0;
}

/* What the build left; without that, what the manifest predicts for how EC2 starts the image. */
static int read_measurements(const char *path, const struct manifest *m, struct buf *ret, struct error *err)
{
	if (io_exists(path))
		return io_read_file(path, TEXT_MAX, ret, err);
	return measurements_format(m->secure_boot ? &m->secure_boot->events : &m->events, ret, err);
}

static int write_measurements(const char *manifest_path, const struct manifest *m, const struct upload *upload,
			      struct error *err)
{
	CLEANUP_FREE char *directory = path_directory(manifest_path);
	CLEANUP_FREE char *path = path_join(directory, MEASUREMENTS);
	CLEANUP_BUF struct buf before = BUF_INIT(TEXT_MAX), after = BUF_INIT(TEXT_MAX);
	int r = read_measurements(path, m, &before, err);

	if (r == 0)
		r = results_measurements(before.data, before.len, path, upload, &after, err);
	return r < 0 ? r : io_write_file(path, after.data, after.len, 0644, err);
}

static int write_manifest(const char *path, const struct manifest *m, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = manifest_format(m, &text, err);

	return r < 0 ? r : io_write_file(path, text.data, text.len, 0644, err);
}

int results_write(const char *manifest_path, const struct upload *uploads, size_t count, struct error *err)
{
	CLEANUP_MANIFEST struct manifest *m = NULL;
	int r = manifest_read(manifest_path, &m, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		uploads_add(&m->uploads, &uploads[i]);
	r = write_manifest(manifest_path, m, err);
	return r < 0 ? r : write_measurements(manifest_path, m, &uploads[0], err);
}
