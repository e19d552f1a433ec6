/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../factory/format/gpt.h"

#define CLASS "/sys/class/block"
#define WAIT_MS 30000
#define SYSFS_SECTOR 512

/* ---------------------------------------------------------------- the kernel's names and numbers */

static bool attribute_read(const char *disk, const char *name, const char *attribute, char *ret,
			   size_t size)
{
	char path[512];

	snprintf(path, sizeof(path), CLASS "/%s/%s/%s", disk, name, attribute);
	return text_read(path, ret, size);
}

static uint64_t size_of(const char *disk, const char *name)
{
	char text[32];

	if (!attribute_read(disk, name, "size", text, sizeof(text)))
		return 0;
	return strtoull(text, NULL, 10) * SYSFS_SECTOR;
}

/* Is this directory below the disk's the partition of that number? Then it is described. */
static bool is_partition(const char *disk, const char *name, unsigned int number,
			 struct partition *ret)
{
	char text[32];

	if (name[0] == '.' || strlen(name) >= sizeof(ret->name) ||
	    !attribute_read(disk, name, "partition", text, sizeof(text)) ||
	    strtoul(text, NULL, 10) != number ||
	    !attribute_read(disk, name, "dev", ret->number, sizeof(ret->number)))
		return false;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->size = size_of(disk, name);
	return true;
}

/* nvme0n1p2, sda2, vda2: the name is not built from the number but found by it. */
static bool find_kernel_partition(const char *disk, unsigned int number, struct partition *ret)
{
	char path[512];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), CLASS "/%s", disk);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = is_partition(disk, entry->d_name, number, ret);
	closedir(dir);
	return found;
}

/* ---------------------------------------------------------------- one disk */

static bool read_head(const char *disk, uint8_t head[static GPT_HEAD_SIZE])
{
	char path[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", disk);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = pread(fd, head, GPT_HEAD_SIZE, 0);
	close(fd);
	return n == GPT_HEAD_SIZE;
}

static const char *read_gpt(const char *disk, struct gpt *ret)
{
	uint8_t head[GPT_HEAD_SIZE];

	if (!read_head(disk, head))
		return "it cannot be read";
	return gpt_parse(head, sizeof(head), size_of(disk, "."), ret);
}

/* The number of the partition of that id; 0 if there is none. */
static unsigned int find_id(const char *disk, const struct gpt *gpt, const uint8_t id[static 16])
{
	unsigned int number = 0;

	for (unsigned int i = 0; i < gpt->count; i++) {
		if (memcmp(gpt->partitions[i].id, id, 16) != 0)
			continue;
		if (number)
			die("disk %s has two partitions of one id: %u and %u", disk, number,
			    gpt->partitions[i].number);
		number = gpt->partitions[i].number;
	}
	return number;
}

/* NULL if the disk has both partitions, else what it lacks. */
static const char *examine_disk(const char *disk, const struct roothash *roothash,
				struct partition *ret_data, struct partition *ret_tree)
{
	unsigned int data, tree;
	struct gpt gpt;
	const char *problem = read_gpt(disk, &gpt);

	if (problem)
		return problem;
	data = find_id(disk, &gpt, roothash->data_id);
	tree = find_id(disk, &gpt, roothash->tree_id);
	if (!data && !tree)
		return "it has neither partition";
	if (!data || !tree)
		return data ? "it has the data partition only" : "it has the hash partition only";
	if (!find_kernel_partition(disk, data, ret_data) ||
	    !find_kernel_partition(disk, tree, ret_tree))
		return "the kernel does not show its partitions";
	return NULL;
}

/* ---------------------------------------------------------------- all disks */

/*
 * Partitions are listed beside the disks, and so are the paths of an NVMe disk that could have
 * several (hidden: they have no device node). A device without a medium has no size.
 */
static bool is_disk(const char *name)
{
	char text[32];

	if (name[0] == '.' || strlen(name) >= BLOCK_NAME_SIZE ||
	    attribute_read(name, ".", "partition", text, sizeof(text)))
		return false;
	if (attribute_read(name, ".", "hidden", text, sizeof(text)) && strcmp(text, "1") == 0)
		return false;
	return size_of(name, ".") > 0;
}

/*
 * Two disks that both carry the ids are refused. Verity would protect the data whichever was
 * taken, but a machine with a second copy of its root attached is not as it was shipped.
 */
static bool find_partitions(const struct roothash *roothash, bool explain,
			    struct partition *ret_data, struct partition *ret_tree)
{
	char found[BLOCK_NAME_SIZE] = "";
	struct dirent *entry;
	DIR *dir = opendir(CLASS);

	if (!dir)
		die("cannot list " CLASS ": %s", strerror(errno));
	while ((entry = readdir(dir))) {
		struct partition data, tree;
		const char *problem;

		if (!is_disk(entry->d_name))
			continue;
		problem = examine_disk(entry->d_name, roothash, &data, &tree);
		if (problem && explain)
			report("disk %s: %s", entry->d_name, problem);
		if (problem)
			continue;
		if (found[0])
			die("both disks %s and %s carry the partitions of this root hash", found,
			    entry->d_name);
		snprintf(found, sizeof(found), "%s", entry->d_name);
		*ret_data = data;
		*ret_tree = tree;
	}
	closedir(dir);
	return found[0];
}

/* ---------------------------------------------------------------- waiting */

static int open_events(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("cannot listen for devices: %s", strerror(errno));
	return fd;
}

/* What the events say does not matter: any of them is a reason to look again. */
static void wait_event(int events, int64_t timeout_ms)
{
	struct pollfd poll_fd = {.fd = events, .events = POLLIN};
	char message[4096];

	if (poll(&poll_fd, 1, (int)timeout_ms) <= 0)
		return;
	/* ENOBUFS: some were lost, more may be there. */
	while (recv(events, message, sizeof(message), 0) >= 0 || errno == ENOBUFS)
		;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void give_up(const struct roothash *roothash)
{
	char data[PARTUUID_TEXT_SIZE], tree[PARTUUID_TEXT_SIZE];
	struct partition unused[2];

	/* Once more, to say of every disk what it lacks. */
	(void)find_partitions(roothash, true, &unused[0], &unused[1]);
	partuuid_format(roothash->data_id, data);
	partuuid_format(roothash->tree_id, tree);
	die("no disk with the partitions %s (data) and %s (hash tree) within %d seconds", data,
	    tree, WAIT_MS / 1000);
}

void partitions_wait(const struct roothash *roothash, struct partition *ret_data,
		     struct partition *ret_tree)
{
	/* Listening begins before the first look, so that nothing falls between. */
	int events = open_events();
	int64_t deadline = now_ms() + WAIT_MS;

	while (!find_partitions(roothash, false, ret_data, ret_tree)) {
		int64_t left = deadline - now_ms();

		if (left <= 0)
			give_up(roothash);
		wait_event(events, left);
	}
	close(events);
}
