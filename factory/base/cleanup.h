/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_CLEANUP_H
#define KILN_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Cleanup attributes for libc's own types. Foreign libraries' types have theirs in their wrapper. */

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}
static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}
static inline void cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}
/* Removes the file named by a malloc'ed path unless it was taken (TAKE_PTR) before. */
static inline void cleanup_unlink_free(char **path)
{
	if (*path)
		unlink(*path);
	free(*path);
}

#define CLEANUP_FREE __attribute__((cleanup(cleanup_free)))
#define CLEANUP_CLOSE __attribute__((cleanup(cleanup_close)))
#define CLEANUP_FCLOSE __attribute__((cleanup(cleanup_fclose)))
#define CLEANUP_CLOSEDIR __attribute__((cleanup(cleanup_closedir)))
#define CLEANUP_UNLINK_FREE __attribute__((cleanup(cleanup_unlink_free)))

/* The value, leaving NULL (-1) behind: ownership moves to whoever gets it. */
#define TAKE_PTR(p) ({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })
#define TAKE_FD(fd) ({ int taken_ = (fd); (fd) = -1; taken_; })

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
