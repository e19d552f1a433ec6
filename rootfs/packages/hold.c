/* SPDX-License-Identifier: Apache-2.0 */
#include "hold.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/model/lock.h"
#include "../../factory/model/memory.h"
#include "apt_output.h"

#define PREFERENCES_MAX (16 << 20)

static bool is_among(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

void hold_make(const struct lock_set *before, const char *const *moving, struct hold *ret)
{
	size_t room = before ? before->count : 0;

	*ret = (struct hold){.packages = memory_new((room + 1) * sizeof(*ret->packages))};
	for (size_t i = 0; i < room; i++)
		if (!is_among(moving, before->packages[i].name))
			ret->packages[ret->count++] = &before->packages[i];
}

void hold_free(struct hold *hold)
{
	free(hold->packages);
	*hold = (struct hold){.count = 0};
}

/* Above 1000 a version wins over newer ones. */
int hold_write(const struct hold *hold, const char *path, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(PREFERENCES_MAX);
	int r = 0;

	for (size_t i = 0; r == 0 && i < hold->count; i++)
		r = buf_printf(&text, "Package: %s\nPin: version %s\nPin-Priority: 1001\n\n",
			       hold->packages[i]->name, hold->packages[i]->version);
	if (r < 0)
		return error_system(err, r, "preferences for apt");
	return io_write_file(path, buf_text(&text), text.len, 0644, err);
}

static bool let_go(struct hold *hold, struct text name)
{
	size_t kept = 0, before = hold->count;

	for (size_t i = 0; i < before; i++) {
		if (text_equal(name, hold->packages[i]->name))
			log_debug("%s %s stands in the way and is let go", hold->packages[i]->name,
				  hold->packages[i]->version);
		else
			hold->packages[kept++] = hold->packages[i];
	}
	hold->count = kept;
	return kept < before;
}

bool hold_relax(struct hold *hold, struct text output)
{
	struct apt_relation relation = {.depends = false};
	struct text rest = output;
	bool moved = false;

	if (hold->count == 0)
		return false;
	while (apt_output_relation(&rest, &relation))
		moved |= let_go(hold, relation.name);
	if (moved)
		return true;
	relation = (struct apt_relation){.depends = false};
	rest = output;
	while (apt_output_relation(&rest, &relation))
		moved |= let_go(hold, relation.package);
	if (!moved) {
		log_debug("nothing that is held is named: everything is let go");
		hold->count = 0;
	}
	return true;
}
