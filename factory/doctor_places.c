/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "doctor.h"

#define MIB (UINT64_C(1) << 20)

/* What the first image takes, doubled: store, layers and stage outputs; the disk; apt's and swtpm's small files. */
#define CACHE_MIB 6144
#define OUTPUT_MIB 1024
#define TMP_MIB 64

struct place {
	const char *subject, *path;
	uint64_t least_mib;
	const char *mend;
};

/* `path` itself, or the first directory above it that exists; malloc'ed. */
static char *existing(const char *path)
{
	char *p = string_copy(path);
	char *slash;

	while (!io_exists(p) && (slash = strrchr(p, '/'))) {
		if (slash == p)
			slash++;
		*slash = '\0';
	}
	if (io_exists(p))
		return p;
	free(p);
	return string_copy(".");
}

static void check_place(struct doctor *d, const struct place *place)
{
	CLEANUP_FREE char *path = existing(place->path);
	struct statvfs fs;
	uint64_t mib;

	if (access(path, W_OK | X_OK) < 0 || statvfs(path, &fs) < 0) {
		doctor_say(d, FINDING_FAIL, place->subject, place->mend, "%s: %s", path, strerror(errno));
		return;
	}
	mib = (uint64_t)fs.f_bavail * fs.f_frsize / MIB;
	if (mib < place->least_mib)
		doctor_say(d, FINDING_FAIL, place->subject, place->mend,
			   "%s has room for %" PRIu64 " MiB, and a build may take %" PRIu64, place->path, mib,
			   place->least_mib);
	else
		doctor_say(d, FINDING_OK, place->subject, NULL, "%s, room for %" PRIu64 " MiB, %" PRIu64 " needed",
			   place->path, mib, place->least_mib);
}

/* supermin copies its attributes, even when it is told of a kernel that lies elsewhere (guest.c). */
static void check_modules(struct doctor *d)
{
	if (io_exists("/lib/modules"))
		doctor_say(d, FINDING_OK, "modules", NULL, "/lib/modules exists, as supermin wants it");
	else
		doctor_say(d, FINDING_FAIL, "modules", "sudo mkdir -p /lib/modules",
			   "supermin wants the directory /lib/modules, even an empty one");
}

void doctor_check_places(struct doctor *d)
{
	const char *tmp = getenv("TMPDIR");
	const struct place places[] = {
		{ "cache", d->cache, CACHE_MIB, "free some room there, or set KILN_CACHE to another place" },
		{ "results", d->output, OUTPUT_MIB, "free some room there, or build with -o DIR" },
		{ "temporary", tmp && tmp[0] ? tmp : "/tmp", TMP_MIB,
		  "free some room there, or set TMPDIR to another place" },
	};

	for (size_t i = d->cache ? 0 : 1; i < ARRAY_SIZE(places); i++)
		check_place(d, &places[i]);
	check_modules(d);
}
