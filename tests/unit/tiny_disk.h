/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_TINY_DISK_H
#define KILN_TESTS_UNIT_TINY_DISK_H

#include "factory/format/uki.h"
#include "stages/registry.h"
#include "stages/verity.h"
#include "tests/unit/pe_image.h"
#include "tests/unit/stage_fixture.h"

/*
 * A whole small disk, by the stages that run in this process: a root of random blocks, its hash tree,
 * a UKI of hand-made PE images, an ESP made with dosfstools and mtools.
 */

#define TINY_BLOCKS 200

static void tiny_uki(struct fixture *f, uint16_t machine, const char *root_hash)
{
	struct buf stub = BUF_INIT(65536), kernel = BUF_INIT(65536), uki = BUF_INIT(1 << 20);
	CLEANUP_FREE char *cmdline = string_printf("quiet roothash=%s", root_hash);
	struct error err = ERROR_INIT;

	image_stub(&stub, IMAGE_MAGIC("257.13-1"));
	image_kernel(&kernel);

	const struct uki_part parts[UKI_SECTIONS] = {
		[UKI_LINUX] = { kernel.data, kernel.len },
		[UKI_OSREL] = { (const uint8_t *)"ID=tiny\n", 8 },
		[UKI_CMDLINE] = { (const uint8_t *)cmdline, strlen(cmdline) },
		[UKI_INITRD] = { (const uint8_t *)"initrd", 6 },
	};

	need(uki_write(stub.data, stub.len, parts, &uki, &err) == 0, "UKI: %s", err.message);
	write_le16(uki.data + read_le32(uki.data + 0x3c) + 4, machine);
	fixture_input(f, "uki.efi", uki.data, uki.len);
	buf_free(&stub);
	buf_free(&kernel);
	buf_free(&uki);
}

static void tiny_esp(struct fixture *f)
{
	CLEANUP_FREE char *esp = path_join(f->scratch.path, "esp.img");
	CLEANUP_BUF struct buf out = BUF_INIT(65536);
	CLEANUP_FREE char *boot_file = string_printf("::/EFI/BOOT/%s", f->plan.arch->efi_name);
	struct error err = ERROR_INIT;
	const char *uki;

	need(fixture_run(f, &stage_sign, &err) == 0, "boot file: %s", err.message);
	fixture_hand_on(f, "boot.efi");
	uki = artifacts_path(f->artifacts, "boot.efi");
	need(fixture_tool((const char *const[]) { "mkfs.fat", "-i", "12345678", "--invariant", "-C", esp, "2048",
						  NULL }, &out) == 0,
	     "mkfs.fat");
	need(fixture_tool((const char *const[]) { "mmd", "-i", esp, "::/EFI", "::/EFI/BOOT", NULL }, &out) == 0,
	     "mmd");
	need(fixture_tool((const char *const[]) { "mcopy", "-i", esp, uki, boot_file, NULL }, &out) == 0, "mcopy");
	artifacts_add(f->artifacts, "esp.img", esp, "esp.img");
}

/* What the manifest says of the boot proof's firmware comes out of the lock. */
__attribute__((unused))
static void tiny_firmware(struct fixture *f)
{
	struct lock_set *set = &f->lock->sets[LOCK_FIRMWARE];
	struct locked_package *p = calloc(1, sizeof(*p));

	need(p, "memory");
	p->name = string_copy("ovmf");
	p->version = string_copy("2025.02-8");
	p->architecture = string_copy("all");
	p->repository = string_copy("debian");
	p->path = string_copy("pool/main/e/edk2/ovmf_2025.02-8_all.deb");
	memset(p->sha256, 'a', 64);
	set->packages = p;
	set->count = 1;
}

/* What a disk is made for, and with. */
struct tiny {
	const struct architecture *arch;	/* of the disk */
	uint16_t machine;			/* of the boot file */
	const char *claimed;			/* root hash of the command line; NULL: the root's own */
	const struct keyring *keyring;
	bool signature_pending;
};

static void tiny_disk_make(struct fixture *f, const struct tiny *t)
{
	char root_hash[ROOT_HASH_DIGITS + 1];
	struct error err = ERROR_INIT;

	fixture_open(f);
	f->plan.arch = t->arch;
	f->plan.keyring = t->keyring;
	f->plan.signature_pending = t->signature_pending;
	fixture_pattern(f, "root.erofs", TINY_BLOCKS * 4096);
	need(fixture_run(f, &stage_verity, &err) == 0, "verity: %s", err.message);
	fixture_hand_on(f, "root.verity");
	fixture_hand_on(f, "root.hash");
	need(verity_root_hash(f->artifacts, root_hash, &err) == 0, "root hash: %s", err.message);
	tiny_uki(f, t->machine, t->claimed ? t->claimed : root_hash);
	tiny_esp(f);
	need(fixture_run(f, &stage_disk, &err) == 0, "disk: %s", err.message);
	fixture_hand_on(f, "disk.raw");
}

/* For that architecture, with a boot file for that machine. The command line names `claimed`, or the root's own hash
 * when that is NULL. */
__attribute__((unused))
static void tiny_disk_for(struct fixture *f, const struct architecture *arch, uint16_t machine, const char *claimed)
{
	tiny_disk_make(f, &(struct tiny) { .arch = arch, .machine = machine, .claimed = claimed });
}

__attribute__((unused))
static void tiny_disk(struct fixture *f, const char *claimed)
{
	tiny_disk_for(f, architecture_default(), architecture_default()->pe_machine, claimed);
}

/* Signed with that keyring, or prepared to be; not at all when it is NULL. */
__attribute__((unused))
static void tiny_disk_signed(struct fixture *f, const struct keyring *keyring, bool pending)
{
	tiny_disk_make(f, &(struct tiny) {
		.arch = architecture_default(), .machine = architecture_default()->pe_machine,
		.keyring = keyring, .signature_pending = pending,
	});
}

#endif
