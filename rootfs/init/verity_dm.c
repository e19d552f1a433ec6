/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../factory/format/verity.h"

#define CONTROL "/dev/mapper/control"
#define NAME "root"
#define BLOCK_SIZE 4096
#define SECTOR_SIZE 512

/* What DM_TABLE_LOAD takes: the header, one target, its parameters. */
struct table {
	struct dm_ioctl header;
	struct dm_target_spec target;
	char parameters[1024];
};

static void read_superblock(const struct partition *tree, struct verity_superblock *ret)
{
	uint8_t bytes[VERITY_SUPERBLOCK_SIZE];
	char path[BLOCK_NAME_SIZE + 8];
	const char *problem;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", tree->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("cannot open %s: %s", path, strerror(errno));
	n = pread(fd, bytes, sizeof(bytes), 0);
	close(fd);
	if (n < 0)
		die("cannot read %s: %s", path, strerror(errno));
	problem = verity_parse(bytes, (size_t)n, ret);
	if (problem)
		die("%s: %s", path, problem);
}

/*
 * The superblock is not itself verified. A wrong block count or salt gives another root hash, so
 * only what would weaken the scheme, or make a message obscure, has to be looked at.
 */
static void check_superblock(const struct verity_superblock *sb, const struct partition *data)
{
	if (strcmp(sb->algorithm, "sha256") != 0)
		die("verity: the algorithm is %s, not sha256", sb->algorithm);
	if (sb->data_block_size != BLOCK_SIZE || sb->hash_block_size != BLOCK_SIZE)
		die("verity: blocks of %" PRIu32 " and %" PRIu32 " bytes, not %d",
		    sb->data_block_size, sb->hash_block_size, BLOCK_SIZE);
	if (sb->data_blocks > data->size / BLOCK_SIZE)
		die("verity: %" PRIu64 " data blocks do not fit %s", sb->data_blocks, data->name);
}

static struct dm_ioctl header(size_t size)
{
	struct dm_ioctl io = {
		.version = {DM_VERSION_MAJOR, 0, 0},
		.data_size = (uint32_t)size,
		.data_start = sizeof(struct dm_ioctl),
		.name = NAME,
	};

	return io;
}

static void call(int control, unsigned long request, struct dm_ioctl *io, const char *what)
{
	if (ioctl(control, request, io) < 0)
		die("verity: cannot %s: %s", what, strerror(errno));
}

/*
 * panic_on_corruption: a block that does not match means that the disk was changed under a running
 * machine. An I/O error would leave programs to go on without the file in question; a restart would
 * do so in a loop. The tree begins at block 1, behind the superblock's.
 */
static void describe_target(struct table *t, const struct roothash *roothash,
			    const struct verity_superblock *sb, const struct partition *data,
			    const struct partition *tree)
{
	char root[2 * ROOTHASH_SIZE + 1], salt[2 * sizeof(sb->salt) + 1];

	hex_format(roothash->bytes, ROOTHASH_SIZE, root);
	hex_format(sb->salt, sb->salt_size, salt);
	t->target.sector_start = 0;
	t->target.length = sb->data_blocks * (BLOCK_SIZE / SECTOR_SIZE);
	snprintf(t->target.target_type, sizeof(t->target.target_type), "verity");
	snprintf(t->parameters, sizeof(t->parameters),
		 "1 %s %s %d %d %" PRIu64 " 1 sha256 %s %s 1 panic_on_corruption", data->number,
		 tree->number, BLOCK_SIZE, BLOCK_SIZE, sb->data_blocks, root,
		 sb->salt_size ? salt : "-");
}

/* The ioctl's device number keeps the low eight bits of the minor apart from the upper twelve. */
static unsigned int minor_of(uint64_t device)
{
	return (unsigned int)((device & 0xff) | (device >> 12 & 0xfff00));
}

void verity_open(const struct roothash *roothash, const struct partition *data,
		 const struct partition *tree, char ret[static BLOCK_NAME_SIZE])
{
	struct dm_ioctl create = header(sizeof(create)), resume = header(sizeof(resume));
	struct table table = {.header = header(sizeof(table))};
	struct verity_superblock sb;
	int control;

	read_superblock(tree, &sb);
	check_superblock(&sb, data);
	control = open(CONTROL, O_RDWR | O_CLOEXEC);
	if (control < 0)
		die("cannot open " CONTROL ": %s", strerror(errno));
	call(control, DM_DEV_CREATE, &create, "create the device");
	table.header.target_count = 1;
	table.header.flags = DM_READONLY_FLAG;
	describe_target(&table, roothash, &sb, data, tree);
	call(control, DM_TABLE_LOAD, &table.header, "load the table");
	resume.flags = DM_READONLY_FLAG;
	call(control, DM_DEV_SUSPEND, &resume, "start the device");
	close(control);
	snprintf(ret, BLOCK_NAME_SIZE, "/dev/dm-%u", minor_of(create.dev));
	report("root is %s, verified by %s", data->name, tree->name);
}
