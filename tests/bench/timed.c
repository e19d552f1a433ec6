/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/*
 * timed FILE COMMAND...: runs the command and writes "WALL CPU RSS" of it into FILE, in microseconds, microseconds
 * and KiB; exits as the command did. /usr/bin/time counts hundredths of a second, too coarse here.
 * RSS is the largest of the command and its own finished children. Depends on nothing but libc, so that the shell
 * library can compile it.
 */

extern char **environ;

static uint64_t monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t timeval_us(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

static int run(char **argv, uint64_t *ret_wall, struct rusage *ret_usage)
{
	uint64_t start = monotonic_us();
	int status, code;
	pid_t pid;

	code = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (code) {
		fprintf(stderr, "timed: %s: %s\n", argv[0], strerror(code));
		return 127;
	}
	while (wait4(pid, &status, 0, ret_usage) < 0)
		if (errno != EINTR)
			return 127;
	*ret_wall = monotonic_us() - start;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct rusage usage = { .ru_maxrss = 0 };
	uint64_t wall = 0;
	FILE *out;
	int code;

	if (argc < 3) {
		fprintf(stderr, "usage: timed FILE COMMAND...\n");
		return 127;
	}
	code = run(argv + 2, &wall, &usage);
	out = fopen(argv[1], "w");
	if (!out || fprintf(out, "%" PRIu64 " %" PRIu64 " %ld\n", wall,
			    timeval_us(usage.ru_utime) + timeval_us(usage.ru_stime), usage.ru_maxrss) < 0 ||
	    fclose(out)) {
		fprintf(stderr, "timed: %s: %s\n", argv[1], strerror(errno));
		return 127;
	}
	return code;
}
