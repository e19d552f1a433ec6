/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/model/memory.h"
#include "rootfs/packages/changes.h"

static void add(struct lock *lock, enum lock_set_id id, const char *name, const char *arch, char digest)
{
	struct lock_set *set = &lock->sets[id];
	struct locked_package *p = memory_append(&set->packages, set->count++, sizeof(*p));

	p->name = string_copy(name);
	p->architecture = string_copy(arch);
	p->version = string_copy("1");
	memset(p->sha256, digest, 64);
}

/* "image -a +b =c" on one line. */
static char *told(const struct lock *before, const struct lock *after)
{
	CLEANUP_LOCK_CHANGES struct lock_changes changes = { NULL, 0 };
	char *text = string_copy("");

	lock_changes_find(before, after, &changes);
	for (size_t i = 0; i < changes.count; i++) {
		const struct lock_change *c = &changes.items[i];
		const struct locked_package *p = c->after ? c->after : c->before;
		char *longer = string_printf("%s%s%s:%c%s/%s", text, i ? " " : "", lock_set_names[c->set],
					     !c->before ? '+' : !c->after ? '-' : '=', p->name, p->architecture);

		free(text);
		text = longer;
	}
	return text;
}

int main(void)
{
	CLEANUP_LOCK struct lock *empty = lock_new(), *one = lock_new(), *two = lock_new();
	CLEANUP_FREE char *none = NULL, *added = NULL, *removed = NULL, *mixed = NULL;

	add(one, LOCK_IMAGE, "b", "amd64", '1');
	add(one, LOCK_IMAGE, "c", "amd64", '1');
	add(one, LOCK_IMAGE, "d", "amd64", '1');
	add(one, LOCK_BUILDER, "c", "amd64", '1');
	add(two, LOCK_IMAGE, "a", "amd64", '1');
	add(two, LOCK_IMAGE, "c", "amd64", '2');
	add(two, LOCK_IMAGE, "d", "amd64", '1');
	add(two, LOCK_IMAGE, "d", "i386", '1');
	add(two, LOCK_FIRMWARE, "c", "amd64", '1');
	none = told(one, one);
	ok_str(none, "", "a lock and itself");
	added = told(empty, two);
	ok_str(added, "image:+a/amd64 image:+c/amd64 image:+d/amd64 image:+d/i386 firmware:+c/amd64", "all is new");
	removed = told(one, empty);
	ok_str(removed, "image:-b/amd64 image:-c/amd64 image:-d/amd64 builder:-c/amd64", "all is gone");
	mixed = told(one, two);
	ok_str(mixed, "image:+a/amd64 image:-b/amd64 image:=c/amd64 image:+d/i386 builder:-c/amd64 firmware:+c/amd64",
	       "added, removed, moved, each in its set");
	return tap_done();
}
