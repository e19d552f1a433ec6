/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_LINUX_IMAGE_H
#define KILN_FORMAT_LINUX_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A Linux kernel for x86 (Documentation/arch/x86/boot.rst): a bzImage unpacks itself, out of a payload that is the
 * kernel proper, an ELF file. A virtual machine monitor can start that without its wrapping, at the entry that an
 * ELF note names (PVH, xen/include/public/elfnote.h), and unpacks it many times faster than an emulated processor.
 */
struct linux_payload {
	const char *suffix;		/* ".zst", ".xz" or ".gz": how it is compressed */
	size_t offset, size;		/* within the bzImage, without the length that the kernel puts behind it */
};

/* false: no bzImage of protocol 2.08 or later, or compressed in another way. Fuzzed. */
bool linux_image_payload(const uint8_t *data, size_t size, struct linux_payload *ret);
/* Is it an x86-64 ELF file with the note XEN_ELFNOTE_PHYS32_ENTRY, without which QEMU refuses it? Fuzzed. */
bool linux_image_starts_by_pvh(const uint8_t *data, size_t size);

#endif
