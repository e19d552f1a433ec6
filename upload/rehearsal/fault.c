/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/model/json.h"

#define NUMBER_MAX ((uint64_t)1 << 40)

static const struct name {
	const char *name;
	const char *fields[4];		/* that it needs or may have, beyond those of all */
} names[] = {
	[FAULT_THROTTLE] = { .name = "throttle" },
	[FAULT_RATE] = { .name = "rate", .fields = { "per_second" } },
	[FAULT_CONCURRENCY] = { .name = "concurrency", .fields = { "limit" } },
	[FAULT_INTERNAL] = { .name = "internal-error" },
	[FAULT_UNAVAILABLE] = { .name = "unavailable" },
	[FAULT_NOT_FOUND] = { .name = "not-found", .fields = { "ms" } },
	[FAULT_ACCESS_DENIED] = { .name = "access-denied" },
	[FAULT_EXPIRED_TOKEN] = { .name = "expired-token" },
	[FAULT_ERROR] = { .name = "error", .fields = { "status", "code", "message" } },
	[FAULT_GARBAGE] = { .name = "garbage" },
	[FAULT_CUT_REQUEST] = { .name = "cut-request", .fields = { "bytes" } },
	[FAULT_STALL] = { .name = "stall" },
	[FAULT_SLOW] = { .name = "slow", .fields = { "ms" } },
	[FAULT_TRICKLE] = { .name = "trickle", .fields = { "bytes", "ms" } },
	[FAULT_CUT_ANSWER] = { .name = "cut-answer", .fields = { "bytes" } },
	[FAULT_LOST_ANSWER] = { .name = "lost-answer" },
	[FAULT_WRONG_CHECKSUM] = { .name = "wrong-checksum" },
	[FAULT_CORRUPT] = { .name = "corrupt" },
	[FAULT_DROP_BLOCK] = { .name = "drop-block" },
	[FAULT_PENDING] = { .name = "pending" },
	[FAULT_FAILED] = { .name = "failed" },
};

/* ---------------------------------------------------------------- reading */

static int get_text(const struct json_node *node, const char *key, size_t size, char *ret, struct error *err)
{
	CLEANUP_FREE char *text = NULL;
	int r = json_get_string(node, key, &text, err);

	if (r < 0)
		return r;
	if (strlen(text) >= size)
		return json_complain(node, key, err, "must have less than %zu characters", size);
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

static int get_kind(const struct json_node *node, enum fault_kind *ret, struct error *err)
{
	char name[32];
	int r = get_text(node, "fault", sizeof(name), name, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].name && strcmp(names[i].name, name) == 0) {
			*ret = (enum fault_kind)i;
			return 0;
		}
	}
	return json_complain(node, "fault", err, "is \"%s\", which is no fault; see upload/rehearsal/README.md", name);
}

/* Absent fields keep what they are. */
static int get_numbers(const struct json_node *node, struct fault *f, struct error *err)
{
	const struct number {
		const char *key;
		uint64_t min, max, *target;
	} numbers[] = {
		{ "after", 0, NUMBER_MAX, &f->after }, { "every", 1, NUMBER_MAX, &f->every },
		{ "times", 0, NUMBER_MAX, &f->times }, { "ms", 0, 3600 * 1000, &f->ms },
		{ "bytes", 0, NUMBER_MAX, &f->bytes }, { "per_second", 1, NUMBER_MAX, &f->per_second },
		{ "limit", 0, NUMBER_MAX, &f->limit }, { "status", 400, 599, &f->status },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(numbers); i++)
		if (json_has(node, numbers[i].key))
			r = json_get_number(node, numbers[i].key, numbers[i].min, numbers[i].max, numbers[i].target, err);
	return r;
}

/* "fault" is known by now. */
static int check_keys(const struct json_node *node, enum fault_kind kind, struct error *err)
{
	const char *const *fields = names[kind].fields;
	const char *const keys[] = { "fault", "operation", "after", "every", "times", fields[0], fields[1], fields[2],
				     NULL };

	return json_check_keys(node, keys, err);
}

static int check_needed(const struct json_node *node, const struct fault *f, struct error *err)
{
	if (f->kind == FAULT_RATE && !f->per_second)
		return json_complain(node, "per_second", err, "is missing");
	if (f->kind == FAULT_SLOW && !f->ms)
		return json_complain(node, "ms", err, "is missing");
	if (f->kind == FAULT_ERROR && (!f->status || !*f->code))
		return json_complain(node, "fault", err, "error needs status and code");
	if (f->kind == FAULT_TRICKLE && !f->bytes)
		return json_complain(node, "bytes", err, "must be 1 or more");
	return 0;
}

static int parse_fault(const struct json_node *node, struct fault *ret, struct error *err)
{
	struct fault f = { .operation = "*", .every = 1, .times = 1 };
	int r = get_kind(node, &f.kind, err);

	if (r == 0)
		r = check_keys(node, f.kind, err);
	if (f.kind == FAULT_TRICKLE) {
		f.bytes = 1;
		f.ms = 100;
	}
	if (r == 0)
		r = get_numbers(node, &f, err);
	if (r == 0 && json_has(node, "operation"))
		r = get_text(node, "operation", sizeof(f.operation), f.operation, err);
	if (r == 0 && json_has(node, "code"))
		r = get_text(node, "code", sizeof(f.code), f.code, err);
	if (r == 0 && json_has(node, "message"))
		r = get_text(node, "message", sizeof(f.message), f.message, err);
	if (r == 0)
		r = check_needed(node, &f, err);
	if (r == 0)
		*ret = f;
	return r;
}

static int parse_list(const struct json_node *root, struct faults *faults, struct error *err)
{
	static const char *const keys[] = { "faults", NULL };
	struct json_node list, item;
	size_t count = 0;
	int r = json_check_keys(root, keys, err);

	if (r == 0)
		r = json_get_array(root, "faults", &list, &count, err);
	if (r == 0 && count > FAULTS_MAX - faults->count)
		return json_complain(root, "faults", err, "would be more than %u with those that are there", FAULTS_MAX);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = json_get_item(&list, i, &item, err);
		if (r == 0)
			r = parse_fault(&item, &faults->items[faults->count + i], err);
	}
	if (r == 0)
		faults->count += count;
	return r;
}

int faults_parse(const char *text, size_t size, struct faults *ret, struct error *err)
{
	CLEANUP_JSON struct json_node root = { .value = NULL };
	int r = json_open(text, size, "faults", &root, err);

	return r == 0 ? parse_list(&root, ret, err) : r;
}

/* ---------------------------------------------------------------- writing */

void faults_format(const struct faults *faults, struct buf *ret)
{
	struct json_t *root = json_new();
	struct json_t *list = json_put_array(root, "faults");

	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *f = &faults->items[i];
		struct json_t *item = json_put_object(list, NULL);

		json_put_string(item, "fault", names[f->kind].name);
		json_put_string(item, "operation", f->operation);
		json_put_number(item, "seen", f->seen);
		json_put_number(item, "hit", f->hit);
	}
	if (json_finish(root, false, ret) < 0)
		error_no_memory();
}

/* ---------------------------------------------------------------- hitting */

/* Whether it is one that could hit, by its place in the order. Counts it. */
static bool is_due(struct fault *f)
{
	uint64_t number = f->seen++;

	return number >= f->after && (f->times == 0 || f->hit < f->times) && (number - f->after) % f->every == 0;
}

static bool over_rate(struct fault *f, int64_t now_ms)
{
	if (f->second != now_ms / 1000) {
		f->second = now_ms / 1000;
		f->in_second = 0;
	}
	return f->in_second++ >= f->per_second;
}

static bool applies(struct fault *f, const struct fault_situation *s)
{
	switch (f->kind) {
	case FAULT_RATE:
		return over_rate(f, s->now_ms);
	case FAULT_CONCURRENCY:
		return s->under_way > f->limit;
	case FAULT_NOT_FOUND:
		return f->ms == 0 || s->age_ms < (int64_t)f->ms;
	default:
		return true;
	}
}

void faults_take(struct faults *faults, const struct fault_situation *s, struct fault *ret)
{
	*ret = (struct fault){ .kind = FAULT_NONE };
	for (size_t i = 0; i < faults->count; i++) {
		struct fault *f = &faults->items[i];

		if (strcmp(f->operation, "*") != 0 && strcmp(f->operation, s->operation) != 0)
			continue;
		if (!is_due(f) || !applies(f, s))
			continue;
		f->hit++;
		*ret = *f;
		return;
	}
}
