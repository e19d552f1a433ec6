/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

__attribute__((format(printf, 4, 0))) static int set(struct error *err, enum error_kind kind,
						     int code, const char *fmt, va_list ap)
{
	err->kind = kind;
	err->code = code;
	if (vsnprintf(err->message, sizeof(err->message), fmt, ap) < 0)
		err->message[0] = '\0';
	return -code;
}

int error_input(struct error *err, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set(err, ERROR_INPUT, EINVAL, fmt, ap);
	va_end(ap);
	return r;
}

int error_verdict(struct error *err, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set(err, ERROR_VERDICT, EBADMSG, fmt, ap);
	va_end(ap);
	return r;
}

int error_outside(struct error *err, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set(err, ERROR_OUTSIDE, EIO, fmt, ap);
	va_end(ap);
	return r;
}

int error_system(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;
	size_t used;

	/* 0 would make a failure look like success to whoever tests the return value. */
	if (code == 0)
		code = EIO;
	code = abs(code);
	va_start(ap, fmt);
	(void)set(err, ERROR_OUTSIDE, code, fmt, ap);
	va_end(ap);
	used = strlen(err->message);
	(void)snprintf(err->message + used, sizeof(err->message) - used, ": %s", strerror(code));
	return -code;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
	char context[sizeof(err->message)];
	size_t used, rest;
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(context, sizeof(context), fmt, ap) < 0)
		context[0] = '\0';
	va_end(ap);

	/* What went wrong counts for more than where: an endless context gives way. */
	rest = strnlen(err->message, sizeof(err->message) - 1);
	used = strnlen(context, sizeof(err->message) / 2);
	if (rest > sizeof(err->message) - used - 3)
		rest = sizeof(err->message) - used - 3;
	memmove(err->message + used + 2, err->message, rest);
	memcpy(err->message, context, used);
	memcpy(err->message + used, ": ", 2);
	err->message[used + 2 + rest] = '\0';
	return -err->code;
}

int error_exit_code(const struct error *err)
{
	switch (err->kind) {
	case ERROR_NONE:
		return 0;
	case ERROR_VERDICT:
		return 1;
	case ERROR_INPUT:
		return 2;
	case ERROR_OUTSIDE:
		break;
	}
	return 3;
}

void error_no_memory(void)
{
	static const char text[] = "kiln: out of memory\n";

	/* Not stdio, which may want memory itself. */
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		abort();
	abort();
}
