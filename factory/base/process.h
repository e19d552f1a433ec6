/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_PROCESS_H
#define KILN_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "child.h"

struct error;

/* The one process runner; struct process_options and process_find() are in child.h. */

/*
 * Runs to its end. Standard error goes to the log file, and its last lines into the error message
 * when the exit code is not 0 ("mtools: mcopy exited 1: Disk full"). A missing program is reported
 * with its name. *ret_code may be NULL; where it is given, a non-zero exit is no error (a death by
 * signal is). What the child leaves running in its session is killed.
 */
int process_run(const struct process_options *options, int *ret_code, struct error *err);

/* A long-lived child: QEMU, swtpm. */
struct process;
int process_start(const struct process_options *options, struct process **ret, struct error *err);
pid_t process_pid(const struct process *p);
/* A descriptor that becomes readable when the child has ended (pidfd); ours to poll, not to close. */
int process_fd(const struct process *p);
/* Has it ended? *ret_status as waitpid(). */
bool process_ended(struct process *p, int *ret_status);
/* The last lines the child wrote to standard error; valid until the next call. */
const char *process_stderr(struct process *p);
/* SIGTERM, wait `grace_ms`, SIGKILL, reap. Does nothing when it has ended already. */
void process_stop(struct process *p, unsigned int grace_ms);
/* process_stop() with two seconds, and frees; NULL is a no-op. */
void process_free(struct process *p);
void process_freep(struct process **p);
#define CLEANUP_PROCESS __attribute__((cleanup(process_freep)))

/*
 * SIGINT, SIGTERM and SIGHUP: after process_catch_signals() they set a flag and make the descriptor
 * readable in place of ending the process, so that loops can end in order. A second one kills.
 */
int process_catch_signals(struct error *err);
int process_signal_fd(void);
/* -EINTR with "interrupted" set if a signal came; 0 otherwise. */
int process_check_interrupt(struct error *err);

#endif
