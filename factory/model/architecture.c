/* SPDX-License-Identifier: Apache-2.0 */
#include "architecture.h"

#include <string.h>

#include "../base/cleanup.h"
#include "../format/gpt.h"

#define STUBS "usr/lib/systemd/boot/efi/"

const struct architecture architectures[] = {
	{
		.name = "x86_64", .deb = "amd64", .triple = "x86_64-linux-gnu",
		.loader = "/lib64/ld-linux-x86-64.so.2",
		.efi_name = "BOOTX64.EFI", .pe_machine = 0x8664, .elf_machine = 62, .stub_path = STUBS "linuxx64.efi.stub",
		.firmware = "ovmf",
		.root_type = gpt_type_root_x86_64, .root_label = "root-x86-64",
		.verity_type = gpt_type_root_verity_x86_64, .verity_label = "root-x86-64-verity",
		.binutils = "binutils-x86-64-linux-gnu", .compiler = "cpp-14-x86-64-linux-gnu",
		.kernel = "linux-image-cloud-amd64", .emulator = "usr/bin/qemu-x86_64",
		.emulation = "elf_x86_64", .assembler = "--64", .protection = "-fcf-protection",
	},
	{
		.name = "aarch64", .deb = "arm64", .triple = "aarch64-linux-gnu",
		.loader = "/lib/ld-linux-aarch64.so.1",
		.efi_name = "BOOTAA64.EFI", .pe_machine = 0xaa64, .elf_machine = 183, .stub_path = STUBS "linuxaa64.efi.stub",
		.firmware = "qemu-efi-aarch64",
		.root_type = gpt_type_root_arm64, .root_label = "root-arm64",
		.verity_type = gpt_type_root_verity_arm64, .verity_label = "root-arm64-verity",
		.binutils = "binutils-aarch64-linux-gnu", .compiler = "cpp-14-aarch64-linux-gnu",
		.kernel = "linux-image-cloud-arm64", .emulator = "usr/bin/qemu-aarch64",
		.emulation = "aarch64linux", .protection = "-mbranch-protection=standard",
	},
};
const size_t architecture_count = ARRAY_SIZE(architectures);

#if defined(__x86_64__)
#define HOST "x86_64"
#elif defined(__aarch64__)
#define HOST "aarch64"
#else
#error "factory/model/architecture.c: give this machine a line"
#endif

const struct architecture *architecture_find(const char *name)
{
	for (size_t i = 0; i < architecture_count; i++)
		if (strcmp(architectures[i].name, name) == 0)
			return &architectures[i];
	return NULL;
}

const struct architecture *architecture_of_root(const uint8_t type[static 16])
{
	for (size_t i = 0; i < architecture_count; i++)
		if (memcmp(architectures[i].root_type, type, 16) == 0)
			return &architectures[i];
	return NULL;
}

const struct architecture *architecture_of_verity(const uint8_t type[static 16])
{
	for (size_t i = 0; i < architecture_count; i++)
		if (memcmp(architectures[i].verity_type, type, 16) == 0)
			return &architectures[i];
	return NULL;
}

const struct architecture *architecture_host(void)
{
	return architecture_find(HOST);
}

const struct architecture *architecture_default(void)
{
	return architecture_find("x86_64");
}
