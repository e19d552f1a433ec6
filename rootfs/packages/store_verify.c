/* SPDX-License-Identifier: Apache-2.0 */
#include "store_verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/digest.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/workers.h"
#include "../../factory/model/memory.h"
#include "store.h"
#include "store_list.h"
#include "store_needs.h"

const char *const store_fault_names[STORE_FAULTS] = {
	[STORE_DAMAGED] = "damaged",
	[STORE_MISSING] = "missing",
	[STORE_STRAY] = "stray",
};

struct check {
	const char *sha256, *name;
	uint64_t size;
	char *damage; /* NULL: it is what its name says */
};
struct checks {
	const struct store *store;
	struct check *items;
	size_t count;
};

static void free_checks(struct checks *checks)
{
	for (size_t i = 0; i < checks->count; i++)
		free(checks->items[i].damage);
	free(checks->items);
}

/* The large ones first, so that no processor is left alone with one at the end. */
static int by_size(const void *a, const void *b)
{
	const struct check *x = a, *y = b;
	int order = (x->size < y->size) - (x->size > y->size);

	return order ? order : strcmp(x->sha256, y->sha256);
}

/* What cannot be read is damage as well: the rest is to be looked at all the same. */
static int check_one(void *arg, size_t piece, struct error *err)
{
	const struct checks *checks = arg;
	struct check *check = &checks->items[piece];
	CLEANUP_FREE char *path = store_path(checks->store, check->sha256);
	char found[2 * DIGEST_MAX + 1];
	struct error why = ERROR_INIT;
	struct digest digest;

	(void)err;
	if (digest_file(DIGEST_SHA256, path, &digest, NULL, &why) < 0) {
		check->damage = string_copy(why.message);
		return 0;
	}
	digest_hex(&digest, found);
	if (strcmp(found, check->sha256) != 0)
		check->damage = string_printf("its SHA-256 is %s", found);
	return 0;
}

/* ---------------------------------------------------------------- findings */

/* Takes over `path` and `why`. */
static void add_finding(struct store_findings *findings, enum store_fault fault, const char *name,
			char *path, char *why)
{
	struct store_finding *item =
		memory_append(&findings->items, findings->count, sizeof(*item));

	*item = (struct store_finding){
		.fault = fault,
		.name = string_copy(name),
		.path = path,
		.why = why,
	};
	findings->count++;
}

void store_findings_free(struct store_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].name);
		free(findings->items[i].path);
		free(findings->items[i].why);
	}
	free(findings->items);
	*findings = (struct store_findings){.items = NULL};
}

static int by_name(const void *a, const void *b)
{
	const struct store_finding *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->path, y->path);
}

/* ---------------------------------------------------------------- what is to be checked */

static void add_listed(struct checks *checks, const struct store_list *list,
		       struct store_findings *findings)
{
	checks->items = memory_new((list->count + 1) * sizeof(*checks->items));
	for (size_t i = 0; i < list->count; i++) {
		const struct store_object *object = &list->objects[i];

		checks->items[checks->count++] = (struct check){
			.sha256 = object->sha256,
			.name = object->name ? object->name : object->sha256,
			.size = object->size,
		};
	}
	for (size_t i = 0; i < list->strays.count; i++)
		add_finding(findings, STORE_STRAY, "no object of a store",
			    string_copy(list->strays.items[i]), NULL);
}

static void add_needed(struct checks *checks, const struct store_needs *needs,
		       struct store_findings *findings)
{
	checks->items = memory_new((needs->count + 1) * sizeof(*checks->items));
	for (size_t i = 0; i < needs->count; i++) {
		const struct store_need *need = &needs->items[i];

		if (store_has(checks->store, need->sha256))
			checks->items[checks->count++] = (struct check){
				.sha256 = need->sha256,
				.name = need->name,
				.size = need->size,
			};
		else
			add_finding(findings, STORE_MISSING, need->name,
				    store_path(checks->store, need->sha256), NULL);
	}
}

int store_verify(const struct store *s, const struct store_needs *needs, struct store_findings *ret,
		 struct error *err)
{
	__attribute__((cleanup(free_checks))) struct checks checks = {.store = s};
	CLEANUP_STORE_FINDINGS struct store_findings findings = {.items = NULL};
	CLEANUP_STORE_LIST struct store_list list = STORE_LIST_INIT;
	int r = needs ? 0 : store_list_read(s, &list, err);

	if (r < 0)
		return r;
	if (needs)
		add_needed(&checks, needs, &findings);
	else
		add_listed(&checks, &list, &findings);
	qsort(checks.items, checks.count, sizeof(*checks.items), by_size);
	r = workers_try(checks.count, check_one, &checks, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < checks.count; i++)
		if (checks.items[i].damage)
			add_finding(&findings, STORE_DAMAGED, checks.items[i].name,
				    store_path(s, checks.items[i].sha256),
				    TAKE_PTR(checks.items[i].damage));
	if (findings.count > 0)
		qsort(findings.items, findings.count, sizeof(*findings.items), by_name);
	findings.checked = needs ? needs->count : list.count;
	*ret = findings;
	findings = (struct store_findings){.items = NULL};
	return 0;
}

int store_remove_damaged(const struct store_findings *findings, struct error *err)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct store_finding *item = &findings->items[i];

		if (item->fault == STORE_DAMAGED && unlink(item->path) < 0 && errno != ENOENT)
			return error_system(err, errno, "cannot remove %s", item->path);
	}
	return 0;
}
