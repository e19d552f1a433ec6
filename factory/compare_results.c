/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "compare_part.h"
#include "model/json_difference.h"

#define TEXT_MAX ((size_t)16 << 20)
#define MANIFEST "manifest.json"
#define MEASUREMENTS "pcr_measurements.json"

/* What a manifest says because of what is on the disk; the rest of it is what went in. */
static const char *const derived[] = {
	"root_hash", "disk.size", "disk.sha256", "disk.data_sha256", "uki.",
	"partitions[", "pcrs.", "events[",
};

static bool is_derived(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(derived); i++)
		if (strncmp(path, derived[i], strlen(derived[i])) == 0)
			return true;
	return false;
}

/* ---------------------------------------------------------------- two texts */

struct texts {
	struct buf a, b;
	uint64_t at;		/* the first difference */
};

static void texts_clear(struct texts *t)
{
	buf_free(&t->a);
	buf_free(&t->b);
}
#define CLEANUP_TEXTS __attribute__((cleanup(texts_clear)))
#define TEXTS_INIT { .a = BUF_INIT(TEXT_MAX), .b = BUF_INIT(TEXT_MAX), .at = COMPARE_SAME }

static int read_text(const char *directory, const char *name, struct buf *ret, struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, name);

	return io_read_file(path, TEXT_MAX, ret, err);
}

static int texts_read(const char *a, const char *b, const char *name_a, const char *name_b,
		      struct texts *ret, struct error *err)
{
	int r = read_text(a, name_a, &ret->a, err);

	if (r == 0)
		r = read_text(b, name_b, &ret->b, err);
	if (r < 0)
		return r;

	const struct compare_span in_a = { ret->a.data, ret->a.len }, in_b = { ret->b.data, ret->b.len };

	ret->at = compare_bytes(&in_a, &in_b);
	return 0;
}

/* The line that byte `at` is in. */
static char *line_at(const struct buf *text, uint64_t at)
{
	const char *all = buf_text(text), *start = all + (at < text->len ? at : text->len);

	while (start > all && start[-1] != '\n')
		start--;
	return string_printf("%.*s", (int)strcspn(start, "\n"), start);
}

/* ---------------------------------------------------------------- values */

/* The first difference among the values that are wanted. */
struct search {
	bool (*wanted)(const char *path);
	bool found, other;		/* other: one that is not wanted */
	struct json_difference first;
};

static void take_first(const struct json_difference *difference, void *arg)
{
	struct search *s = arg;

	if (!s->wanted(difference->path))
		s->other = true;
	if (s->found || !s->wanted(difference->path))
		return;
	s->first = *difference;
	s->found = true;
}

static int search(const struct texts *t, const char *name, struct search *s, struct error *err)
{
	CLEANUP_JSON struct json_node in_a = { .value = NULL }, in_b = { .value = NULL };
	int r = json_open(t->a.data, t->a.len, name, &in_a, err);

	if (r == 0)
		r = json_open(t->b.data, t->b.len, name, &in_b, err);
	if (r == 0)
		json_differences(&in_a, &in_b, take_first, s);
	return r;
}

/* Where an image was uploaded to says nothing about the image. */
static bool is_of_upload(const char *path)
{
	static const char *const keys[] = { "uploads", "ImageId", "SnapshotId", "Region", "Time" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strncmp(path, keys[i], strlen(keys[i])) == 0)
			return true;
	return false;
}

static bool is_measurement(const char *path)
{
	return *path && !is_of_upload(path);
}

static bool is_input(const char *path)
{
	return !is_derived(path) && !is_of_upload(path);
}

/* A file that says what follows from the disk: another disk explains it. */
static int compare_consequence(const struct compare_image *a, const struct compare_image *b, const char *name,
			       bool (*wanted)(const char *path), enum compare_part part,
			       struct comparison *ret, struct error *err)
{
	CLEANUP_TEXTS struct texts t = TEXTS_INIT;
	struct search s = { .wanted = wanted };
	bool follows = ret->count > 0;
	int r = texts_read(a->directory, b->directory, name, name, &t, err);

	if (r < 0 || t.at == COMPARE_SAME)
		return r;
	r = search(&t, name, &s, err);
	if (r < 0)
		return r;
	if (s.found)
		comparison_add(ret, part, follows, "%s is %s and %s", s.first.path, s.first.a, s.first.b);
	else if (!follows && !s.other)
		comparison_add(ret, part, false, "the same values, written differently at byte %" PRIu64, t.at);
	return 0;
}

/* ---------------------------------------------------------------- parts */

static int compare_packages(const struct compare_image *a, const struct compare_image *b,
			    struct comparison *ret, struct error *err)
{
	CLEANUP_TEXTS struct texts t = TEXTS_INIT;
	CLEANUP_FREE char *in_a = NULL, *in_b = NULL;
	int r = texts_read(a->directory, b->directory, a->packages, b->packages, &t, err);

	if (r < 0 || t.at == COMPARE_SAME)
		return r;
	in_a = line_at(&t.a, t.at);
	in_b = line_at(&t.b, t.at);
	comparison_add(ret, COMPARE_PACKAGES, false, "\"%s\" and \"%s\"", in_a, in_b);
	return 0;
}

int compare_inputs(const struct compare_image *a, const struct compare_image *b, struct comparison *ret,
		   struct error *err)
{
	CLEANUP_TEXTS struct texts t = TEXTS_INIT;
	struct search s = { .wanted = is_input };
	int r = texts_read(a->directory, b->directory, MANIFEST, MANIFEST, &t, err);

	if (r == 0 && t.at != COMPARE_SAME)
		r = search(&t, MANIFEST, &s, err);
	if (r == 0 && s.found)
		comparison_add(ret, COMPARE_INPUTS, false, "%s is %s and %s", s.first.path, s.first.a,
			       s.first.b);
	if (r == 0 && a->packages && b->packages)
		r = compare_packages(a, b, ret, err);
	return r;
}

int compare_predictions(const struct compare_image *a, const struct compare_image *b,
			struct comparison *ret, struct error *err)
{
	int r = compare_consequence(a, b, MANIFEST, is_derived, COMPARE_MANIFEST, ret, err);

	return r < 0 ? r : compare_consequence(a, b, MEASUREMENTS, is_measurement, COMPARE_MEASUREMENTS, ret, err);
}
