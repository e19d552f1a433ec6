/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/format/fat.h"

#include <errno.h>
#include <fcntl.h>

#include "factory/base/buf.h"
#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "tap.h"

/*
 * A FAT12 volume in code, for what no tool would make: sector 0 boot, 1 table, 2 root directory, then
 * clusters of one sector from number 2 on.
 */
#define SECTOR 512
#define SECTORS 32
#define SMALL_SIZE (SECTORS * SECTOR)
#define TABLE SECTOR
#define ROOT (2 * SECTOR)
#define CLUSTER(n) ((3 + (n)-2) * SECTOR)

static void set_next(uint8_t *v, uint32_t cluster, uint32_t next)
{
	uint8_t *p = v + TABLE + cluster + cluster / 2;
	uint16_t pair = read_le16(p);

	if (cluster & 1)
		write_le16(p, (uint16_t)((pair & 0x000f) | next << 4));
	else
		write_le16(p, (uint16_t)((pair & 0xf000) | next));
}

static void put_entry(uint8_t *e, const char *name, uint8_t attributes, uint16_t cluster,
		      uint32_t size)
{
	memcpy(e, name, 11);
	e[11] = attributes;
	write_le16(e + 26, cluster);
	write_le32(e + 28, size);
}

/* \A.TXT in clusters 3, 5; directory \DIR in 2 with \DIR\B in 4. */
static void build(uint8_t v[static SMALL_SIZE])
{
	memset(v, 0, SMALL_SIZE);
	write_le16(v + 11, SECTOR);
	v[13] = 1;
	write_le16(v + 14, 1);
	v[16] = 1;
	write_le16(v + 17, 16);
	write_le16(v + 19, SECTORS);
	write_le16(v + 22, 1);
	write_le16(v + 510, 0xaa55);
	put_entry(v + ROOT, "VOLUME     ", 0x08, 0, 0);
	put_entry(v + ROOT + 32,
		  "\xe5"
		  "ELETED TXT",
		  0x20, 3, 9);
	put_entry(v + ROOT + 64, "A       TXT", 0x20, 3, 700);
	put_entry(v + ROOT + 96, "DIR        ", 0x10, 2, 0);
	put_entry(v + CLUSTER(2), ".          ", 0x10, 2, 0);
	put_entry(v + CLUSTER(2) + 32, "..         ", 0x10, 0, 0);
	put_entry(v + CLUSTER(2) + 64, "B          ", 0x20, 4, 1);
	put_entry(v + CLUSTER(2) + 96, "EMPTY      ", 0x20, 0, 0);
	memset(v + CLUSTER(3), '3', SECTOR);
	memset(v + CLUSTER(4), '4', SECTOR);
	memset(v + CLUSTER(5), '5', SECTOR);
	set_next(v, 2, 0xfff);
	set_next(v, 3, 5);
	set_next(v, 4, 0xfff);
	set_next(v, 5, 0xff8);
}

static int count_entry(const struct fat_entry *e, void *arg)
{
	(void)e;
	(*(int *)arg)++;
	return 0;
}

static int collect(const struct fat_entry *e, void *arg)
{
	return buf_printf(arg, "%s%s %u\n", e->path, e->directory ? "/" : "", e->size);
}

static int stop_at_first(const struct fat_entry *e, void *arg)
{
	(void)e;
	(*(int *)arg)++;
	return -ECANCELED;
}

static void test_small(void)
{
	uint8_t v[SMALL_SIZE];
	CLEANUP_BUF struct buf list = BUF_INIT(4096);
	CLEANUP_BUF struct buf file = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	int calls = 0;

	build(v);
	ok_int(fat_walk(v, sizeof(v), collect, &list, &err), 0, "walk %s", err.message);
	ok_str(buf_text(&list), "\\A.TXT 700\n\\DIR/ 0\n\\DIR\\B 1\n\\DIR\\EMPTY 0\n",
	       "all entries");
	ok_int(fat_walk(v, sizeof(v), stop_at_first, &calls, &err), -ECANCELED,
	       "a callback's result stops the walk");
	ok_int(calls, 1, "at once");
	ok(err.kind == ERROR_NONE, "and is no error of the volume");

	buf_add_string(&file, "before ");
	ok_int(fat_read_file(v, sizeof(v), "/a.txt", &file, &err), 0, "read %s", err.message);
	ok_int(file.len, 7 + 700, "contents are appended");
	ok(memcmp(file.data, "before 3", 8) == 0 && file.data[7 + 511] == '3' &&
		   file.data[7 + 512] == '5',
	   "through the chain");
	buf_truncate(&file, 0);
	ok_int(fat_read_file(v, sizeof(v), "\\dir\\empty", &file, &err), 0, "an empty file");
	ok_int(file.len, 0, "is empty");
}

static void check_refused(const char *what, const uint8_t *v, size_t size, const char *path,
			  const char *part)
{
	CLEANUP_BUF struct buf file = BUF_INIT(1000);
	struct error err = ERROR_INIT;
	int r;

	buf_add_string(&file, "kept");
	r = fat_read_file(v, size, path, &file, &err);
	ok_int(r, -EINVAL, "%s: refused", what);
	ok_error(&err, part, "%s: %s", what, err.message);
	ok_str(buf_text(&file), "kept", "%s: the buffer is as before", what);
}

static void test_paths(void)
{
	uint8_t v[SMALL_SIZE];

	build(v);
	check_refused("missing file", v, sizeof(v), "\\DIR\\C", "there is no \"C\"");
	check_refused("missing directory", v, sizeof(v), "\\EFI\\C", "there is no \"EFI\"");
	check_refused("prefix of a name", v, sizeof(v), "\\A.TX", "there is no \"A.TX\"");
	check_refused("longer than a name", v, sizeof(v), "\\A.TXT2", "there is no \"A.TXT2\"");
	check_refused("file as directory", v, sizeof(v), "\\A.TXT\\C", "\"A.TXT\" is no directory");
	check_refused("directory as file", v, sizeof(v), "\\DIR", "it is a directory");
	check_refused("the root", v, sizeof(v), "\\", "it is a directory");
	check_refused("the volume's label", v, sizeof(v), "\\VOLUME", "there is no \"VOLUME\"");
}

/* One change to the boot sector; for `bytes` 0 the volume is `value` bytes long. */
static const struct damage {
	const char *what;
	size_t offset;
	uint32_t value;
	unsigned int bytes;
	const char *part;
} damages[] = {
	{"no signature", 510, 0, 2, "no boot sector signature"},
	{"sector of 100 bytes", 11, 100, 2, "100 bytes a sector"},
	{"sector of 8192 bytes", 11, 8192, 2, "8192 bytes a sector"},
	{"cluster of 0 sectors", 13, 0, 1, "0 sectors a cluster"},
	{"cluster of 3 sectors", 13, 3, 1, "3 sectors a cluster"},
	{"no reserved sector", 14, 0, 2, "no allocation table"},
	{"no table", 16, 0, 1, "no allocation table"},
	{"table of no sectors", 22, 0, 2, "no allocation table"},
	{"tables fill the volume", 22, 31, 2, "no room for data"},
	{"one cluster too big", 13, 64, 1, "no room for a single cluster"},
	{"more sectors than bytes", 19, SECTORS + 1, 2, "cut short"},
	{"cut short", 0, SMALL_SIZE - 1, 0, "cut short"},
	{"cut to half a sector", 0, 300, 0, "no boot sector"},
	{"empty", 0, 0, 0, "no boot sector"},
};

static void test_damage(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		const struct damage *d = &damages[i];
		uint8_t v[SMALL_SIZE], value[4];

		build(v);
		write_le32(value, d->value);
		memcpy(v + d->offset, value, d->bytes);
		check_refused(d->what, v, d->bytes ? sizeof(v) : d->value, "\\A.TXT", d->part);
	}
}

static void test_table_too_short(void)
{
	CLEANUP_FREE uint8_t *v = calloc(1, 512 * SECTOR);

	build(v);
	write_le16(v + 19, 512); /* 509 clusters of 12 bits do not fit one sector */
	check_refused("short table", v, 512 * SECTOR, "\\A.TXT", "table is too short");
}

static void test_chains(void)
{
	static const struct {
		const char *what;
		uint32_t next;
		const char *part;
	} cases[] = {
		{"loop", 3, "cluster 3 is used twice"},
		{"free cluster in the chain", 0, "leaves the volume"},
		{"bad cluster in the chain", 0xff7, "leaves the volume at cluster 4087"},
		{"cluster behind the last", 31, "leaves the volume at cluster 31"},
		{"early end", 0xfff, "ends 188 bytes early"},
	};
	uint8_t v[SMALL_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		build(v);
		set_next(v, 3, cases[i].next);
		check_refused(cases[i].what, v, sizeof(v), "\\A.TXT", cases[i].part);
	}
	build(v);
	write_le32(v + ROOT + 64 + 28, 1001);
	set_next(v, 5, 6);
	check_refused("file above the buffer's limit", v, sizeof(v), "\\A.TXT", "are too many");
	build(v);
	write_le32(v + ROOT + 64 + 28, UINT32_MAX);
	check_refused("file of 4 GiB", v, sizeof(v), "\\A.TXT", "are too many");
}

static void test_directory_loops(void)
{
	uint8_t v[SMALL_SIZE];
	struct error err = ERROR_INIT;
	int count = 0;

	build(v);
	put_entry(v + CLUSTER(2) + 64, "AGAIN      ", 0x10, 2, 0);
	ok_int(fat_walk(v, sizeof(v), count_entry, &count, &err), -EINVAL, "directory in itself");
	ok_error(&err, "cluster 2 is used twice", "%s", err.message);
	check_refused("path through the loop", v, sizeof(v), "\\DIR\\AGAIN\\B", "used twice");

	build(v);
	set_next(v, 2, 2);
	memset(v + CLUSTER(2) + 128, 0xe5, SECTOR - 128);
	check_refused("endless directory", v, sizeof(v), "\\DIR\\C", "used twice");

	build(v);
	put_entry(v + ROOT + 96, "DIR        ", 0x10, 0, 0);
	check_refused("directory without clusters", v, sizeof(v), "\\DIR\\C", "leaves the volume");
}

/* Directories 1 to `depth`, each in the cluster of its number + 1. */
static int walk_depth(uint32_t depth, struct error *err)
{
	uint8_t v[SMALL_SIZE];
	int count = 0;

	build(v);
	for (uint32_t i = 1; i <= depth; i++) {
		uint8_t *e = v + (i == 1 ? ROOT : CLUSTER(i));

		memset(e, 0, SECTOR);
		put_entry(e, "D          ", 0x10, (uint16_t)(i + 1), 0);
		set_next(v, i + 1, 0xfff);
	}
	memset(v + CLUSTER(depth + 1), 0, SECTOR);
	return fat_walk(v, sizeof(v), count_entry, &count, err) ?: count;
}

static void test_depth(void)
{
	struct error err = ERROR_INIT;

	ok_int(walk_depth(16, &err), 16, "sixteen directories deep");
	ok_int(walk_depth(17, &err), -EINVAL, "seventeen are refused");
	ok_error(&err, "more than 16 deep", "%s", err.message);
}

static void test_orphaned_long_name(void)
{
	uint8_t v[SMALL_SIZE];
	CLEANUP_BUF struct buf list = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	uint8_t *e = v + ROOT;

	build(v);
	memset(e, 0, SECTOR);
	e[0] = 0x41;
	e[1] = 'x';
	e[11] = 0x0f;
	e[13] = 0x55; /* not the checksum of what follows */
	put_entry(e + 32, "LOWER   TXT", 0x20, 4, 1);
	e[32 + 12] = 0x18;
	fat_walk(v, sizeof(v), collect, &list, &err);
	ok_str(buf_text(&list), "\\lower.txt 1\n", "an orphan is ignored; the case bits count");
}

/* ------------------------------------------------- volumes made by dosfstools and mtools */

static void run(const char *const *argv, struct buf *output)
{
	struct error err = ERROR_INIT;

	need(process_run(&(struct process_options){.argv = argv, .output = output}, NULL, &err) ==
		     0,
	     "%s", err.message);
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL}, NULL)

/* Every second cluster of the volume's beginning becomes free. */
static void make_holes(const char *image, const char *filler)
{
	for (int i = 0; i < 12; i++) {
		CLEANUP_FREE char *name = string_printf("::/EFI/f%d", i);

		RUN("mcopy", "-i", image, filler, name);
	}
	for (int i = 0; i < 12; i += 2) {
		CLEANUP_FREE char *name = string_printf("::/EFI/f%d", i);

		RUN("mdel", "-i", image, name);
	}
}

/* FAT32 keeps a hint where to look for free clusters; without it mtools begins at the start. */
static void forget_hint(const char *image)
{
	static const uint8_t unknown[4] = {0xff, 0xff, 0xff, 0xff};
	CLEANUP_CLOSE int fd = open(image, O_WRONLY | O_CLOEXEC);
	struct error err = ERROR_INIT;

	need(io_pwrite_full(fd, unknown, 4, 512 + 492, image, &err) == 0, "%s", err.message);
}

#define LONG_DIRECTORY "a directory with a name of more than twenty-six letters"
#define LONG_NAME                                                                                  \
	"Gr\xc3\xbc\xc3\x9f"                                                                       \
	"e \xe2\x82\xac and 26 letters.efi"

static void check_tool_volume(const char *bits, const char *sectors)
{
	static const char path[] = "\\efi\\BOOT\\" LONG_DIRECTORY "\\" LONG_NAME;
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_IO_MAP struct io_map map = {NULL, 0};
	CLEANUP_BUF struct buf data = BUF_INIT(65536), fat = BUF_INIT(65536), got = BUF_INIT(65536);
	CLEANUP_FREE char *image = NULL, *file = NULL, *filler = NULL;
	struct error err = ERROR_INIT;
	int count = 0;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "%s", err.message);
	image = path_join(scratch.path, "fat");
	file = path_join(scratch.path, "file");
	filler = path_join(scratch.path, "filler");
	for (uint32_t i = 0; i < 5001; i++)
		buf_add_le32(&data, i * 2654435761u);
	need(io_write_file(file, data.data, data.len, 0600, &err) == 0, "%s", err.message);
	need(io_write_file(filler, "x", 1, 0600, &err) == 0, "%s", err.message);

	RUN("/usr/sbin/mkfs.fat", "-C", "-F", bits, "-s", "1", "-n", "KILN", image, sectors);
	RUN("mmd", "-i", image, "::/EFI", "::/EFI/BOOT", "::/EFI/BOOT/" LONG_DIRECTORY);
	make_holes(image, filler);
	if (strcmp(bits, "32") == 0)
		forget_hint(image);
	RUN("mcopy", "-i", image, file, "::/EFI/BOOT/" LONG_DIRECTORY "/" LONG_NAME);
	run((const char *const[]){"mshowfat", "-i", image,
				  "::/EFI/BOOT/" LONG_DIRECTORY "/" LONG_NAME, NULL},
	    &fat);
	ok(strchr(buf_text(&fat), '<') != strrchr(buf_text(&fat), '<'), "FAT%s: fragmented", bits);

	need(io_map_file(image, &map, &err) == 0, "%s", err.message);
	ok_int(fat_read_file(map.data, map.size, path, &got, &err), 0, "FAT%s: read %s", bits,
	       err.message);
	ok(got.len == data.len && memcmp(got.data, data.data, data.len) == 0, "FAT%s: contents",
	   bits);
	ok_int(fat_walk(map.data, map.size, count_entry, &count, &err), 0, "FAT%s: walk %s", bits,
	       err.message);
	ok_int(count, 3 + 6 + 1, "FAT%s: three directories, six fillers, one file", bits);
}

int main(void)
{
	test_small();
	test_paths();
	test_damage();
	test_table_too_short();
	test_chains();
	test_directory_loops();
	test_depth();
	test_orphaned_long_name();
	check_tool_volume("12", "1440");
	check_tool_volume("16", "16384");
	check_tool_volume("32", "40960");
	return tap_done();
}
