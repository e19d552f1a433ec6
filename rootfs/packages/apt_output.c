/* SPDX-License-Identifier: Apache-2.0 */
#include "apt_output.h"

#include <string.h>

#include "../../factory/base/hex.h"

#define DIGEST_PREFIX "SHA256:"
#define DIGEST_PREFIX_SIZE (sizeof(DIGEST_PREFIX) - 1)
#define HEX_SIZE 64

static bool is_digest(struct text word)
{
	return word.size == DIGEST_PREFIX_SIZE + HEX_SIZE &&
	       memcmp(word.data, DIGEST_PREFIX, DIGEST_PREFIX_SIZE) == 0;
}

bool apt_output_choice(struct text line, uint8_t ret_sha256[static 32])
{
	char hex[HEX_SIZE + 1];
	struct text word;

	if (line.size == 0 || line.data[0] != '\'')
		return false;
	while (text_word(&line, &word)) {
		if (!is_digest(word))
			continue;
		memcpy(hex, word.data + DIGEST_PREFIX_SIZE, HEX_SIZE);
		hex[HEX_SIZE] = '\0';
		return hex_decode(hex, ret_sha256, HEX_SIZE / 2) == 0;
	}
	return false;
}

/* The words after `mark`, or false. */
static bool after(struct text line, const char *mark, struct text *ret)
{
	const char *found = memmem(line.data, line.size, mark, strlen(mark));

	if (!found)
		return false;
	found += strlen(mark);
	*ret = (struct text){ found, (size_t)(line.data + line.size - found) };
	return true;
}

/* A package's further lines have no name in front: it is the one of the line before. */
bool apt_output_dependent(struct text output, const char *name, struct text *ret)
{
	struct text line, dependent = { NULL, 0 }, rest, word;

	while (text_line(&output, &line)) {
		const char *colon = memmem(line.data, line.size, " : ", 3);

		if (colon)
			dependent = (struct text){ line.data, (size_t)(colon - line.data) };
		if (!dependent.data || !after(line, "epends: ", &rest))
			continue;
		if (text_word(&rest, &word) && text_equal(word, name))
			return text_word(&dependent, ret);
	}
	return false;
}

bool apt_output_unmet(struct text output, char *ret, size_t size)
{
	size_t used = 0;
	struct text word;

	if (!after(output, "unmet dependencies:", &output))
		return false;
	ret[0] = '\0';
	while (text_word(&output, &word) && used + word.size + 2 <= size) {
		if (used > 0)
			ret[used++] = ' ';
		memcpy(ret + used, word.data, word.size);
		used += word.size;
		ret[used] = '\0';
	}
	return true;
}
