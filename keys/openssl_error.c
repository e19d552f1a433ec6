/* SPDX-License-Identifier: Apache-2.0 */
#include "openssl_error.h"

#include <stdarg.h>
#include <stdio.h>

#include <openssl/err.h>

#define TEXT_MAX 1024

/* The innermost reason, which was put in first; "" when nothing is known. */
static const char *reason(char *text, size_t size)
{
	const char *data = NULL, *why;
	int flags = 0;
	unsigned long code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);

	why = code ? ERR_reason_error_string(code) : NULL;
	if (!why)
		why = code ? "an error it has no words for" : "";
	snprintf(text, size, "%s%s%s%s", *why ? ": " : "", why,
		 *why && (flags & ERR_TXT_STRING) && data && *data ? ", " : "",
		 *why && (flags & ERR_TXT_STRING) && data ? data : "");
	ERR_clear_error();
	return text;
}

int openssl_input(struct error *err, const char *fmt, ...)
{
	char what[TEXT_MAX], why[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return error_input(err, "%s%s", what, reason(why, sizeof(why)));
}

int openssl_outside(struct error *err, const char *fmt, ...)
{
	char what[TEXT_MAX], why[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return error_outside(err, "%s%s", what, reason(why, sizeof(why)));
}
