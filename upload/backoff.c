/* SPDX-License-Identifier: Apache-2.0 */
#include "backoff.h"

#include <stdint.h>
#include <sys/random.h>

#define FIRST_MS 200
#define MOST_MS 20000

unsigned int aws_backoff_ms(unsigned int attempt)
{
	uint32_t any = 0, bound = MOST_MS;

	if (attempt >= 1 && attempt <= 7)
		bound = FIRST_MS << (attempt - 1);
	/* The kernel has it or, right after its start, not yet: then the whole time is waited. */
	if (getrandom(&any, sizeof(any), GRND_NONBLOCK) != (ssize_t)sizeof(any))
		return bound;
	return any % (bound + 1);
}
