/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_ARCHITECTURE_H
#define KILN_MODEL_ARCHITECTURE_H

#include <stddef.h>
#include <stdint.h>

/*
 * What differs from one processor to the next: the one table, a line an architecture. An image has
 * one, which its description says; the tools that make it have that of the machine they run on.
 */
struct architecture {
	const char *name;		/* uname -m; in descriptions, manifests, file names: "x86_64" */
	const char *deb;		/* Debian's: "amd64" */
	const char *triple;		/* of Debian's directories and of its compilers: "x86_64-linux-gnu" */
	const char *loader;		/* absolute, as programs name it */
	const char *efi_name;		/* UEFI 3.5.1.1, removable media: "BOOTX64.EFI" */
	uint16_t pe_machine;		/* of the boot file */
	uint16_t elf_machine;
	const char *stub_path;		/* systemd's, in its package */
	const char *firmware;		/* Debian's package of the firmware that a boot is proved with */
	const uint8_t *root_type, *verity_type;	/* partitions: Discoverable Partitions Specification, 16 bytes */
	const char *root_label, *verity_label;
	/* Packages: of the set of tools, where they make programs for this architecture; the second also has
	 * gcc's own part of every program, where it is the tools' own. */
	const char *binutils, *compiler;
	const char *kernel;		/* of the appliance */
	const char *emulator;		/* of its programs on other machines, in Debian's qemu-user: "usr/bin/qemu-x86_64" */
	const char *emulation;		/* ld -m */
	const char *assembler;		/* an option of as, or NULL */
	const char *protection;		/* of control flow, in the compiler's words */
};

extern const struct architecture architectures[];
extern const size_t architecture_count;

/* By name; NULL when Kiln makes no images for it. */
const struct architecture *architecture_find(const char *name);
/* By the type of a root or a verity partition, in on-disk byte order; NULL when it is no such type. */
const struct architecture *architecture_of_root(const uint8_t type[static 16]);
const struct architecture *architecture_of_verity(const uint8_t type[static 16]);
/* What this program is compiled for, and with it the tools it runs. */
const struct architecture *architecture_host(void);
/* What an image is for whose description says nothing: never the host's, or two hosts would differ. */
const struct architecture *architecture_default(void);

#endif
