/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "pcr.h"
#include "predict_stub.h"
#include "uki.h"

/*
 * The rules were read in the sources of systemd-stub 252.39, 254.26 and 257.13 and hold in real boots of
 * 252.39 and 257.13; the versions between follow the older rules. From 258 on the stub starts the
 * kernel without LoadImage(), and the order of sections may only have grown at its end.
 */
#define STUB_OLDEST 252
#define STUB_EXACT_NAMES 257	/* before, names matched by prefix and the last one won */
#define STUB_PROFILES 257
#define STUB_OSREL_ARCHIVE 257	/* .osrel and .profile are handed to the initrd as files */
#define STUB_TRIMS_START 257	/* of the command line; before, its end only */
#define STUB_OWN_LOADER 258

#define PCR_KERNEL 4		/* boot manager code: every image that LoadImage() loads */
#define PCR_KERNEL_STUB 9	/* the Linux EFI stub: command line and initrd */
#define PCR_SECTIONS 11

#define MACHINE_X86_64 0x8664

/* No builder leaves more than alignment's slack (64 KiB at most) between file and memory. */
#define ZEROS_MAX 65536
static const uint8_t zeros[ZEROS_MAX];

/* A section as the stub sees it in memory: bytes of the file, then zeros up to VirtualSize. */
struct content {
	const uint8_t *data;
	size_t size, zeros;
};

struct stub {
	const struct pe *uki;
	unsigned int version;
	struct content sections[UKI_SECTIONS];	/* nothing in it: absent */
};

bool stub_present(const struct pe *image)
{
	return pe_find(image, ".linux") != NULL;
}

static bool present(const struct content *c)
{
	return c->size + c->zeros > 0;
}

/* Up to three pieces of a hashed whole: the bytes, their zeros, `padding` more zeros. */
static size_t add_pieces(const struct content *c, size_t padding, struct iovec *ret)
{
	ret[0] = (struct iovec){ .iov_base = (void *)c->data, .iov_len = c->size };
	ret[1] = (struct iovec){ .iov_base = (void *)zeros, .iov_len = c->zeros };
	ret[2] = (struct iovec){ .iov_base = (void *)zeros, .iov_len = padding };
	return 3;
}

static const struct pe_section *find_by_prefix(const struct pe *uki, const char *name)
{
	const struct pe_section *found = NULL;

	for (unsigned int i = 0; i < uki->section_count; i++)
		if (strncmp(uki->sections[i].name, name, strlen(name)) == 0)
			found = &uki->sections[i];
	return found;
}

static unsigned int next_profile(const struct pe *uki, unsigned int from)
{
	while (from < uki->section_count && strcmp(uki->sections[from].name, ".profile") != 0)
		from++;
	return from;
}

static const struct pe_section *find_between(const struct pe *uki, const char *name, unsigned int from,
					     unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		if (strcmp(uki->sections[i].name, name) == 0)
			return &uki->sections[i];
	return NULL;
}

/* Profile 0, which is booted when nobody asks for another, overrides what stands before all profiles. */
static const struct pe_section *find_in_profile(const struct pe *uki, const char *name)
{
	unsigned int first = next_profile(uki, 0);
	unsigned int second = next_profile(uki, first < uki->section_count ? first + 1 : first);
	const struct pe_section *found = find_between(uki, name, first, second);

	return found ? found : find_between(uki, name, 0, first);
}

static int find_content(const struct stub *stub, const struct uki_section_rule *rule,
			struct content *ret, struct error *err)
{
	const struct pe_section *s = stub->version < STUB_EXACT_NAMES ?
					     find_by_prefix(stub->uki, rule->name) :
					     find_in_profile(stub->uki, rule->name);
	struct content c;

	if (!s)
		return 0;
	pe_section_bytes(stub->uki, s, &c.data, &c.size);
	c.zeros = s->virtual_size - c.size;
	if (c.zeros > ZEROS_MAX)
		return error_input(err, "the UKI's section %s is %u bytes in memory and only %zu in the file",
				   s->name, s->virtual_size, c.size);
	*ret = c;
	return 0;
}

static int find_contents(struct stub *stub, struct error *err)
{
	int r;

	for (int i = 0; i < UKI_SECTIONS; i++) {
		if (uki_section_rules[i].since > stub->version)
			continue;
		r = find_content(stub, &uki_section_rules[i], &stub->sections[i], err);
		if (r < 0)
			return r;
	}
	if (!present(&stub->sections[UKI_LINUX]))
		return error_input(err, "the UKI's section .linux is empty, so its stub will not boot");
	/* The stub takes the one whose compatible string suits the machine, or none. */
	if (present(&stub->sections[UKI_DTBAUTO]))
		return error_input(err, "the UKI has a section .dtbauto: which one is measured depends on the machine");
	if (stub->version >= STUB_OWN_LOADER && pe_find(stub->uki, ".efifw"))
		return error_input(err, "the UKI has a section .efifw: which one is measured depends on the machine");
	return 0;
}

static void section_events(const struct stub *stub, struct pcr_log *log)
{
	struct iovec pieces[3];
	char label[32];

	for (int i = 0; i < UKI_SECTIONS; i++) {
		const struct uki_section_rule *rule = &uki_section_rules[i];
		const struct content *c = &stub->sections[i];

		if (!rule->measured || !present(c))
			continue;
		snprintf(label, sizeof(label), "%s name", rule->name);
		pcr_log_add_data(log, PCR_SECTIONS, EV_IPL, label, rule->name, strlen(rule->name) + 1);
		snprintf(label, sizeof(label), "%s contents", rule->name);
		pcr_log_add_later(log, PCR_SECTIONS, EV_IPL, label, pieces, add_pieces(c, 0, pieces));
	}
}

/* The kernel as LoadImage() gets it: VirtualSize bytes. *ret points into `copy` if it must be made. */
static int parse_kernel(const struct content *c, struct buf *copy, struct pe *ret, struct error *err)
{
	const uint8_t *data = c->data;
	int r = 0;

	if (c->zeros > 0) {
		r = buf_add(copy, c->data, c->size);
		if (r == 0)
			r = buf_fill(copy, 0, c->zeros);
		data = copy->data;
	}
	if (r < 0)
		return error_system(err, r, "no room for the UKI's kernel of %zu bytes", c->size);
	r = pe_parse(data, c->size + c->zeros, ret, err);
	return r < 0 ? error_wrap(err, "the UKI's kernel (.linux)") : 0;
}

/*
 * With Secure Boot the stub takes the firmware's security hooks away while it loads the kernel, which
 * it has found good as a part of itself, and measuring hangs on the same hooks.
 */
static bool kernel_is_measured(const struct stub *stub, bool secure_boot)
{
	return stub->version < STUB_OWN_LOADER && !secure_boot;
}

static int kernel_event(const struct pe *kernel, struct pcr_log *log, struct error *err)
{
	struct iovec pieces[PE_AUTHENTICODE_PIECES];
	size_t count = 0;
	int r = pe_authenticode_pieces(kernel, pieces, &count, err);

	if (r < 0)
		return error_wrap(err, "the UKI's kernel (.linux)");
	pcr_log_add_later(log, PCR_KERNEL, EV_EFI_BOOT_SERVICES_APPLICATION, "inner kernel (.linux)", pieces,
			  count);
	return 0;
}

static bool blank(const struct stub *stub, uint8_t c)
{
	if (stub->version >= STUB_TRIMS_START)
		return c <= 0x20 || c == 0x7f;
	return c <= 0x20;
}

/* As the stub's mangle_stub_cmdline() leaves it, in UTF-16LE with a NUL. */
static int command_line_event(const struct stub *stub, struct pcr_log *log, struct error *err)
{
	const struct content *c = &stub->sections[UKI_CMDLINE];
	CLEANUP_BUF struct buf out = BUF_INIT(SIZE_MAX);
	size_t end = strnlen((const char *)c->data, c->size), at = 0;
	int r = 0;

	while (stub->version >= STUB_TRIMS_START && at < end && blank(stub, c->data[at]))
		at++;
	while (end > at && blank(stub, c->data[end - 1]))
		end--;
	for (; r == 0 && at < end; at++) {
		if (c->data[at] >= 0x80)
			return error_input(err, "the UKI's .cmdline is not ASCII at its byte %zu", at);
		r = buf_add_le16(&out, blank(stub, c->data[at]) ? ' ' : c->data[at]);
	}
	if (r == 0)
		r = buf_add_le16(&out, 0);
	if (r < 0)
		return error_system(err, r, "no room for the UKI's command line");
	pcr_log_add_data(log, PCR_KERNEL_STUB, EV_EVENT_TAG, "kernel command line", out.data, out.len);
	return 0;
}

static int add_record(struct buf *out, uint32_t inode, uint32_t mode, const char *path,
		      const struct content *c)
{
	size_t name_size = strlen(path) + 1;
	int r;

	r = buf_printf(out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", inode, mode, 0,
		       0, 1, 0, (uint32_t)(c->size + c->zeros), 0, 0, 0, 0, (uint32_t)name_size, 0);
	if (r == 0)
		r = buf_add(out, path, name_size);
	if (r == 0)
		r = buf_align(out, 4);
	if (r == 0)
		r = buf_add(out, c->data, c->size);
	if (r == 0)
		r = buf_fill(out, 0, c->zeros);
	if (r == 0)
		r = buf_align(out, 4);
	return r;
}

/*
 * The cpio archive in which the stub hands a section to the initrd as a file. Not format/cpio.h: that
 * one is Kiln's own, while here every byte is the stub's choice: lower-case hex, one link for the
 * directory too, and a trailer without inode number whose name size alone is in upper case.
 */
static int write_archive(const char *path, const struct content *c, struct buf *out)
{
	static const char trailer[] = "070701"
				      "00000000" "00000000" "00000000" "00000000" "00000001"
				      "00000000" "00000000" "00000000" "00000000" "00000000"
				      "00000000" "0000000B" "00000000"
				      "TRAILER!!!\0\0\0";
	int r;

	r = add_record(out, 1, 040555, ".extra", &(struct content){ .data = zeros });
	if (r == 0)
		r = add_record(out, 2, 0100444, path, c);
	if (r == 0)
		r = buf_add(out, trailer, sizeof(trailer));
	return r;
}

/* In the order of the stub's list of initrds; before 257 the stub knows the first four. */
static const struct initrd_source {
	enum uki_section section;
	const char *path;		/* NULL: the section is an initrd itself */
	unsigned int since;
} initrd_sources[] = {
	{ UKI_UCODE, NULL, STUB_OLDEST },
	{ UKI_INITRD, NULL, STUB_OLDEST },
	{ UKI_PCRSIG, ".extra/tpm2-pcr-signature.json", STUB_OLDEST },
	{ UKI_PCRPKEY, ".extra/tpm2-pcr-public-key.pem", STUB_OLDEST },
	{ UKI_OSREL, ".extra/os-release", STUB_OSREL_ARCHIVE },
	{ UKI_PROFILE, ".extra/profile", STUB_OSREL_ARCHIVE },
};

static int collect_initrds(const struct stub *stub, struct buf *archives, struct content *ret,
			   size_t *ret_count, struct error *err)
{
	size_t count = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(initrd_sources); i++) {
		const struct initrd_source *source = &initrd_sources[i];
		const struct content *c = &stub->sections[source->section];

		if (stub->version < source->since || !present(c))
			continue;
		ret[count++] = *c;
		if (!source->path)
			continue;
		r = write_archive(source->path, c, &archives[i]);
		if (r < 0)
			return error_system(err, r, "no room for %s", source->path);
		ret[count - 1] = (struct content){ archives[i].data, archives[i].len, 0 };
	}
	*ret_count = count;
	return 0;
}

/* What the kernel gets from the stub: a single part as it is, several each padded to 4 bytes. */
static void blob_event(const struct content *parts, size_t count, struct pcr_log *log)
{
	struct iovec pieces[3 * ARRAY_SIZE(initrd_sources)];
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		size_t over = (parts[i].size + parts[i].zeros) % 4;

		used += add_pieces(&parts[i], count > 1 && over ? 4 - over : 0, pieces + used);
	}
	if (count > 0)
		pcr_log_add_later(log, PCR_KERNEL_STUB, EV_EVENT_TAG, "initrd", pieces, used);
}

static int initrd_event(const struct stub *stub, struct pcr_log *log, struct error *err)
{
	struct buf archives[ARRAY_SIZE(initrd_sources)];
	struct content parts[ARRAY_SIZE(initrd_sources)];
	size_t count = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(archives); i++)
		archives[i] = (struct buf)BUF_INIT(SIZE_MAX);
	r = collect_initrds(stub, archives, parts, &count, err);
	if (r == 0)
		blob_event(parts, count, log);
	for (size_t i = 0; i < ARRAY_SIZE(archives); i++)
		pcr_log_keep(log, &archives[i]);
	return r;
}

/* Kernels before 5.8 are jumped to by EFI handover: no LoadImage(), and their own stub measures nothing. */
static bool uses_handover(const struct pe *kernel)
{
	return kernel->machine == MACHINE_X86_64 && kernel->major_image_version < 1;
}

static int kernel_events(const struct stub *stub, bool secure_boot, struct pcr_log *log, struct error *err)
{
	CLEANUP_BUF struct buf copy = BUF_INIT(SIZE_MAX);
	struct pe kernel;
	int r;

	r = parse_kernel(&stub->sections[UKI_LINUX], &copy, &kernel, err);
	pcr_log_keep(log, &copy);
	if (r < 0)
		return r;
	if (uses_handover(&kernel))
		return 0;
	if (kernel_is_measured(stub, secure_boot)) {
		r = kernel_event(&kernel, log, err);
		if (r < 0)
			return r;
	}
	if (present(&stub->sections[UKI_CMDLINE])) {
		r = command_line_event(stub, log, err);
		if (r < 0)
			return r;
	}
	return initrd_event(stub, log, err);
}

int stub_events(const struct pe *uki, bool secure_boot, struct pcr_log *log, struct error *err)
{
	struct stub stub = { .uki = uki };
	int r;

	r = uki_stub_version(uki, &stub.version, err);
	if (r < 0)
		return r;
	if (stub.version < STUB_OLDEST)
		return error_input(err, "the UKI's systemd-stub is version %u; what it measures is known from %d on",
				   stub.version, STUB_OLDEST);
	r = find_contents(&stub, err);
	if (r < 0)
		return r;
	section_events(&stub, log);
	return kernel_events(&stub, secure_boot, log, err);
}
