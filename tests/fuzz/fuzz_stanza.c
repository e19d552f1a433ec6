/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "rootfs/packages/apt_output.h"
#include "rootfs/packages/release.h"
#include "rootfs/packages/stanza.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a view of text hands out must lie within that text. */
static void inside(struct text part, struct text whole)
{
	if (part.data < whole.data || part.size > whole.size ||
	    (size_t)(part.data - whole.data) > whole.size - part.size)
		abort();
}

/* Text from an archive or from apt: Packages and Release files, and what apt-get prints. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct text whole = { (const char *)data, size };
	struct text rest = whole, stanza, field, word, dependent;
	struct error err = ERROR_INIT;
	uint8_t sha256[32];
	char folded[64];
	int64_t date;

	while (stanza_next(&rest, &stanza)) {
		inside(stanza, whole);
		if (!stanza_field(stanza, "Depends", &field))
			continue;
		inside(field, stanza);
		while (text_word(&field, &word))
			inside(word, stanza);
	}
	(void)release_date(whole, "fuzzed", &date, &err);
	rest = whole;
	while (text_line(&rest, &field))
		(void)apt_output_choice(field, sha256);
	if (apt_output_dependent(whole, "libc6", &dependent))
		inside(dependent, whole);
	if (apt_output_unmet(whole, folded, sizeof(folded)) && strlen(folded) >= sizeof(folded))
		abort();
	return 0;
}
