/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "../rootfs/archive_difference.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "compare_part.h"
#include "format/pe.h"

#define WORD_SHOWN 64			/* bytes of a command line's word in a message */

/* Two PE files, parsed. */
struct pair {
	const char *path;
	struct pe a, b;
	struct comparison *found;
};

static struct compare_span section_bytes(const struct pe *pe, const struct pe_section *s)
{
	struct compare_span bytes;

	pe_section_bytes(pe, s, &bytes.data, &bytes.size);
	return bytes;
}

__attribute__((format(printf, 4, 5)))
static void add(const struct pair *p, const char *section, bool follows, const char *fmt, ...)
{
	CLEANUP_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		error_no_memory();
	va_end(ap);
	comparison_add(p->found, COMPARE_BOOT_FILE, follows, "%s: section %s: %s", p->path, section, text);
}

/* ---------------------------------------------------------------- the command line */

/* The next word of text that may lack its NUL; "" at the end. */
static char *next_word(struct compare_span *line)
{
	size_t len = 0;
	char *word;

	while (line->size > 0 && strchr(" \n", *line->data)) {
		line->data++;
		line->size--;
	}
	while (len < line->size && !strchr(" \n", line->data[len]))
		len++;
	word = string_printf("%.*s", (int)(len < WORD_SHOWN ? len : WORD_SHOWN),
			     (const char *)line->data);
	for (char *c = word; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	line->data += len;
	line->size -= len;
	return word;
}

static bool is_root_hash(const char *word)
{
	return strncmp(word, "roothash=", strlen("roothash=")) == 0;
}

/* A root hash is what it is because of the root file system; any other word is somebody's choice. */
static void compare_cmdlines(const struct pair *p, struct compare_span a, struct compare_span b)
{
	bool root_differs = comparison_has(p->found, COMPARE_ROOT, COMPARE_VERITY), hash = false;

	while (a.size > 0 || b.size > 0) {
		CLEANUP_FREE char *in_a = next_word(&a), *in_b = next_word(&b);

		if (strcmp(in_a, in_b) == 0)
			continue;
		if (!root_differs || !is_root_hash(in_a) || !is_root_hash(in_b)) {
			add(p, ".cmdline", false, "\"%s\" and \"%s\"", in_a, in_b);
			return;
		}
		hash = true;
	}
	if (hash)
		add(p, ".cmdline", true, "the root hash");
	else
		add(p, ".cmdline", false, "the blanks between words");
}

/* ---------------------------------------------------------------- the initrd */

static void compare_initrds(const struct pair *p, struct compare_span a, struct compare_span b,
			    uint64_t at)
{
	const struct archive_source source_a = { .data = a.data, .size = a.size, .name = "the first" };
	const struct archive_source source_b = { .data = b.data, .size = b.size, .name = "the second" };
	CLEANUP_FREE char *difference = NULL;
	struct error err = ERROR_INIT;

	if (archive_difference(&source_a, &source_b, &difference, &err) < 0)
		add(p, ".initrd", false, "differs at byte %" PRIu64 " (no archive that can be read: %s)", at,
		    err.message);
	else if (difference)
		add(p, ".initrd", false, "%s", difference);
	else
		add(p, ".initrd", false, "the same files, packed differently (byte %" PRIu64 ")", at);
}

/* ---------------------------------------------------------------- sections */

static void compare_section(const struct pair *p, const struct pe_section *in_a,
			    const struct pe_section *in_b)
{
	struct compare_span a = section_bytes(&p->a, in_a), b = section_bytes(&p->b, in_b);
	uint64_t at = compare_bytes(&a, &b);

	if (at == COMPARE_SAME)
		return;
	if (strcmp(in_a->name, ".cmdline") == 0)
		compare_cmdlines(p, a, b);
	else if (strcmp(in_a->name, ".initrd") == 0)
		compare_initrds(p, a, b, at);
	else
		add(p, in_a->name, false, "differs at byte %" PRIu64, at);
}

static void compare_sections(const struct pair *p)
{
	for (unsigned int i = 0; i < p->a.section_count; i++) {
		const struct pe_section *in_a = &p->a.sections[i];
		const struct pe_section *in_b = pe_find(&p->b, in_a->name);

		if (!in_b)
			add(p, in_a->name, false, "only the first has it");
		else if (in_a == pe_find(&p->a, in_a->name))
			compare_section(p, in_a, in_b);
	}
	for (unsigned int i = 0; i < p->b.section_count; i++)
		if (!pe_find(&p->a, p->b.sections[i].name))
			add(p, p->b.sections[i].name, false, "only the second has it");
}

/* What a signature is of, is all but the signatures themselves and the header's fields about them. */
static bool same_but_signature(const struct pair *p)
{
	struct error ignored = ERROR_INIT;
	struct digest a, b;

	return (p->a.security_size > 0 || p->b.security_size > 0) &&
	       pe_authenticode(&p->a, DIGEST_SHA256, &a, &ignored) == 0 &&
	       pe_authenticode(&p->b, DIGEST_SHA256, &b, &ignored) == 0 && digest_equal(&a, &b);
}

void compare_boot_files(const char *path, const struct compare_span *a, const struct compare_span *b,
			struct comparison *ret)
{
	struct pair p = { .path = path, .found = ret };
	uint64_t at = compare_bytes(a, b);
	size_t before = ret->count;
	struct error ignored = ERROR_INIT;

	if (at == COMPARE_SAME)
		return;
	if (pe_parse(a->data, a->size, &p.a, &ignored) == 0 && pe_parse(b->data, b->size, &p.b, &ignored) == 0) {
		compare_sections(&p);
		if (ret->count == before && same_but_signature(&p))
			comparison_add(ret, COMPARE_BOOT_FILE, false, "%s: only the signature differs", path);
	}
	if (ret->count == before)
		comparison_add(ret, COMPARE_BOOT_FILE, false, "%s: differs at byte %" PRIu64 ", outside its sections",
			       path, at);
}
