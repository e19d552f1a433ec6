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

/* What follows `mark`, or false. */
static bool after(struct text text, const char *mark, struct text *ret)
{
	const char *found = memmem(text.data, text.size, mark, strlen(mark));

	if (!found)
		return false;
	found += strlen(mark);
	*ret = (struct text){found, (size_t)(text.data + text.size - found)};
	return true;
}

static bool ends_with(struct text word, const char *end)
{
	size_t size = strlen(end);

	return word.size > size && memcmp(word.data + word.size - size, end, size) == 0;
}

/*
 * A package's further lines have no name in front: it is the one of the line before. What stands after an
 * "or" has no kind either.
 */
bool apt_output_relation(struct text *rest, struct apt_relation *ret)
{
	struct text line, words, word;

	if (!ret->package.data && !after(*rest, "unmet dependencies:\n", rest))
		return false;
	while (text_line(rest, &line)) {
		if (line.size == 0 || line.data[0] != ' ')
			continue;
		words = line;
		if (after(line, " : ", &words))
			(void)text_word(&line, &ret->package);
		if (!ret->package.data || !text_word(&words, &word))
			continue;
		if (word.data[word.size - 1] == ':') {
			ret->depends = ends_with(word, "epends:");
			if (!text_word(&words, &word))
				continue;
		}
		ret->name = word;
		return true;
	}
	return false;
}

bool apt_output_dependent(struct text output, const char *name, struct text *ret)
{
	struct apt_relation relation = {.depends = false};

	while (apt_output_relation(&output, &relation)) {
		if (!relation.depends || !text_equal(relation.name, name))
			continue;
		*ret = relation.package;
		return true;
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
