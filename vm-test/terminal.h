/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_TERMINAL_H
#define KILN_VM_TEST_TERMINAL_H

#include <poll.h>
#include <stdbool.h>
#include <termios.h>

#include "../factory/base/buf.h"

struct error;

/*
 * Standard input as a machine's keyboard. While it is open, a terminal passes every key, Ctrl-C too,
 * on to the machine; only Ctrl-A is Kiln's own: Ctrl-A X quits, Ctrl-A Ctrl-A types a Ctrl-A.
 */
struct terminal {
	struct termios saved;
	bool raw;		/* saved has to be put back */
	bool ended;		/* no more input */
	bool escape;		/* Ctrl-A was typed */
	bool quit;		/* Ctrl-A X was typed */
};
#define TERMINAL_INIT { .raw = false }

/* Input that is no terminal is read as it comes. */
int terminal_open(struct terminal *t, struct error *err);
void terminal_poll(const struct terminal *t, struct pollfd *ret);
/* Reads what was typed and appends what of it is for the machine. */
void terminal_read(struct terminal *t, struct buf *ret);
/* As read() gave it; split off for tests. */
void terminal_feed(struct terminal *t, const char *typed, size_t size, struct buf *ret);
void terminal_close(struct terminal *t);
#define CLEANUP_TERMINAL __attribute__((cleanup(terminal_close)))

#endif
