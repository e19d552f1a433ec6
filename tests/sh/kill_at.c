/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * For LD_PRELOAD: ends a process with SIGKILL at a chosen moment, exactly and again and again, however short the
 * moment is. The clock is the calls below that the process has made since it made a certain directory.
 *
 * KILL_BEGIN	pattern (fnmatch) of the directory's path: the clock starts
 * KILL_AFTER	so many calls later the process dies; 0: with the directory just made; absent: it does not
 * KILL_RENAME	pattern of what is renamed: the process dies before it is
 * KILL_CLOCK	file that gets the clock's state then
 *
 * Children that inherit this make no such directory, and live.
 */

static long after = -1, clock_now = -1;
static pid_t self;
static const char *begin_pattern, *rename_pattern, *clock_file;

__attribute__((constructor)) static void read_environment(void)
{
	const char *text = getenv("KILL_AFTER");

	self = getpid();
	begin_pattern = getenv("KILL_BEGIN");
	rename_pattern = getenv("KILL_RENAME");
	clock_file = getenv("KILL_CLOCK");
	if (text)
		after = strtol(text, NULL, 10);
}

static void die(void)
{
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

/* Several threads may come by, and a child before it becomes a program of its own. */
static void tick(void)
{
	if (getpid() != self || __atomic_load_n(&clock_now, __ATOMIC_RELAXED) < 0)
		return;
	if (__atomic_add_fetch(&clock_now, 1, __ATOMIC_RELAXED) == after)
		die();
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

int mkdir(const char *path, mode_t mode)
{
	int r = REAL(mkdir)(path, mode);

	tick();
	if (begin_pattern && fnmatch(begin_pattern, path, 0) == 0) {
		__atomic_store_n(&clock_now, 0, __ATOMIC_RELAXED);
		if (after == 0)
			die();
	}
	return r;
}

int rename(const char *from, const char *to)
{
	FILE *f;

	tick();
	if (rename_pattern && fnmatch(rename_pattern, from, 0) == 0) {
		f = clock_file ? fopen(clock_file, "w") : NULL;
		if (f) {
			(void)fprintf(f, "%ld\n", clock_now);
			(void)fclose(f);
		}
		die();
	}
	return REAL(rename)(from, to);
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	tick();
	return REAL(open)(path, flags, mode);
}

int close(int fd)
{
	tick();
	return REAL(close)(fd);
}

ssize_t write(int fd, const void *data, size_t size)
{
	tick();
	return REAL(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	tick();
	return REAL(pwrite)(fd, data, size, offset);
}

int ftruncate(int fd, off_t size)
{
	tick();
	return REAL(ftruncate)(fd, size);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	tick();
	return REAL(poll)(fds, count, timeout);
}
