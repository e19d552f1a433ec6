/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

int64_t clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct tm split(int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	gmtime_r(&time, &tm);
	return tm;
}

void clock_iso(int64_t seconds, char ret[static CLOCK_TEXT_SIZE])
{
	struct tm tm = split(seconds);

	(void)strftime(ret, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
}

void clock_iso_short(int64_t seconds, char ret[static CLOCK_TEXT_SIZE])
{
	struct tm tm = split(seconds);

	(void)strftime(ret, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void clock_http(int64_t seconds, char ret[static CLOCK_TEXT_SIZE])
{
	struct tm tm = split(seconds);

	(void)strftime(ret, CLOCK_TEXT_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

int clock_parse(const char *text, int64_t *ret)
{
	static const char shape[] = "ddddddddTddddddZ";
	struct tm tm = { .tm_year = 0 };

	for (size_t i = 0; i < sizeof(shape); i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return -EINVAL;
	if (!strptime(text, "%Y%m%dT%H%M%SZ", &tm))
		return -EINVAL;
	*ret = timegm(&tm);
	return 0;
}
