/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../factory/base/bytes.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/format/secure_variable.h"
#include "../factory/model/bootfile.h"
#include "../factory/model/manifest.h"
#include "tamper_bench.h"
#include "tamper_find.h"
#include "tamper_option.h"

/*
 * The rows. Where a change leads is not a matter of opinion: each statement below was seen, and is seen again each
 * time.
 */

#define BLOCK 4096

/* ---------------------------------------------------------------- the root */

/* Its superblock: no mount without it. */
static int data_at_boot(struct tamper_bench *b, struct error *err)
{
	return tamper_flip(b, tamper_partition_offset(b, TAMPER_ROOT) + 1024, err);
}

/* What the service reads when it is asked for its licence, and nobody before. */
#define LICENCE_PAGE "/licence"
#define LICENCE_TEXT "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION"

static int data_read_later(struct tamper_bench *b, struct error *err)
{
	const uint64_t root = tamper_partition_offset(b, TAMPER_ROOT);
	CLEANUP_IO_MAP struct io_map disk = { 0 };
	uint64_t at;
	int r = io_map_file(b->disk, &disk, err);

	if (r < 0)
		return r;
	if (!tamper_find(disk.data + root, tamper_partition_size(b, TAMPER_ROOT), LICENCE_TEXT, &at))
		return error_input(err, "the image has no file with the licence that its service gives out");
	return tamper_flip(b, root + at, err);
}

/* The block that the tree's root hash is of, right behind the superblock's. */
static int hash_tree(struct tamper_bench *b, struct error *err)
{
	return tamper_flip(b, tamper_partition_offset(b, TAMPER_VERITY) + BLOCK, err);
}

/* The salt (verity superblock, byte 88): every digest is another then. */
static int verity_superblock(struct tamper_bench *b, struct error *err)
{
	return tamper_flip(b, tamper_partition_offset(b, TAMPER_VERITY) + 88, err);
}

/* ---------------------------------------------------------------- the boot file */

static size_t find_text(const struct tamper_bench *b, const char *text)
{
	const uint8_t *found = memmem(b->image.data, b->image.len, text, strlen(text));

	return found ? (size_t)(found - b->image.data) : 0;
}

/* The first digit of "roothash=" becomes another digit. */
static int cmdline_root_hash(struct tamper_bench *b, struct error *err)
{
	size_t at = find_text(b, "roothash=");

	if (!at)
		return error_input(err, "the boot file's command line has no root hash");
	at += strlen("roothash=");
	b->image.data[at] = b->image.data[at] == '0' ? '1' : '0';
	return tamper_put(b, b->boot_path, b->image.data, b->image.len, err);
}

/* The kernel's real-mode part, which nobody runs here: the boot sector's message or its padding. */
static int section_linux(struct tamper_bench *b, struct error *err)
{
	return tamper_section(b, ".linux", 0x1e0, 0x55, err);
}

/* The middle of an archive that is compressed with a checksum. */
static int section_initrd(struct tamper_bench *b, struct error *err)
{
	return tamper_section(b, ".initrd", 0x10000, 0x55, err);
}

static int section_osrel(struct tamper_bench *b, struct error *err)
{
	return tamper_section(b, ".osrel", 0, 'p', err);
}

/* "console" becomes "xonsole", which the kernel does not know. */
static int section_cmdline(struct tamper_bench *b, struct error *err)
{
	return tamper_section(b, ".cmdline", 0, 'x', err);
}

static int unsigned_image(struct tamper_bench *b, struct error *err)
{
	return tamper_put(b, b->boot_path, b->in->unsigned_image, b->in->unsigned_size, err);
}

static int foreign_image(struct tamper_bench *b, struct error *err)
{
	return tamper_put(b, b->boot_path, b->in->foreign_image, b->in->foreign_size, err);
}

/* ---------------------------------------------------------------- the firmware's variables */

static int revoked(struct tamper_bench *b, struct error *err)
{
	(void)err;
	tamper_variables(b, &b->in->revoked_keys);
	return 0;
}

static int foreign_store(struct tamper_bench *b, struct error *err)
{
	(void)err;
	tamper_variables(b, &b->in->foreign_keys);
	return 0;
}

/* Held against the prediction with Secure Boot on. */
static int empty_store(struct tamper_bench *b, struct error *err)
{
	(void)err;
	b->options.variable_count = 0;
	return 0;
}

/* A boot option before all others, and the order that says so. */
static int boot_option(struct tamper_bench *b, const char *options, struct error *err)
{
	static const uint8_t order[] = { 0, 0 };
	CLEANUP_BOOTFILE struct bootfile *file = NULL;
	int r = bootfile_open(b->disk, &file, err);

	if (r == 0 && tamper_load_option(&file->gpt.partitions[TAMPER_ESP], file->boot_path, options, &b->texts) < 0)
		r = error_system(err, ENOMEM, "a boot option");
	if (r < 0)
		return r;
	tamper_variable(b, "Boot0000", efi_guid_global, b->texts.data, b->texts.len);
	tamper_variable(b, "BootOrder", efi_guid_global, order, sizeof(order));
	b->options.order_from_variables = true;
	return 0;
}

#define ADVISORY "systemd.verity=0 init=/bin/sh"

static int option_advisory(struct tamper_bench *b, struct error *err)
{
	/* In place of the image's whole command line; the first two only make that the end is seen. */
	return boot_option(b, "console=ttyS0 panic=-1 " ADVISORY, err);
}

/* The image's own command line, so that it boots, and the advisory's words behind it. */
static int option_appended(struct tamper_bench *b, struct error *err)
{
	CLEANUP_FREE char *options = string_printf("%s " ADVISORY, b->in->manifest->cmdline);

	return boot_option(b, options, err);
}

static int option_plain(struct tamper_bench *b, struct error *err)
{
	return boot_option(b, b->in->manifest->cmdline, err);
}

/* ---------------------------------------------------------------- beside the boot file */

static int addon(struct tamper_bench *b, struct error *err)
{
	int r = tamper_make_directory(b, "::/loader", err);

	if (r == 0)
		r = tamper_make_directory(b, "::/loader/addons", err);
	if (r == 0 && tamper_addon("kiln.tamper=addon", &b->texts) < 0)
		r = error_system(err, ENOMEM, "an add-on");
	return r < 0 ? r : tamper_put(b, "::/loader/addons/x.addon.efi", b->texts.data, b->texts.len, err);
}

static int credential(struct tamper_bench *b, struct error *err)
{
	int r = tamper_make_directory(b, "::/loader", err);

	if (r == 0)
		r = tamper_make_directory(b, "::/loader/credentials", err);
	return r < 0 ? r : tamper_put(b, "::/loader/credentials/x.cred", "kiln", 4, err);
}

/* ---------------------------------------------------------------- the machine */

static int smbios(struct tamper_bench *b, struct error *err)
{
	(void)err;
	b->options.smbios_string = "io.systemd.stub.kernel-cmdline-extra=kiln.tamper=smbios";
	return 0;
}

static int second_disk(struct tamper_bench *b, struct error *err)
{
	(void)err;
	b->options.second_disk = b->in->options->disk;
	return 0;
}

static int sha256_only(struct tamper_bench *b, struct error *err)
{
	(void)err;
	b->options.sha256_only = true;
	return 0;
}

/*
 * What one types at systemd-boot's and GRUB's menus. Not Escape: it enters EDK2's own menu, which PCR 4 then has, but only if
 * it comes at the right moment.
 */
static int typing(struct tamper_bench *b, struct error *err)
{
	(void)err;
	b->options.typed = "e " ADVISORY "\r\n";
	return 0;
}

/* ---------------------------------------------------------------- the disk */

/* The entries of root and hash tree change places in the table; nothing moves. */
static int swapped_partitions(struct tamper_bench *b, struct error *err)
{
	CLEANUP_CLOSE int fd = open(b->disk, O_RDWR | O_CLOEXEC);
	uint8_t head[GPT_HEAD_SIZE], entry[128];
	uint8_t *header = head + GPT_SECTOR, *entries = head + 2 * GPT_SECTOR + 128;
	int r;

	if (fd < 0)
		return error_system(err, errno, "%s", b->disk);
	r = io_pread_full(fd, head, sizeof(head), 0, b->disk, err);
	if (r < 0)
		return r;
	memcpy(entry, entries, 128);
	memmove(entries, entries + 128, 128);
	memcpy(entries + 128, entry, 128);
	write_le32(header + 88, gpt_crc32(head + 2 * GPT_SECTOR, (size_t)read_le32(header + 80) * 128));
	write_le32(header + 16, 0);
	write_le32(header + 16, gpt_crc32(header, read_le32(header + 12)));
	return io_pwrite_full(fd, head, sizeof(head), 0, b->disk, err);
}

static int truncated(struct tamper_bench *b, struct error *err)
{
	uint64_t end = tamper_partition_offset(b, TAMPER_ROOT) + tamper_partition_size(b, TAMPER_ROOT) / 2;

	return truncate(b->disk, (off_t)end) < 0 ? error_system(err, errno, "%s", b->disk) : 0;
}

/* ---------------------------------------------------------------- the table */

#define PCR(n) (1u << (n))
#define BOOTS(mask) { .end = BOOT_ANSWERED, .different = (mask) }
#define UNWELL(mask) { .end = BOOT_UNWELL, .different = (mask), .check_pcrs = true }
#define STOPS { .end = BOOT_STOPPED }
#define STOPS_WITH(mask) { .end = BOOT_STOPPED, .different = (mask), .check_pcrs = true }
#define REFUSED { .end = BOOT_REFUSED }
#define OFF(...) .off_applies = true, .off = __VA_ARGS__
#define ON(...) .on_applies = true, .on = __VA_ARGS__

const struct tamper_row tamper_rows[] = {
	{ "data-read-at-boot", "one bit of the root's superblock", true, OFF(STOPS), ON(STOPS), .apply = data_at_boot },
	{ "data-read-later", "one bit of what a page of the service is read from", true, OFF(BOOTS(0)), ON(BOOTS(0)),
	  .apply = data_read_later, .fetch = LICENCE_PAGE },
	{ "hash-tree", "one bit of the hash tree's top", true, OFF(STOPS), ON(STOPS), .apply = hash_tree },
	{ "verity-superblock", "one bit of the salt in the verity superblock", false, OFF(STOPS), ON(STOPS),
	  .apply = verity_superblock },
	{ "cmdline-root-hash", "another root hash in the boot file's command line", false, OFF(STOPS), ON(REFUSED),
	  .apply = cmdline_root_hash },
	{ "section-linux", "one byte of the kernel", true, OFF(BOOTS(PCR(4) | PCR(11))), ON(REFUSED), .apply = section_linux },
	{ "section-initrd", "one byte of the initrd", false, OFF(STOPS), ON(REFUSED), .apply = section_initrd },
	{ "section-osrel", "one byte of .osrel", false, OFF(BOOTS(PCR(4) | PCR(9) | PCR(11))), ON(REFUSED), .apply = section_osrel },
	{ "section-cmdline", "one byte of the command line", false, OFF(BOOTS(PCR(4) | PCR(9) | PCR(11))), ON(REFUSED),
	  .apply = section_cmdline },
	{ "unsigned", "the boot file without its signature", true, ON(REFUSED), .apply = unsigned_image },
	{ "signed-by-another", "the boot file signed with another key", false, ON(REFUSED), .apply = foreign_image },
	{ "revoked", "the signing certificate in dbx", false, ON(REFUSED), .apply = revoked },
	{ "foreign-store", "a variable store with somebody else's keys", false, ON(REFUSED), .apply = foreign_store },
	{ "empty-store", "a variable store without keys: Secure Boot off", true, ON(BOOTS(PCR(4) | PCR(7))),
	  .apply = empty_store },
	{ "boot-option-plain", "a boot option with the image's own command line", false, OFF(BOOTS(PCR(12))),
	  ON(BOOTS(0)), .apply = option_plain },
	{ "boot-option-advisory", "a boot option \"" ADVISORY "\"", false, OFF(STOPS_WITH(PCR(9) | PCR(12))),
	  ON(BOOTS(0)), .apply = option_advisory },
	{ "boot-option-appended", "a boot option with the command line and \"" ADVISORY "\"", true,
	  OFF(BOOTS(PCR(9) | PCR(12))), ON(BOOTS(0)), .apply = option_appended },
	{ "addon", "an unsigned add-on in the ESP", false, OFF(BOOTS(PCR(4) | PCR(9) | PCR(12))), ON(BOOTS(0)), .apply = addon },
	{ "credential", "a credential file in the ESP", true, OFF(BOOTS(PCR(9) | PCR(12))), ON(BOOTS(PCR(9) | PCR(12))),
	  .apply = credential },
	{ "smbios", "an SMBIOS string with kernel arguments", false, OFF(BOOTS(PCR(9) | PCR(12))), ON(BOOTS(PCR(9) | PCR(12))),
	  .apply = smbios },
	{ "second-disk", "a second disk with the same partition ids", false, OFF(STOPS), ON(STOPS), .apply = second_disk },
	{ "swapped-partitions", "root and hash tree in another order in the table", false, OFF(BOOTS(PCR(5))),
	  ON(BOOTS(PCR(5))), .apply = swapped_partitions },
	{ "truncated", "a disk that ends in the middle of the root", false, OFF(STOPS), ON(STOPS), .apply = truncated },
	{ "sha256-only", "a TPM without a SHA-384 bank", false,
	  OFF(UNWELL(PCR(4) | PCR(5) | PCR(7) | PCR(9) | PCR(11))), ON(UNWELL(PCR(4) | PCR(5) | PCR(7) | PCR(9) | PCR(11))),
	  .apply = sha256_only },
	{ "typing", "kernel arguments typed at the console from the start", false, OFF(BOOTS(0)), ON(BOOTS(0)),
	  .apply = typing },
};
const size_t tamper_row_count = sizeof(tamper_rows) / sizeof(tamper_rows[0]);
