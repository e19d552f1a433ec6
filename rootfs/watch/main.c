/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_TROUBLE 125	/* as env(1) has it: trouble of our own; else the program's own code */

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "kiln-watch: %s: %s\n", what, strerror(errno));
	exit(EXIT_TROUBLE);
}

/* ---------------------------------------------------------------- calls */

struct exchange {
	struct seccomp_notif *call;
	struct seccomp_notif_resp *answer;
	size_t call_size, answer_size;
};

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Kernels to come may have longer structures than the headers know. */
static void exchange_prepare(struct exchange *e)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		die("seccomp");
	e->call_size = larger(sizes.seccomp_notif, sizeof(*e->call));
	e->answer_size = larger(sizes.seccomp_notif_resp, sizeof(*e->answer));
	e->call = malloc(e->call_size);
	e->answer = malloc(e->answer_size);
	if (!e->call || !e->answer)
		die("memory");
}

static void note(const struct seccomp_notif *call, enum aim aim, const struct address *address, pid_t script)
{
	char command[700];

	command_describe(script, (pid_t)call->pid, command, sizeof(command));
	if (!report_add(command, aim, address))
		die("the report");
}

static void answer_call(struct exchange *e, int listener, pid_t script)
{
	struct address address;
	enum aim aim = AIM_HERE;

	memset(e->call, 0, e->call_size);
	memset(e->answer, 0, e->answer_size);
	/* ENOENT here and below: whoever called has been killed meanwhile. */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, e->call) < 0)
		return;
	if (!call_aim(e->call, &aim, &address))
		die("memory of a watched program");
	/* What was read may be of a process that has the dead one's number. */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &e->call->id) < 0)
		return;
	if (aim != AIM_HERE)
		note(e->call, aim, &address, script);
	e->answer->id = e->call->id;
	if (aim == AIM_HERE)
		e->answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		e->answer->error = -ENETUNREACH;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, e->answer);
}

/* ---------------------------------------------------------------- the script */

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Children that lost their parents come to us; only the script's own end counts. */
static bool script_ended(pid_t script, int *ret_status)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == script) {
			*ret_status = status;
			return true;
		}
	return false;
}

/* The script's exit code, once it has ended. What it leaves behind in the background is not waited for. */
static int serve(int listener, pid_t script)
{
	struct exchange e;
	int status;
	struct pollfd fds[] = {
		{ .fd = listener, .events = POLLIN },
		{ .fd = (int)syscall(SYS_pidfd_open, script, 0), .events = POLLIN },
	};

	if (fds[1].fd < 0)
		die("pidfd_open");
	exchange_prepare(&e);
	while (!(fds[1].revents & POLLIN) || !script_ended(script, &status)) {
		if (poll(fds, 2, -1) < 0)
			die("poll");	/* nothing is caught here, so nothing interrupts */
		if (fds[0].revents & POLLIN)
			answer_call(&e, listener, script);
	}
	free(e.call);
	free(e.answer);
	return exit_code(status);
}

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	execvp(argv[0], argv);
	(void)fprintf(stderr, "kiln-watch: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

int main(int argc, char **argv)
{
	int listener;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: watch REPORT PROGRAM [ARGUMENT...]\n");
		return EXIT_TROUBLE;
	}
	if (!report_open(argv[1]))
		die(argv[1]);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (filter_install(&listener) < 0)
		die("seccomp");
	return serve(listener, start(argv + 2));
}
