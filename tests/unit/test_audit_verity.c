/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <fcntl.h>

#include "factory/audit_verity.h"
#include "factory/model/bootfile.h"
#include "tests/unit/tiny_disk.h"

static const char *disk_path(const struct fixture *f)
{
	return artifacts_path(f->artifacts, "disk.raw");
}

static uint64_t offset_of(const struct fixture *f, const uint8_t type[static 16])
{
	CLEANUP_BOOTFILE struct bootfile *b = NULL;
	struct error err = ERROR_INIT;

	need(bootfile_open(disk_path(f), &b, &err) == 0, "%s", err.message);
	return bootfile_partition(b, type)->offset;
}

static void flip(const struct fixture *f, uint64_t offset)
{
	CLEANUP_CLOSE int fd = open(disk_path(f), O_RDWR | O_CLOEXEC);
	struct error err = ERROR_INIT;
	uint8_t byte;

	need(fd >= 0 && io_pread_full(fd, &byte, 1, offset, "disk", &err) == 0, "a byte");
	byte ^= 1;
	need(io_pwrite_full(fd, &byte, 1, offset, "disk", &err) == 0, "%s", err.message);
}

/* `part` NULL: it must hold. */
static void expect(struct fixture *f, const char *part, const char *about)
{
	CLEANUP_FREE char *copy = path_join(f->scratch.path, "copy");
	CLEANUP_BOOTFILE struct bootfile *b = NULL;
	struct error err = ERROR_INIT;
	struct stat st;
	int r;

	need(bootfile_open(disk_path(f), &b, &err) == 0, "%s", err.message);
	r = audit_verity_copy(b, copy, f->scratch.path, &err);
	if (part) {
		ok(r < 0 && err.kind == ERROR_VERDICT, "%s: the verdict is no", about);
		ok_error(&err, part, "%s: for this reason", about);
	} else {
		ok_int(r, 0, "%s: it holds (%s)", about, err.message);
	}
	ok(stat(copy, &st) == 0 && st.st_size == TINY_BLOCKS * 4096, "%s: the copy is there all the same", about);
	fixture_close(f);
}

int main(void)
{
	struct fixture f;

	tiny_disk(&f, NULL);
	expect(&f, NULL, "a disk as it was made");
	tiny_disk(&f, NULL);
	flip(&f, offset_of(&f, gpt_type_root_x86_64));
	expect(&f, "does not have the root hash", "the first byte of the root");
	tiny_disk(&f, NULL);
	flip(&f, offset_of(&f, gpt_type_root_x86_64) + TINY_BLOCKS * 4096 - 1);
	expect(&f, "does not have the root hash", "the last byte of the root");
	tiny_disk(&f, NULL);
	flip(&f, offset_of(&f, gpt_type_root_x86_64) + TINY_BLOCKS * 4096);
	expect(&f, "behind what the hash tree covers", "the byte behind it");
	tiny_disk(&f, NULL);
	flip(&f, offset_of(&f, gpt_type_root_verity_x86_64) + 4096);
	expect(&f, "does not have the root hash", "the top of the hash tree");
	tiny_disk(&f, NULL);
	flip(&f, offset_of(&f, gpt_type_root_verity_x86_64) + 2 * 4096);
	expect(&f, "the hash tree on the disk is not that", "a lower block of the hash tree");
	return tap_done();
}
