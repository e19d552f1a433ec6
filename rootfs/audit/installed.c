/* SPDX-License-Identifier: Apache-2.0 */
#include "installed.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"
#include "rules.h"

/* dpkg's database; deb822(5). */
#define STATUS "var/lib/dpkg/status"

void installed_clear(struct installed *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i].name);
	free(list->names);
	*list = (struct installed) { .names = NULL };
}

/* dpkg(1): the third word of its status; of these two nothing but configuration is there. */
static bool is_installed(struct text stanza)
{
	struct text status, word = { NULL, 0 };

	if (!stanza_field(stanza, "Status", &status))
		return false;
	while (text_word(&status, &word))
		;
	return !text_equal(word, "not-installed") && !text_equal(word, "config-files");
}

static unsigned int line_of(const struct buf *text, const char *at)
{
	unsigned int line = 1;

	for (const char *p = buf_text(text); p < at; p++)
		line += *p == '\n';
	return line;
}

static void add(struct installed *list, struct text name, unsigned int line)
{
	struct installed_package *p = memory_append(&list->names, list->count++, sizeof(*p));

	*p = (struct installed_package) { text_copy(name), STATUS, line };
}

int installed_read(const struct audit *a, struct installed *ret, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);
	struct text rest, stanza, name;
	int r = audit_text(a, STATUS, &text, err);

	if (r <= 0)
		return r;
	ret->known = true;
	rest = (struct text) { buf_text(&text), text.len };
	while (stanza_next(&rest, &stanza))
		if (is_installed(stanza) && stanza_field(stanza, "Package", &name))
			add(ret, name, line_of(&text, stanza.data));
	return 0;
}
