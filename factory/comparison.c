/* SPDX-License-Identifier: Apache-2.0 */
#include "comparison.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"
#include "model/memory.h"

const char *const compare_part_names[] = {
	[COMPARE_INPUTS] = "inputs",
	[COMPARE_PACKAGES] = "packages",
	[COMPARE_ROOT] = "root file system",
	[COMPARE_VERITY] = "verity tree",
	[COMPARE_BOOT_FILE] = "boot file",
	[COMPARE_ESP] = "ESP",
	[COMPARE_TABLE] = "partition table",
	[COMPARE_DISK] = "disk",
	[COMPARE_MANIFEST] = "manifest.json",
	[COMPARE_MEASUREMENTS] = "measurements",
};

void comparison_clear(struct comparison *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->findings[i].text);
	free(c->findings);
	*c = (struct comparison) { .findings = NULL };
}

void comparison_add(struct comparison *c, enum compare_part part, bool follows, const char *fmt, ...)
{
	struct compare_finding *f = memory_append(&c->findings, c->count, sizeof(*f));
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&f->text, fmt, ap) < 0)
		error_no_memory();
	va_end(ap);
	f->part = part;
	f->follows = follows;
	c->count++;
}

bool comparison_has(const struct comparison *c, enum compare_part first, enum compare_part last)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->findings[i].part >= first && c->findings[i].part <= last)
			return true;
	return false;
}

const struct compare_finding *comparison_cause(const struct comparison *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (!c->findings[i].follows)
			return &c->findings[i];
	return c->findings;
}

int comparison_table(const struct comparison *c, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < c->count && r == 0; i++) {
		const struct compare_finding *f = &c->findings[i];

		r = buf_printf(ret, "%-17s %s%s\n", compare_part_names[f->part], f->text,
			       f->follows ? " (follows from the above)" : "");
	}
	return r;
}
