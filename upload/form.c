/* SPDX-License-Identifier: Apache-2.0 */
#include "form.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/memory.h"

void form_free(struct form *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free((char *)(uintptr_t)f->pairs[i].name);
		free((char *)(uintptr_t)f->pairs[i].value);
	}
	free(f->pairs);
	*f = (struct form) FORM_INIT;
}

void form_add(struct form *f, const char *value, const char *name, ...)
{
	struct aws_pair *pair = memory_append(&f->pairs, f->count, sizeof(*pair));
	va_list ap;
	char *text;
	int n;

	f->count++;
	va_start(ap, name);
	n = vasprintf(&text, name, ap);
	va_end(ap);
	if (n < 0)
		error_no_memory();
	*pair = (struct aws_pair){ .name = text, .value = string_copy(value) };
}

const char *form_get(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->pairs[i].name, name) == 0)
			return f->pairs[i].value;
	return NULL;
}
