/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "factory/format/moddep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is modules.dep; what stands before a form feed is modules.builtin. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"a", "dm-verity", "erofs", NULL};
	struct moddep_list list = {NULL, 0};
	struct error err = ERROR_INIT;
	char *text = malloc(size + 1), *cut;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	cut = strchr(text, '\f');
	if (cut)
		*cut = '\0';
	if (moddep_resolve(cut ? cut + 1 : text, cut ? text : "", names, &list, &err) == 0)
		moddep_list_free(&list);
	free(text);
	return 0;
}
