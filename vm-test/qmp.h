/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_QMP_H
#define KILN_VM_TEST_QMP_H

#include <stdbool.h>
#include <stddef.h>

#include "../factory/base/buf.h"

struct error;
struct json_t;

/*
 * QEMU's control connection (QMP): commands as lines of JSON, answered in order. The socket is the caller's and does not
 * block. No answer but success or failure is of use here.
 */
#define QMP_LINE_MAX ((size_t)1 << 20)
struct qmp {
	int fd;
	struct buf input;
	unsigned int asked, answered;	/* commands */
};
#define QMP_INIT(socket) { .fd = (socket), .input = BUF_INIT(QMP_LINE_MAX) }
void qmp_close(struct qmp *q);		/* not the socket */
#define CLEANUP_QMP __attribute__((cleanup(qmp_close)))

/* An object with "execute", to put "arguments" into; the first command must be "qmp_capabilities". qmp_ask() frees it. */
struct json_t *qmp_command(const char *name);
int qmp_ask(struct qmp *q, struct json_t *command, struct error *err);
/* Takes what has come; ERROR_OUTSIDE when QEMU refuses a command. That the connection has ended is no error. */
int qmp_read(struct qmp *q, struct error *err);
static inline bool qmp_is_done(const struct qmp *q)
{
	return q->answered == q->asked;
}

#endif
