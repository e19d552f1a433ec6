/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include <stdbool.h>

#include "compare_part.h"

int compare_images(const struct compare_image *a, const struct compare_image *b, struct comparison *ret,
		   struct error *err)
{
	CLEANUP_COMPARISON struct comparison found = { .findings = NULL };
	bool results = a->directory && b->directory;
	int r = results ? compare_inputs(a, b, &found, err) : 0;

	if (r == 0)
		r = compare_disks(a, b, &found, err);
	if (r == 0 && results)
		r = compare_predictions(a, b, &found, err);
	if (r < 0)
		return r;
	*ret = found;
	found = (struct comparison) { .findings = NULL };
	return 0;
}
