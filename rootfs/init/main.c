/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel's command line is at most 4 KiB on any architecture, with a boot configuration 32. */
#define COMMAND_LINE_MAX 65536

/* /run is left to the system's own init, which knows its size. */
static void mount_kernel(void)
{
	static const struct {
		const char *type, *target;
		unsigned long flags;
		const char *options;
	} mounts[] = {
		{"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
		{"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
		{"devtmpfs", "/dev", MS_NOSUID, "mode=0755"},
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].target, 0755);
		if (mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
			  mounts[i].options) < 0)
			die("cannot mount %s: %s", mounts[i].target, strerror(errno));
	}
}

/* A machine without a console has to boot as well. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	if (fd < 0)
		die("cannot open /dev/null: %s", strerror(errno));
	for (int standard = 0; standard <= 2; standard++)
		if (fd != standard && dup2(fd, standard) < 0)
			die("cannot open the console: %s", strerror(errno));
	if (fd > 2)
		close(fd);
}

static void read_roothash(struct roothash *ret)
{
	static char command_line[COMMAND_LINE_MAX];
	const char *problem;

	if (!text_read("/proc/cmdline", command_line, sizeof(command_line)))
		die("cannot read the kernel command line");
	problem = roothash_parse(command_line, ret);
	if (problem)
		die("%s", problem);
}

int main(void)
{
	char device[BLOCK_NAME_SIZE];
	struct partition data, tree;
	struct roothash roothash;

	if (getpid() != 1) {
		dprintf(STDERR_FILENO, "this is the /init of an initrd, and no program to run\n");
		return 1;
	}
	mount_kernel();
	open_console();
	read_roothash(&roothash);
	modules_load();
	partitions_wait(&roothash, &data, &tree);
	verity_open(&roothash, &data, &tree, device);
	root_mount(device);
	root_switch();
}
