/* SPDX-License-Identifier: Apache-2.0 */
#include "relations.h"

#include <ctype.h>
#include <string.h>

bool relations_next(struct text *rest, struct text *ret)
{
	size_t n = 0;

	while (rest->size > 0 && (isspace((unsigned char)*rest->data) || strchr(",|", *rest->data))) {
		rest->data++;
		rest->size--;
	}
	while (n < rest->size && !isspace((unsigned char)rest->data[n]) && !strchr(",|(:[<", rest->data[n]))
		n++;
	*ret = (struct text) { rest->data, n };
	while (n < rest->size && !strchr(",|", rest->data[n]))
		n++;
	rest->data += n;
	rest->size -= n;
	return ret->size > 0;
}

bool relations_name(struct text relations, const char *package)
{
	struct text name;

	while (relations_next(&relations, &name))
		if (text_equal(name, package))
			return true;
	return false;
}
