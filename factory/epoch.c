/* SPDX-License-Identifier: Apache-2.0 */
#include "epoch.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"

int epoch_now(int64_t *ret, struct error *err)
{
	const char *given = getenv("SOURCE_DATE_EPOCH");
	struct timespec now = { .tv_sec = 0 };
	long long number;
	char *end;

	if (!given) {
		(void)clock_gettime(CLOCK_REALTIME, &now);	/* fails for no clock of this name */
		*ret = now.tv_sec;
		return 0;
	}
	errno = 0;
	number = strtoll(given, &end, 10);
	if (given[0] < '0' || given[0] > '9' || *end || errno)
		return error_input(err, "SOURCE_DATE_EPOCH=%s is no number of seconds since 1970", given);
	*ret = number;
	return 0;
}
