/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_TAP_H
#define KILN_TESTS_UNIT_TAP_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"

/*
 * A unit test is one program that prints TAP: each ok*() is one numbered line, and main ends with
 * `return tap_done();`. A failed check goes on; a failed need() ends the program.
 */

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3), unused))
static bool tap_result(bool good, const char *fmt, ...)
{
	va_list ap;

	tap_count++;
	if (!good)
		tap_failed++;
	printf("%sok %d - ", good ? "" : "not ", tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	return good;
}

#define ok(condition, ...) \
	({ bool good_ = (condition); \
	   tap_result(good_, __VA_ARGS__); \
	   if (!good_) printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
	   good_; })

#define ok_int(got, expected, ...) \
	({ intmax_t got_ = (intmax_t)(got), expected_ = (intmax_t)(expected); \
	   bool good_ = tap_result(got_ == expected_, __VA_ARGS__); \
	   if (!good_) printf("# %s:%d: got %jd, expected %jd\n", __FILE__, __LINE__, got_, expected_); \
	   good_; })

#define ok_str(got, expected, ...) \
	({ const char *got_ = (got), *expected_ = (expected); \
	   bool good_ = tap_result(got_ && strcmp(got_, expected_) == 0, __VA_ARGS__); \
	   if (!good_) printf("# %s:%d: got \"%s\", expected \"%s\"\n", __FILE__, __LINE__, \
			      got_ ? got_ : "(null)", expected_); \
	   good_; })

/* The error's message must contain `part`. */
#define ok_error(err, part, ...) \
	({ const struct error *err_ = (err); const char *part_ = (part); \
	   bool good_ = tap_result(err_->kind != ERROR_NONE && strstr(err_->message, part_), __VA_ARGS__); \
	   if (!good_) printf("# %s:%d: message \"%s\" lacks \"%s\"\n", __FILE__, __LINE__, \
			      err_->message, part_); \
	   good_; })

/* What the rest of the test cannot do without. */
#define need(condition, ...) \
	do { \
		if (!(condition)) { \
			tap_result(false, __VA_ARGS__); \
			printf("# %s:%d: %s\n1..%d\n", __FILE__, __LINE__, #condition, tap_count); \
			exit(1); \
		} \
	} while (0)

__attribute__((unused))
static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
