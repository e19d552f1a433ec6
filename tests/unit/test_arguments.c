/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/arguments.h"

#include <errno.h>

#include "factory/base/cleanup.h"
#include "tests/unit/tap.h"

static const struct command bake = { .name = "bake", .usage = "CAKE", .program = "oven" };

static struct {
	bool hot;
	const char *name;
	unsigned int minutes;
	struct argument_list nuts;
} given;

static int parse(struct error *err, struct operands *operands, unsigned int most, int count, char **words)
{
	static const struct argument table[] = {
		{ .name = "hot", .kind = ARGUMENT_FLAG, .target = &given.hot },
		{ .name = "name", .letter = 'n', .kind = ARGUMENT_TEXT, .target = &given.name },
		{ .name = "minutes", .kind = ARGUMENT_NUMBER, .target = &given.minutes, .least = 1, .most = 90 },
		{ .name = "nut", .kind = ARGUMENT_LIST, .target = &given.nuts },
		{ .name = NULL },
	};

	memset(&given, 0, sizeof(given));
	*err = (struct error)ERROR_INIT;
	return arguments_parse(&bake, table, count, words, "cake", 1, most, operands, err);
}
#define PARSE(err, operands, most, ...) \
	({ static char *words_[] = { (char *)"bake", __VA_ARGS__, NULL }; \
	   parse(err, operands, most, (int)ARRAY_SIZE(words_) - 1, words_); })

static void test_taken(void)
{
	struct operands operands;
	struct error err;

	ok_int(PARSE(&err, &operands, 2, (char *)"a", (char *)"--nut=x", (char *)"-n", (char *)"N", (char *)"--minutes",
		     (char *)"90", (char *)"--nut", (char *)"y", (char *)"b", (char *)"--hot"), 0, "parsed");
	ok(given.hot && given.minutes == 90, "a flag and a number");
	ok_str(given.name, "N", "a text by its letter");
	ok(given.nuts.count == 2 && strcmp(given.nuts.items[0], "x") == 0 && strcmp(given.nuts.items[1], "y") == 0,
	   "a list, in its order");
	ok(operands.count == 2 && strcmp(operands.items[1], "b") == 0, "operands stand between options");
}

static void test_refused(void)
{
	struct operands operands;
	char *many[2 * ARGUMENT_LIST_MAX + 5] = { (char *)"bake", (char *)"a" };
	struct error err;
	int count = 2;

	ok_int(PARSE(&err, &operands, 1, (char *)"--cold"), -EINVAL, "an unknown option");
	ok_error(&err, "oven bake: unknown option \"--cold\"; \"oven bake --help\" lists them", "by program and verb");
	ok_int(PARSE(&err, &operands, 1, (char *)"--hot"), -EINVAL, "no operand");
	ok_error(&err, "oven bake: the cake is missing; usage: oven bake CAKE", "by what it is");
	ok_int(PARSE(&err, &operands, 1, (char *)"a", (char *)"b"), -EINVAL, "one too many");
	ok_int(PARSE(&err, &operands, 1, (char *)"a", (char *)"--minutes=91"), -EINVAL, "a number that is too large");
	ok_error(&err, "--minutes takes a number from 1 to 90, not \"91\"", "says which may be");
	ok_int(PARSE(&err, &operands, 1, (char *)"a", (char *)"--nut="), -EINVAL, "an empty element of a list");
	ok_int(PARSE(&err, &operands, 1, (char *)"a", (char *)"--nut"), -EINVAL, "an option without its value");
	ok_error(&err, "oven bake: --nut needs a value", "is named");
	for (int i = 0; i <= ARGUMENT_LIST_MAX; i++) {
		many[count++] = (char *)"--nut";
		many[count++] = (char *)"x";
	}
	ok_int(parse(&err, &operands, 1, count, many), -EINVAL, "a list that is too long");
	ok_error(&err, "--nut may be given 64 times at most", "says how long it may be");
}

int main(void)
{
	test_taken();
	test_refused();
	return tap_done();
}
