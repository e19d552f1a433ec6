/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LOWER "/lower"
#define MEMORY "/memory"
#define ROOT "/sysroot"
#define INIT "/sbin/init"

static void make_directory(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die("cannot make directory %s: %s", path, strerror(errno));
}

static void mount_at(const char *source, const char *target, const char *type, unsigned long flags,
		     const char *options)
{
	make_directory(target);
	if (mount(source, target, type, flags, options) < 0)
		die("cannot mount %s (%s) at %s: %s", source, type, target, strerror(errno));
}

/*
 * What the machine writes goes to memory and is gone at the next boot; a quarter of it at most, so
 * that a program filling its disk cannot starve the others. The overlay holds its layers by itself:
 * detached, they cannot be reached by any path.
 */
void root_mount(const char *device)
{
	mount_at(device, LOWER, "erofs", MS_RDONLY, NULL);
	mount_at("tmpfs", MEMORY, "tmpfs", 0, "mode=0755,size=25%");
	make_directory(MEMORY "/upper");
	make_directory(MEMORY "/work");
	mount_at("overlay", ROOT, "overlay", 0,
		 "lowerdir=" LOWER ",upperdir=" MEMORY "/upper,workdir=" MEMORY "/work");
	if (umount2(LOWER, MNT_DETACH) < 0 || umount2(MEMORY, MNT_DETACH) < 0)
		die("cannot detach the layers of the root: %s", strerror(errno));
}

static void move_into_root(const char *path)
{
	char target[64];

	snprintf(target, sizeof(target), ROOT "%s", path);
	make_directory(target);
	if (mount(path, target, NULL, MS_MOVE, NULL) < 0)
		die("cannot move %s to the root: %s", path, strerror(errno));
}

/* Is it memory that would otherwise stay in use? Never delete from anything else. */
static bool is_memory(int dir)
{
	struct statfs fs;

	return fstatfs(dir, &fs) == 0 && (fs.f_type == RAMFS_MAGIC || fs.f_type == TMPFS_MAGIC);
}

/* Takes `fd`. What cannot be deleted costs a little memory and nothing else. */
static void delete_below(int fd, dev_t device)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != device)
			continue;
		if (S_ISDIR(st.st_mode)) {
			int below =
				openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (below >= 0)
				delete_below(below, device);
		}
		(void)unlinkat(fd, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
	}
	closedir(dir);
}

/* Takes `fd`, of the root directory before the switch. */
static void free_initramfs(int fd)
{
	struct stat st;

	if (is_memory(fd) && fstat(fd, &st) == 0)
		delete_below(fd, st.st_dev);
	else
		close(fd);
}

/*
 * `init=` is not honoured, nor are the arguments and the environment the kernel makes of words on
 * the command line: nobody shall get a shell by asking for one.
 */
void root_switch(void)
{
	static char *const arguments[] = {(char *)INIT, NULL};
	static char *const environment[] = {(char *)"HOME=/", (char *)"TERM=linux", NULL};
	int old = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (old < 0)
		die("cannot open the initramfs: %s", strerror(errno));
	move_into_root("/dev");
	move_into_root("/proc");
	move_into_root("/sys");
	if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		die("cannot switch to the root: %s", strerror(errno));
	free_initramfs(old);
	execve(INIT, arguments, environment);
	die("cannot start " INIT ": %s", strerror(errno));
}
