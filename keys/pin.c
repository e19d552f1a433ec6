/* SPDX-License-Identifier: Apache-2.0 */
#include "pin.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"

#define PIN_MAX 256

struct pin {
	char text[PIN_MAX + 1];
	UI_METHOD *method;	/* NULL: OpenSSL's own, which asks on the terminal */
	bool given;		/* once is enough: a wrong PIN tried again may lock the token */
};

static int answer(UI *ui, UI_STRING *question)
{
	struct pin *p = UI_get0_user_data(ui);

	switch (UI_get_string_type(question)) {
	case UIT_PROMPT:
	case UIT_VERIFY:
		if (p->given)
			return 0;
		p->given = true;
		return UI_set_result(ui, question, p->text) == 0;
	default:
		return 1;
	}
}

static int check_file(const char *file, struct error *err)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return error_input(err, "%s: the file with the PIN cannot be read: %s", file, strerror(errno));
	if (st.st_mode & 077)
		return error_input(err, "%s: the file with the PIN may be read by others: chmod 600 it", file);
	return 0;
}

static int read_pin(const char *file, char *ret, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(PIN_MAX);
	int r = check_file(file, err);

	if (r == 0)
		r = io_read_file(file, PIN_MAX, &text, err);
	if (r < 0)
		return r;
	snprintf(ret, PIN_MAX + 1, "%.*s", (int)strcspn(buf_text(&text), "\r\n"), buf_text(&text));
	OPENSSL_cleanse(text.data, text.len);
	return ret[0] ? 0 : error_input(err, "%s: the file with the PIN has nothing in its first line", file);
}

static UI_METHOD *make_method(void)
{
	UI_METHOD *m = UI_create_method("PIN out of a file");

	if (!m || UI_method_set_reader(m, answer) < 0)
		error_no_memory();
	return m;
}

int pin_new(const char *file, struct pin **ret, struct error *err)
{
	CLEANUP_PIN struct pin *p = calloc(1, sizeof(*p));
	const char *from = file ? file : getenv("KILN_PIN_FILE");
	int r = 0;

	if (!p)
		error_no_memory();
	if (from) {
		r = read_pin(from, p->text, err);
		p->method = make_method();
	}
	if (r == 0)
		*ret = TAKE_PTR(p);
	return r;
}

void pin_free(struct pin *p)
{
	if (!p)
		return;
	UI_destroy_method(p->method);
	OPENSSL_cleanse(p->text, sizeof(p->text));
	free(p);
}

void pin_freep(struct pin **p)
{
	pin_free(*p);
}

const UI_METHOD *pin_method(const struct pin *p)
{
	return p->method ? p->method : UI_OpenSSL();
}

void *pin_data(struct pin *p)
{
	return p->method ? p : NULL;
}
