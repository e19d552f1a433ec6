/* SPDX-License-Identifier: Apache-2.0 */
#include "upload/iso_time.h"

#include <errno.h>

#include "factory/base/cleanup.h"
#include "tests/unit/tap.h"
#include "upload/backoff.h"

static void test_times(void)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{ "2026-01-02T03:04:05Z", 1767323045 },
		{ "2026-01-02T03:04:05UTC", 1767323045 },
		{ "2026-01-02 03:04:05Z", 1767323045 },
		{ "2026-01-02T03:04:05.123456Z", 1767323045 },
		{ "2026-01-02T04:34:05+01:30", 1767323045 },
		{ "2026-01-01T22:04:05-05:00", 1767323045 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2024-02-29T23:59:60Z", 1709251200 },
	};
	static const char *const bad[] = {
		"", "2026", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05ZZ", "2026-13-02T03:04:05Z",
		"2026-00-02T03:04:05Z", "2026-01-32T03:04:05Z", "2026-01-02T24:04:05Z", "2026-01-02T03:60:05Z",
		"2026-01-02T03:04:61Z", "2026-1-2T3:4:5Z", "1969-12-31T23:59:59Z", "2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05+0100", "2026-01-02T03:04:05+24:00", "20260102T030405Z", "2026-01-02T03:04:05+01:00x",
	};
	int64_t seconds;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ok_int(iso_time_parse(cases[i].text, &seconds), 0, "\"%s\" is a time", cases[i].text);
		ok_int(seconds, cases[i].seconds, "and that one");
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok_int(iso_time_parse(bad[i], &seconds), -EINVAL, "\"%s\" is none", bad[i]);
}

static void test_text(void)
{
	CLEANUP_FREE char *text = iso_time_text(1767323045);

	ok_str(text, "2026-01-02T03:04:05Z", "and back");
}

/* Never above the bound, and, of a thousand, some in each half of it. */
static void test_backoff(void)
{
	static const unsigned int bounds[] = { 20000, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000 };

	for (unsigned int attempt = 0; attempt < ARRAY_SIZE(bounds); attempt++) {
		unsigned int above = 0, low = 0, high = 0;

		for (int i = 0; i < 1000; i++) {
			unsigned int ms = aws_backoff_ms(attempt);

			above += ms > bounds[attempt];
			low += ms <= bounds[attempt] / 2;
			high += ms > bounds[attempt] / 2;
		}
		ok(above == 0 && low > 0 && high > 0, "after attempt %u any wait up to %u ms", attempt, bounds[attempt]);
	}
}

int main(void)
{
	test_times();
	test_text();
	test_backoff();
	return tap_done();
}
