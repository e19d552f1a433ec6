/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

void secret_wipe(void *data, size_t size)
{
	if (size)
		explicit_bzero(data, size);
}

void secret_free(char *text)
{
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
}

void secret_freep(char **text)
{
	secret_free(*text);
	*text = NULL;
}

void secret_buf_free(struct buf *b)
{
	secret_wipe(b->data, b->cap);
	buf_free(b);
}
