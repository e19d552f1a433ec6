/* SPDX-License-Identifier: Apache-2.0 */
#include "release.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../../factory/base/error.h"

static int month_of(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *found = strlen(name) == 3 ? strstr(months, name) : NULL;

	return found && (found - months) % 3 == 0 ? (int)(found - months) / 3 : -1;
}

/* By hand: strptime() would read the names in the process's locale. */
static bool parse_date(const char *text, int64_t *ret)
{
	struct tm tm = { 0 };
	char month[4], zone[6];

	if (sscanf(text, "%*3s, %2d %3s %4d %2d:%2d:%2d %5s", &tm.tm_mday, month, &tm.tm_year,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7)
		return false;
	tm.tm_mon = month_of(month);
	if (tm.tm_mon < 0 || tm.tm_year < 1970 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
	    tm.tm_sec > 60)
		return false;
	if (strcmp(zone, "UTC") != 0 && strcmp(zone, "GMT") != 0 && strcmp(zone, "+0000") != 0)
		return false;
	tm.tm_year -= 1900;
	*ret = timegm(&tm);
	return true;
}

/* In an InRelease file the first paragraph is the signature's header (RFC 4880, 7). */
int release_date(struct text release, const char *file, int64_t *ret, struct error *err)
{
	struct text stanza, value;
	char text[64];

	while (stanza_next(&release, &stanza)) {
		if (!stanza_field(stanza, "Date", &value))
			continue;
		if (value.size >= sizeof(text))
			break;
		memcpy(text, value.data, value.size);
		text[value.size] = '\0';
		if (parse_date(text, ret))
			return 0;
		break;
	}
	return error_outside(err, "%s: no Date that can be read", file);
}
