/* SPDX-License-Identifier: Apache-2.0 */
#include "qmp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/model/json.h"

void qmp_close(struct qmp *q)
{
	buf_free(&q->input);
}

/* A command is one line, so that it goes out whole or not at all. */
static int fold(struct buf *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] == '\n')
			text->data[i] = ' ';
	return buf_add_string(text, "\n");
}

struct json_t *qmp_command(const char *name)
{
	struct json_t *command = json_new();

	json_put_string(command, "execute", name);
	return command;
}

int qmp_ask(struct qmp *q, struct json_t *command, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(QMP_LINE_MAX);
	int r = json_finish(command, false, &text);

	if (r == 0)
		r = fold(&text);
	if (r < 0)
		return error_system(err, r, "a command for QEMU");
	if (send(q->fd, text.data, text.len, MSG_NOSIGNAL) != (ssize_t)text.len)
		return error_outside(err, "QEMU takes no commands any more");
	q->asked++;
	return 0;
}

/* One line: the greeting, an event, an answer. */
static int take_line(struct qmp *q, const char *line, size_t size, struct error *err)
{
	CLEANUP_JSON struct json_node root = { .value = NULL };
	CLEANUP_FREE char *why = NULL;
	struct json_node error;
	int r = json_open(line, size, "QEMU's answer", &root, err);

	if (r < 0)
		return r;
	if (json_has(&root, "return"))
		q->answered++;
	if (!json_has(&root, "error"))
		return 0;
	r = json_get_object(&root, "error", &error, err);
	if (r == 0)
		r = json_get_string(&error, "desc", &why, err);
	return r < 0 ? r : error_outside(err, "QEMU refuses a command: %s", why);
}

static int take_lines(struct qmp *q, struct error *err)
{
	char *newline;
	int r = 0;

	while (r == 0 && q->input.len && (newline = memchr(q->input.data, '\n', q->input.len))) {
		const size_t size = (size_t)((uint8_t *)newline - q->input.data) + 1;

		r = take_line(q, (const char *)q->input.data, size - 1, err);
		memmove(q->input.data, q->input.data + size, q->input.len - size);
		buf_truncate(&q->input, q->input.len - size);
	}
	return r;
}

int qmp_read(struct qmp *q, struct error *err)
{
	char data[4096];
	ssize_t n;
	int r;

	while ((n = recv(q->fd, data, sizeof(data), MSG_DONTWAIT)) > 0) {
		r = buf_add(&q->input, data, (size_t)n);
		if (r < 0)
			return error_system(err, r, "QEMU's answers");
		r = take_lines(q, err);
		if (r < 0)
			return r;
	}
	return 0;
}
