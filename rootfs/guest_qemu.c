/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_qemu.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/process.h"
#include "hypervisor.h"

#define AGAIN_MS 100

/* The process, if it is a child of ours still: its number may be another's by now. */
static pid_t running(const struct guest_qemu *q)
{
	CLEANUP_BUF struct buf text = BUF_INIT(32);
	struct error ignored = ERROR_INIT;
	siginfo_t info;
	long pid;

	if (!q->pid_file || !io_exists(q->pid_file) || io_read_file(q->pid_file, text.max, &text, &ignored) < 0)
		return 0;
	pid = strtol(buf_text(&text), NULL, 10);
	if (pid <= 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return 0;
	return (pid_t)pid;
}

void guest_qemu_kill(const struct guest_qemu *q)
{
	pid_t pid = running(q);

	if (pid)
		(void)kill(pid, SIGKILL);
}

/* After a signal again and again: libguestfs may be about to start it. */
static void *watch(void *data)
{
	struct guest_qemu *q = data;
	struct pollfd fds[] = {
		{ .fd = q->stop_watching, .events = POLLIN },
		{ .fd = process_signal_fd(), .events = POLLIN },
	};
	bool signalled = false;

	for (;;) {
		int n = poll(fds, signalled ? 1 : 2, signalled ? AGAIN_MS : -1);

		if (n > 0 && fds[0].revents)
			return NULL;
		signalled = signalled || (n > 0 && fds[1].revents);
		if (signalled)
			guest_qemu_kill(q);
	}
}

static int start_thread(struct guest_qemu *q, struct error *err)
{
	sigset_t all, before;
	int r;

	q->stop_watching = eventfd(0, EFD_CLOEXEC);
	if (q->stop_watching < 0)
		return error_system(err, errno, "eventfd");
	/* The handlers are for the main thread. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&q->watcher, NULL, watch, q);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return error_system(err, r, "cannot start a thread");
	q->watched = true;
	return 0;
}

int guest_qemu_watch(struct guest_qemu *q, const char *tmp, struct error *err)
{
	q->pid_file = path_join(tmp, "qemu.pid");
	if (setenv(HYPERVISOR_PID_FILE, q->pid_file, 1) < 0)
		return error_system(err, errno, "cannot set the environment");
	return process_signal_fd() < 0 ? 0 : start_thread(q, err);
}

void guest_qemu_stop_watching(struct guest_qemu *q)
{
	const uint64_t one = 1;

	if (!q->watched)
		return;
	if (write(q->stop_watching, &one, sizeof(one)) == sizeof(one))
		(void)pthread_join(q->watcher, NULL);
	q->watched = false;
}

void guest_qemu_clear(struct guest_qemu *q)
{
	guest_qemu_stop_watching(q);
	cleanup_close(&q->stop_watching);
	if (q->pid_file)
		(void)unlink(q->pid_file);
	free(q->pid_file);
	*q = (struct guest_qemu) GUEST_QEMU_INIT;
}
