/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static void kinds(void)
{
	struct error err = ERROR_INIT;

	ok_int(error_exit_code(&err), 0, "no error: exit code 0");

	ok_int(error_input(&err, "line %d", 7), -EINVAL, "input: -EINVAL");
	ok_str(err.message, "line 7", "input: message");
	ok_int(error_exit_code(&err), 2, "input: exit code 2");

	ok_int(error_verdict(&err, "no"), -EBADMSG, "verdict: -EBADMSG");
	ok_int(error_exit_code(&err), 1, "verdict: exit code 1");

	ok_int(error_outside(&err, "tool"), -EIO, "outside: -EIO");
	ok_int(error_exit_code(&err), 3, "outside: exit code 3");
}

static void system_calls(void)
{
	struct error err = ERROR_INIT;

	ok_int(error_system(&err, ENOENT, "cannot open %s", "x"), -ENOENT, "positive errno");
	ok_str(err.message, "cannot open x: No such file or directory", "says what and why");
	ok_int(err.code, ENOENT, "code is positive");
	ok_int(error_exit_code(&err), 3, "exit code 3");
	ok_int(error_system(&err, -ENOSPC, "w"), -ENOSPC, "negative errno");
	ok_str(err.message, "w: No space left on device", "negative errno: message");
	ok(error_system(&err, 0, "w") < 0, "errno 0 is a failure all the same");
}

static void wraps(void)
{
	struct error err = ERROR_INIT;
	static char longer[4096];

	error_input(&err, "bad number");
	ok_int(error_wrap(&err, "%s:%d", "image.xml", 3), -EINVAL, "wrap returns the code");
	ok_str(err.message, "image.xml:3: bad number", "context goes in front");
	error_wrap(&err, "reading");
	ok_str(err.message, "reading: image.xml:3: bad number", "and again");
	ok_int(err.kind, ERROR_INPUT, "wrap keeps the kind");

	memset(longer, 'm', sizeof(longer) - 1);
	error_input(&err, "%s", longer);
	ok_int(strlen(err.message), sizeof(err.message) - 1, "a long message is cut");
	error_wrap(&err, "context");
	ok_int(strlen(err.message), sizeof(err.message) - 1, "a long message wrapped is cut");
	ok(strncmp(err.message, "context: mmm", 12) == 0, "with its context");

	error_input(&err, "why");
	error_wrap(&err, "%s", longer);
	ok_error(&err, ": why", "an endless context does not push the message out");
}

static void no_memory(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)close(STDERR_FILENO);
		error_no_memory();
	}
	need(pid > 0 && waitpid(pid, &status, 0) == pid, "child");
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "no memory aborts");
}

int main(void)
{
	kinds();
	system_calls();
	wraps();
	no_memory();
	return tap_done();
}
