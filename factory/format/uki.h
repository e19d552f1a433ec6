/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_UKI_H
#define KILN_FORMAT_UKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pe.h"

struct buf;
struct error;

/*
 * Unified kernel images: UAPI Group Specification "UKI"; section order and measuring rules of
 * systemd-stub (its src/fundamental/uki.h). The one table below is the order in which the stub
 * measures sections into PCR 11; the writer and the predictor both use it.
 */

enum uki_section {	/* DO NOT REORDER: this is the stub's measuring order */
	UKI_LINUX, UKI_OSREL, UKI_CMDLINE, UKI_INITRD, UKI_UCODE, UKI_SPLASH, UKI_DTB, UKI_UNAME,
	UKI_SBAT, UKI_PCRSIG, UKI_PCRPKEY, UKI_PROFILE, UKI_DTBAUTO, UKI_HWIDS,
};
#define UKI_SECTIONS 14

struct uki_section_rule {
	const char *name;		/* ".linux" */
	bool measured;			/* .pcrsig never is */
	unsigned int since;		/* first stub version that knows it */
};
extern const struct uki_section_rule uki_section_rules[UKI_SECTIONS];

struct uki_part {
	const uint8_t *data;		/* NULL: absent */
	size_t size;
};

/*
 * Writes stub + parts into `ret` (appended; give an empty buf). Sections are placed after the
 * stub's own, in table order, aligned by the stub's SectionAlignment and FileAlignment; SizeOfImage
 * and NumberOfSections follow, the checksum field is zero; the result is a multiple of 8 bytes long
 * so that signing tools, which pad to 8, do not change its digest. Parts whose section is already in
 * the stub (.sbat) are refused. Same input, same bytes.
 */
int uki_write(const uint8_t *stub, size_t stub_size, const struct uki_part parts[static UKI_SECTIONS],
	      struct buf *ret, struct error *err);

/* The stub's version from .sdmagic ("#### LoaderInfo: systemd-stub 257.13-1~deb13u1 ####"): 257.
 * Without it, an Amazon Linux 2023 .osrel means 252; otherwise ERROR_INPUT. */
int uki_stub_version(const struct pe *pe, unsigned int *ret, struct error *err);

#endif
