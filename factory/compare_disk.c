/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "../rootfs/archive_difference.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "compare_part.h"
#include "format/verity.h"
#include "model/architecture.h"

#define BLOCK 4096

struct disk {
	const struct compare_image *image;
	struct compare_range whole;
	struct compare_table table;
};
#define DISK_INIT { .whole = { .fd = -1 } }

static void disk_close(struct disk *d)
{
	cleanup_close(&d->whole.fd);
}
#define CLEANUP_DISK __attribute__((cleanup(disk_close)))

/* Two disks, and what has been found. */
struct pair {
	struct disk *a, *b;
	struct comparison *found;
};

static int disk_open(const struct compare_image *image, struct disk *ret, struct error *err)
{
	struct stat st;
	int fd = open(image->disk, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_system(err, errno, "cannot open %s", image->disk);
	ret->image = image;
	ret->whole = (struct compare_range) { .fd = fd, .name = image->disk };
	if (fstat(fd, &st) < 0)
		return error_system(err, errno, "%s", image->disk);
	if (!S_ISREG(st.st_mode))
		return error_input(err, "%s is not a regular file", image->disk);
	ret->whole.size = (uint64_t)st.st_size;
	return 0;
}

/* Not a disk: *ret_problem says why, and the files can be compared as bytes only. */
static int read_table(struct disk *d, const char **ret_problem, struct error *err)
{
	int r;

	if (d->whole.size < GPT_HEAD_SIZE) {
		*ret_problem = "too small for a disk";
		return 0;
	}
	r = io_pread_full(d->whole.fd, d->table.head, GPT_HEAD_SIZE, 0, d->image->disk, err);
	if (r == 0)
		*ret_problem = gpt_parse(d->table.head, GPT_HEAD_SIZE, d->whole.size, &d->table.gpt);
	return r;
}

/* ---------------------------------------------------------------- partitions */

struct slot {
	unsigned int number;
	struct compare_range a, b;
};

static struct compare_range range_of(const struct disk *d, const struct gpt_partition *p)
{
	return (struct compare_range) {
		.fd = d->whole.fd, .offset = p->offset, .size = p->size, .name = d->image->disk,
	};
}

/* The same partition of both disks; false where they have no such two (the tables say so then). */
static bool find_slot(const struct pair *p, const struct gpt_partition *in_a, struct slot *ret)
{
	const struct gpt *other = &p->b->table.gpt;

	for (unsigned int i = 0; i < other->count; i++) {
		const struct gpt_partition *in_b = &other->partitions[i];

		if (in_b->number != in_a->number || memcmp(in_b->type, in_a->type, 16))
			continue;
		*ret = (struct slot) {
			.number = in_a->number, .a = range_of(p->a, in_a), .b = range_of(p->b, in_b),
		};
		return true;
	}
	return false;
}

static int compare_trees(const struct pair *p, char **ret, struct error *err)
{
	const struct archive_source a = { .path = p->a->image->tree, .name = p->a->image->name };
	const struct archive_source b = { .path = p->b->image->tree, .name = p->b->image->name };
	int r = archive_difference(&a, &b, ret, err);

	return r < 0 ? error_wrap(err, "the root trees in the cache") : 0;
}

static int compare_root(const struct pair *p, const struct slot *slot, uint64_t at, struct error *err)
{
	CLEANUP_FREE char *difference = NULL;
	int r;

	(void)slot;
	if (!p->a->image->tree || !p->b->image->tree) {
		comparison_add(p->found, COMPARE_ROOT, false,
			       "differs at byte %" PRIu64 ", block %" PRIu64
			       " (which file that is cannot be told: the cache holds the root tree of %s)",
			       at, at / BLOCK,
			       p->a->image->tree || p->b->image->tree ? "only one" : "neither");
		return 0;
	}
	r = compare_trees(p, &difference, err);
	if (r < 0)
		return r;
	if (difference)
		comparison_add(p->found, COMPARE_ROOT, false, "%s", difference);
	else
		comparison_add(p->found, COMPARE_ROOT, false,
			       "the same tree, packed differently at byte %" PRIu64 ", block %" PRIu64, at,
			       at / BLOCK);
	return 0;
}

/* The superblock's choices; NULL when they are the same. */
static const char *superblock_difference(const struct verity_superblock *a, const struct verity_superblock *b)
{
	if (memcmp(a->uuid, b->uuid, sizeof(a->uuid)))
		return "the superblock's UUID";
	if (a->salt_size != b->salt_size || memcmp(a->salt, b->salt, a->salt_size))
		return "the salt";
	if (strcmp(a->algorithm, b->algorithm))
		return "the digest's name";
	if (a->data_block_size != b->data_block_size || a->hash_block_size != b->hash_block_size)
		return "the block sizes";
	return NULL;
}

static int read_superblock(const struct compare_range *range, struct verity_superblock *ret,
			   const char **ret_problem, struct error *err)
{
	uint8_t bytes[VERITY_SUPERBLOCK_SIZE];
	int r;

	*ret_problem = "too small";
	if (range->size < sizeof(bytes))
		return 0;
	r = io_pread_full(range->fd, bytes, sizeof(bytes), range->offset, range->name, err);
	if (r == 0)
		*ret_problem = verity_parse(bytes, sizeof(bytes), ret);
	return r;
}

static int compare_verity(const struct pair *p, const struct slot *slot, uint64_t at, struct error *err)
{
	bool root_differs = comparison_has(p->found, COMPARE_ROOT, COMPARE_ROOT);
	const char *bad_a, *bad_b, *what = NULL;
	struct verity_superblock a, b;
	int r = read_superblock(&slot->a, &a, &bad_a, err);

	if (r == 0)
		r = read_superblock(&slot->b, &b, &bad_b, err);
	if (r < 0)
		return r;
	if (!bad_a && !bad_b)
		what = superblock_difference(&a, &b);
	if (what)
		comparison_add(p->found, COMPARE_VERITY, false, "%s", what);
	else
		comparison_add(p->found, COMPARE_VERITY, root_differs, "the hash tree differs at byte %" PRIu64,
			       at);
	return 0;
}

static int compare_esp(const struct pair *p, const struct slot *slot, uint64_t at, struct error *err)
{
	CLEANUP_IO_MAP struct io_map a = { .size = 0 }, b = { .size = 0 };
	int r = io_map_file(p->a->image->disk, &a, err);

	(void)at;
	if (r == 0)
		r = io_map_file(p->b->image->disk, &b, err);
	if (r < 0)
		return r;

	const struct compare_span esp_a = { a.data + slot->a.offset, slot->a.size };
	const struct compare_span esp_b = { b.data + slot->b.offset, slot->b.size };

	compare_esps(&esp_a, &esp_b, p->found);
	return 0;
}

static int compare_other(const struct pair *p, const struct slot *slot, uint64_t at, struct error *err)
{
	(void)err;
	comparison_add(p->found, COMPARE_DISK, false, "partition %u differs at byte %" PRIu64, slot->number,
		       at);
	return 0;
}

static bool is_root(const struct gpt_partition *p)
{
	return architecture_of_root(p->type);
}

static bool is_verity(const struct gpt_partition *p)
{
	return architecture_of_verity(p->type);
}

static bool is_esp(const struct gpt_partition *p)
{
	return memcmp(p->type, gpt_type_esp, sizeof(gpt_type_esp)) == 0;
}

/* In the order of enum compare_part, except that what is of no known type comes last. */
static const struct kind {
	bool (*is)(const struct gpt_partition *p);
	int (*compare)(const struct pair *p, const struct slot *slot, uint64_t at, struct error *err);
} kinds[] = {
	{ is_root, compare_root },
	{ is_verity, compare_verity },
	{ is_esp, compare_esp },
	{ NULL, compare_other },
};

static const struct kind *kind_of(const struct gpt_partition *p)
{
	size_t i = 0;

	while (kinds[i].is && !kinds[i].is(p))
		i++;
	return &kinds[i];
}

static int compare_kind(const struct pair *p, const struct kind *kind, struct error *err)
{
	const struct gpt *gpt = &p->a->table.gpt;
	uint64_t at = COMPARE_SAME;
	struct slot slot;
	int r = 0;

	for (unsigned int i = 0; i < gpt->count && r == 0; i++) {
		if (kind_of(&gpt->partitions[i]) != kind || !find_slot(p, &gpt->partitions[i], &slot))
			continue;
		r = compare_ranges(&slot.a, &slot.b, &at, err);
		if (r == 0 && at != COMPARE_SAME)
			r = kind->compare(p, &slot, at, err);
	}
	return r;
}

/* ---------------------------------------------------------------- the disk */

static int compare_parts(const struct pair *p, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && r == 0; i++)
		r = compare_kind(p, &kinds[i], err);
	if (r == 0)
		compare_tables(&p->a->table, &p->b->table, p->found);
	return r;
}

static int take_apart(const struct pair *p, uint64_t at, struct error *err)
{
	const char *bad_a = NULL, *bad_b = NULL;
	size_t before = p->found->count;
	int r = read_table(p->a, &bad_a, err);

	if (r == 0)
		r = read_table(p->b, &bad_b, err);
	if (r < 0)
		return r;
	if (bad_a || bad_b) {
		comparison_add(p->found, COMPARE_DISK, false, "differs at byte %" PRIu64 " (%s: %s)", at,
			       bad_a ? p->a->image->disk : p->b->image->disk, bad_a ? bad_a : bad_b);
		return 0;
	}
	r = compare_parts(p, err);
	/* The backup table is where the partitions and the first table end. */
	if (r == 0 && p->found->count == before)
		comparison_add(p->found, COMPARE_DISK, false,
			       "differs at byte %" PRIu64 ", in no partition: between them or in the backup table",
			       at);
	return r;
}

/* That all bytes are the same is said of all bytes, not of the parts that were thought of. */
int compare_disks(const struct compare_image *a, const struct compare_image *b, struct comparison *ret,
		  struct error *err)
{
	CLEANUP_DISK struct disk disk_a = DISK_INIT, disk_b = DISK_INIT;
	const struct pair p = { .a = &disk_a, .b = &disk_b, .found = ret };
	uint64_t at = COMPARE_SAME;
	int r = disk_open(a, &disk_a, err);

	if (r == 0)
		r = disk_open(b, &disk_b, err);
	if (r == 0)
		r = compare_ranges(&disk_a.whole, &disk_b.whole, &at, err);
	if (r < 0 || at == COMPARE_SAME)
		return r;
	return take_apart(&p, at, err);
}
