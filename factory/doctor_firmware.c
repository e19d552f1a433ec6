/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../rootfs/packages/ovmf.h"
#include "../rootfs/packages/packages.h"
#include "../rootfs/packages/store.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "doctor.h"

/*
 * The boot proof takes the firmware of the lock and no other. Builds of the host are looked at all the same:
 * who boots a disk by hand with one that has no Secure Boot driver meets another PCR 7.
 */

#define SUBJECT "OVMF"
#define NAMES_MAX 4096

static void say_build(struct doctor *d, const char *path)
{
	struct error err = ERROR_INIT;
	bool has;

	if (ovmf_has_secure_boot(path, &has, &err) < 0)
		doctor_say(d, FINDING_FAIL, SUBJECT, NULL, "%s", err.message);
	else if (!has)
		doctor_say(d, FINDING_FAIL, SUBJECT, "kiln fetch --update DIR",
			   "%s, of the lock, has no Secure Boot driver: its PCR 7 is not that of EC2", path);
	else
		doctor_say(d, FINDING_OK, SUBJECT, NULL,
			   "with a Secure Boot driver, so PCR 7 is as on EC2; boot proofs use it: %s", path);
}

static void check_locked(struct doctor *d, const struct store *store, const char *sha256)
{
	CLEANUP_FREE char *code = NULL, *vars = NULL;
	struct error err = ERROR_INIT;

	if (packages_firmware(store, sha256, d->cache, &code, &vars, &err) < 0)
		doctor_say(d, FINDING_FAIL, SUBJECT, "kiln fetch DIR", "%s", err.message);
	else
		say_build(d, code);
}

static void check_store(struct doctor *d)
{
	CLEANUP_NAMES char **unpacked = doctor_unpacked(d->cache, "firmware");
	CLEANUP_STORE struct store *store = NULL;
	struct error err = ERROR_INIT;

	if (store_open(d->cache, &store, &err) < 0) {
		doctor_say(d, FINDING_FAIL, SUBJECT, NULL, "%s", err.message);
		return;
	}
	if (d->lock) {
		const struct lock_set *set = &d->lock->sets[LOCK_FIRMWARE];

		for (size_t i = 0; i < set->count; i++)
			check_locked(d, store, set->packages[i].sha256);
		return;
	}
	for (char **name = unpacked; *name; name++)
		check_locked(d, store, *name);
	if (!unpacked[0])
		doctor_say(d, FINDING_WARN, SUBJECT, "kiln fetch DIR, then kiln doctor DIR",
			   "none in the cache yet; it comes with a description's lock");
}

/* ---------------------------------------------------------------- the host's own */

struct builds {
	unsigned int with;
	struct buf without;	/* paths, parted by ", " */
};

static void look_at(struct builds *b, const char *path)
{
	struct error ignored = ERROR_INIT;
	struct stat st;
	bool has;

	/* Links name what is listed anyway. What is no OVMF (a variable store) is of no interest. */
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || ovmf_has_secure_boot(path, &has, &ignored) < 0)
		return;
	if (has)
		b->with++;
	else if (buf_printf(&b->without, "%s%s", b->without.len ? ", " : "", path) < 0)
		return;	/* too many to name */
}

static int is_build(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return end && strcmp(end, ".fd") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void look_in(struct builds *b, const char *directory)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, is_build, by_name);

	for (int i = 0; i < count; i++) {
		CLEANUP_FREE char *path = path_join(directory, entries[i]->d_name);

		look_at(b, path);
		free(entries[i]);
	}
	free(entries);
}

static void check_others(struct doctor *d)
{
	/* Debian, Fedora, Arch */
	static const char *const places[] = { "/usr/share/OVMF", "/usr/share/edk2/ovmf",
					      "/usr/share/edk2/x64" };
	struct builds b = { .without = BUF_INIT(NAMES_MAX) };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		look_in(&b, places[i]);
	if (b.with)
		doctor_say(d, FINDING_OK, SUBJECT, NULL,
			   "%u build%s of the host %s a Secure Boot driver; Kiln does not use %s", b.with,
			   b.with == 1 ? "" : "s", b.with == 1 ? "has" : "have", b.with == 1 ? "it" : "them");
	if (b.without.len)
		doctor_say(d, FINDING_WARN, SUBJECT, "boot by hand with a .secboot.fd",
			   "without a Secure Boot driver, so with another PCR 7 than EC2 (Kiln does not use it): %s",
			   buf_text(&b.without));
	buf_free(&b.without);
}

void doctor_check_firmware(struct doctor *d)
{
	if (d->cache)
		check_store(d);
	check_others(d);
}
