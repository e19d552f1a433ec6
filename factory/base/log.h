/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_LOG_H
#define KILN_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * The one logger. Lines go to standard error from log_level on; all of them, with elapsed
 * seconds before them, go to the log file when one is open. Not for results (standard output) and
 * not for errors on their way up (struct error).
 */

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* The lowest level that reaches standard error; LOG_INFO at start. */
void log_set_level(enum log_level level);
/* Opens (truncates) the log file, closing an earlier one; NULL only closes. */
int log_open_file(const char *path, struct error *err);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

/* Raw output of a child or of the appliance's console: to the log file only. Control characters
 * other than newline and tab are dropped. */
void log_foreign(const char *source, const char *text, size_t size);

/*
 * Progress. A step is "[n/m] title ... detail" redrawn in place on a terminal; elsewhere one line
 * when it begins and one when it ends. Only one step is open at a time.
 */
void log_step_begin(unsigned int number, unsigned int total, const char *title);
/* `done` of `total` units ("packages", "MiB", ...); total 0 = unknown. At most ten redraws a second. */
void log_step_update(uint64_t done, uint64_t total, const char *unit);
/* Redraws the seconds of the open step; for loops that wait for somebody else. */
void log_step_tick(void);
/* `outcome` is a word or a few: "done", "reused", "failed". Prints the time the step took. */
void log_step_end(const char *outcome);

#endif
