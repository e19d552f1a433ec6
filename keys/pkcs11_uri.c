/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11_uri.h"

#include <stdlib.h>
#include <string.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"

#define URI_MAX 4096

bool is_pkcs11_uri(const char *text)
{
	return strncmp(text, "pkcs11:", 7) == 0;
}

void pkcs11_uri_clear(struct pkcs11_uri *u)
{
	free(u->key);
	free(u->module_path);
	free(u->pin_file);
	*u = (struct pkcs11_uri) { .key = NULL };
}

/* RFC 3986, 2.1; NULL for a broken escape or a NUL. */
static char *unescape(const char *text, size_t size)
{
	CLEANUP_FREE char *copy = string_printf("%.*s", (int)size, text);
	char *to = copy;

	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)text[i];

		if (text[i] == '%') {
			char two[3] = "";

			if (size - i < 3)
				return NULL;
			memcpy(two, text + i + 1, 2);
			if (hex_decode(two, &byte, 1) < 0 || byte == 0)
				return NULL;
			i += 2;
		}
		*to++ = (char)byte;
	}
	*to = '\0';
	return TAKE_PTR(copy);
}

static bool begins(const char *part, size_t size, const char *name, const char **ret_value)
{
	size_t len = strlen(name);

	if (size < len || memcmp(part, name, len) != 0)
		return false;
	*ret_value = part + len;
	return true;
}

/* One attribute of the query. What is not Kiln's stays in the URI. */
static int take_attribute(const char *part, size_t size, struct pkcs11_uri *u, struct buf *rest, struct error *err)
{
	const char *value, *end = part + size;
	char **field = NULL;

	if (begins(part, size, "module-path=", &value)) {
		field = &u->module_path;
	} else if (begins(part, size, "pin-source=", &value)) {
		if (strncmp(value, "file:", 5) == 0)
			value += 5;
		if (value[0] != '/')
			return error_input(err, "the PKCS#11 URI's pin-source is not file: and an absolute path");
		field = &u->pin_file;
	}
	if (!field) {
		if (buf_printf(rest, "%c%.*s", strchr(buf_text(rest), '?') ? '&' : '?', (int)size, part) < 0)
			return error_input(err, "the PKCS#11 URI is longer than %d bytes", URI_MAX);
		return 0;
	}
	free(*field);
	*field = unescape(value, (size_t)(end - value));
	return *field ? 0 : error_input(err, "the PKCS#11 URI has an escape that is none");
}

int pkcs11_uri_parse(const char *text, struct pkcs11_uri *ret, struct error *err)
{
	CLEANUP_PKCS11_URI struct pkcs11_uri u = { .key = NULL };
	CLEANUP_BUF struct buf rest = BUF_INIT(URI_MAX);
	const char *query = strchr(text, '?');
	size_t path = query ? (size_t)(query - text) : strlen(text);
	int r = buf_add(&rest, text, path);

	if (r < 0)
		return error_input(err, "the PKCS#11 URI is longer than %d bytes", URI_MAX);
	if (strstr(text, "pin-value"))
		return error_input(err, "the PKCS#11 URI holds a PIN: name a file that has it with pin-source=file:PATH, or in KILN_PIN_FILE");
	while (r == 0 && query && *query) {
		size_t size = strcspn(++query, "&");

		r = take_attribute(query, size, &u, &rest, err);
		query += size;
	}
	if (r < 0)
		return r;
	u.key = string_copy(buf_text(&rest));
	*ret = u;
	u = (struct pkcs11_uri) { .key = NULL };
	return 0;
}
