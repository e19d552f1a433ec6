/* SPDX-License-Identifier: Apache-2.0 */
#include "iso_time.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "../factory/base/io.h"

/* `count` digits; -1 for less. */
static int number(const char **at, int count)
{
	int value = 0;

	for (; count > 0; count--, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		value = 10 * value + (**at - '0');
	}
	return value;
}

static bool expect(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* "Z", "UTC", "+01:00": seconds east of Greenwich. */
static bool read_zone(const char *at, int *ret)
{
	int sign = *at == '-' ? -1 : 1, hours, minutes;

	*ret = 0;
	if (strcmp(at, "Z") == 0 || strcmp(at, "UTC") == 0)
		return true;
	if (*at != '+' && *at != '-')
		return false;
	at++;
	hours = number(&at, 2);
	if (!expect(&at, ':'))
		return false;
	minutes = number(&at, 2);
	*ret = sign * (3600 * hours + 60 * minutes);
	return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && !*at;
}

static bool read_date(const char **at, struct tm *tm)
{
	tm->tm_year = number(at, 4) - 1900;
	if (!expect(at, '-'))
		return false;
	tm->tm_mon = number(at, 2) - 1;
	if (!expect(at, '-'))
		return false;
	tm->tm_mday = number(at, 2);
	return tm->tm_year >= 70 && tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31;
}

static bool read_clock(const char **at, struct tm *tm)
{
	tm->tm_hour = number(at, 2);
	if (!expect(at, ':'))
		return false;
	tm->tm_min = number(at, 2);
	if (!expect(at, ':'))
		return false;
	tm->tm_sec = number(at, 2);
	return tm->tm_hour >= 0 && tm->tm_hour < 24 && tm->tm_min >= 0 && tm->tm_min < 60 && tm->tm_sec >= 0 &&
	       tm->tm_sec <= 60;
}

int iso_time_parse(const char *text, int64_t *ret)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *at = text;
	int east;

	if (!read_date(&at, &tm) || (*at != 'T' && *at != ' '))
		return -EINVAL;
	at++;
	if (!read_clock(&at, &tm))
		return -EINVAL;
	if (*at == '.') {
		size_t digits = strspn(at + 1, "0123456789");

		if (digits == 0)
			return -EINVAL;
		at += 1 + digits;
	}
	if (!read_zone(at, &east))
		return -EINVAL;
	*ret = (int64_t)timegm(&tm) - east;
	return 0;
}

char *iso_time_text(int64_t seconds)
{
	const time_t at = (time_t)seconds;
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&at, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return string_copy(text);
}
