/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/base/log.h"
#include "factory/base/process.h"
#include "tests/unit/tap.h"

#define SHELL(script) ((const char *const[]){ "sh", "-c", (script), NULL })

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A process that is there and not a zombie. */
static bool alive(pid_t pid)
{
	CLEANUP_FREE char *path = string_printf("/proc/%d/stat", (int)pid);
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct error err = ERROR_INIT;
	const char *state;

	if (io_read_file(path, 4096, &text, &err) < 0)
		return false;
	state = strrchr(buf_text(&text), ')');
	return state && state[2] != 'Z' && state[2] != 'X';
}

static bool dies_within(pid_t pid, double seconds)
{
	double deadline = now() + seconds;

	while (alive(pid) && now() < deadline)
		poll(NULL, 0, 10);
	return !alive(pid);
}

static void exit_codes(void)
{
	static const struct {
		const char *script;
		int result;
		const char *message;
	} cases[] = {
		{ "exit 0", 0, "" },
		{ "exit 1", -EIO, "sh exited 1" },
		{ "exit 255", -EIO, "sh exited 255" },
		{ "echo Disk full >&2; exit 1", -EIO, "sh exited 1: Disk full" },
		{ "printf 'one\\n\\ntwo\\n' >&2; exit 3", -EIO, "sh exited 3: one; two" },
		{ "printf '\\033[31mred\\033[0m\\r\\n' >&2; exit 3", -EIO, "sh exited 3: [31mred[0m" },
		{ "kill -KILL $$", -EIO, "sh was killed by signal 9" },
		{ "echo first >&2; kill -SEGV $$", -EIO, "sh was killed by signal 11: first" },
	};
	struct error err = ERROR_INIT;
	int code = -1;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		err = (struct error)ERROR_INIT;
		ok_int(process_run(&(struct process_options){ .argv = SHELL(cases[i].script) }, NULL,
				   &err), cases[i].result, "%s", cases[i].script);
		ok_str(err.message, cases[i].message, "its message");
		ok_int(err.kind, cases[i].result ? ERROR_OUTSIDE : ERROR_NONE, "its kind");
	}
	err = (struct error)ERROR_INIT;
	ok_int(process_run(&(struct process_options){ .argv = SHELL("exit 4"), .name = "mcopy" }, NULL,
			   &err), -EIO, "a program with a name for messages");
	ok_str(err.message, "mcopy exited 4", "is called by it");
	err = (struct error)ERROR_INIT;
	ok_int(process_run(&(struct process_options){ .argv = SHELL("exit 42") }, &code, &err), 0,
	       "an exit code asked for is no error");
	ok_int(code, 42, "the exit code");
	ok_int(err.kind, ERROR_NONE, "the error is untouched");
	ok_int(process_run(&(struct process_options){ .argv = SHELL("kill -TERM $$") }, &code, &err),
	       -EIO, "a death by signal is one all the same");
	ok_int(code, 42, "and leaves the code alone");
}

static void not_started(void)
{
	CLEANUP_SCRATCH struct scratch s = SCRATCH_INIT;
	CLEANUP_FREE char *script = NULL;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &s, &err) == 0, "scratch: %s", err.message);
	script = path_join(s.path, "script");
	need(io_write_file(script, "#!/nonexistent/shell\n", 21, 0755, &err) == 0, "script");
	ok(process_run(&(struct process_options){
		.argv = (const char *const[]){ "kiln-no-such-program", NULL } }, NULL, &err) < 0,
	   "a missing program");
	ok_str(err.message, "cannot run kiln-no-such-program: not found in PATH", "is named");
	ok_int(err.kind, ERROR_OUTSIDE, "its kind");
	ok_int(process_run(&(struct process_options){
		.argv = (const char *const[]){ "/nonexistent/program", NULL } }, NULL, &err), -ENOENT,
	       "a missing path");
	ok_str(err.message, "cannot run /nonexistent/program: No such file or directory", "is named");
	ok_int(process_run(&(struct process_options){
		.argv = (const char *const[]){ script, NULL } }, NULL, &err), -ENOENT,
	       "an interpreter that is missing");
	ok_int(process_run(&(struct process_options){
		.argv = (const char *const[]){ s.path, NULL } }, NULL, &err), -EACCES,
	       "a directory is no program");
	ok_int(process_run(&(struct process_options){ .argv = SHELL("true"), .cwd = "/nonexistent" },
			   NULL, &err), -ENOENT, "a missing directory");
	ok_error(&err, "in the directory /nonexistent", "is named");
	ok_int(waitpid(-1, NULL, WNOHANG), -1, "no child is left unreaped");
}

static void find(void)
{
	CLEANUP_FREE char *before = string_copy(getenv("PATH"));
	CLEANUP_FREE char *sh = NULL;
	CLEANUP_FREE char *none = process_find("kiln-no-such-program");
	CLEANUP_FREE char *empty = process_find("");
	CLEANUP_FREE char *relative = NULL;

	setenv("PATH", "/nonexistent:/bin:/usr/bin", 1);
	sh = process_find("sh");
	ok_str(sh, "/bin/sh", "the first in PATH");
	ok(!none && !empty, "what is not there");
	setenv("PATH", "tests/unit:.:", 1);
	relative = process_find("Makefile");
	ok(!relative, "relative entries of PATH do not count");
	setenv("PATH", before, 1);
}

static void output(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(64 << 20);
	CLEANUP_BUF struct buf small = BUF_INIT(1000);
	struct error err = ERROR_INIT;
	char name[] = "/tmp/kiln-test-process-XXXXXX";
	CLEANUP_CLOSE int fd = mkstemp(name);
	char got[4] = "";

	need(fd >= 0 && unlink(name) == 0, "temporary file");
	ok_int(process_run(&(struct process_options){ .argv = SHELL("echo out; echo err >&2"),
						      .output = &b }, NULL, &err), 0, "output");
	ok_str(buf_text(&b), "out\n", "standard output only");
	ok_int(process_run(&(struct process_options){ .argv = SHELL("cat; echo end"), .input = "fed\n",
						      .output = &b }, NULL, &err), 0, "input");
	ok_str(buf_text(&b), "out\nfed\nend\n", "is appended");
	buf_truncate(&b, 0);
	ok_int(process_run(&(struct process_options){ .argv = SHELL("cat"), .output = &b }, NULL, &err),
	       0, "no input");
	ok_int(b.len, 0, "is the end of file at once");

	/* Far more than a pipe holds, on both streams at once. */
	ok_int(process_run(&(struct process_options){
		.argv = SHELL("head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2; echo x"),
		.output = &b, .timeout_ms = 60000 }, NULL, &err), 0, "much output: %s", err.message);
	ok_int(b.len, 20000002, "all of it");
	ok_int(process_run(&(struct process_options){ .argv = SHELL("yes"), .output = &small,
						      .timeout_ms = 60000 }, NULL, &err), -EFBIG,
	       "output without end is stopped at the ceiling");
	ok_error(&err, "sh wrote more than 1000 bytes", "which is named");

	ok_int(process_run(&(struct process_options){ .argv = SHELL("echo abc"), .output_fd = fd },
			   NULL, &err), 0, "output to a descriptor");
	ok(pread(fd, got, 3, 0) == 3 && strcmp(got, "abc") == 0, "comes there");
}

static void environment(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	CLEANUP_FREE char *expected = NULL;
	struct error err = ERROR_INIT;
	const char *const env[] = { "/usr/bin/env", NULL };

	setenv("KILN_TEST_SECRET", "secret", 1);
	setenv("HOME", "/home/of/test", 1);
	setenv("TMPDIR", "/var/tmp", 1);
	expected = string_printf("HOME=/home/of/test\nPATH=%s\nTMPDIR=/var/tmp\nLANG=C.UTF-8\n",
				 getenv("PATH"));
	ok_int(process_run(&(struct process_options){ .argv = env, .output = &b }, NULL, &err), 0, "env");
	ok_str(buf_text(&b), expected, "four variables and no more");
	buf_truncate(&b, 0);
	ok_int(process_run(&(struct process_options){
		.argv = env, .env = (const char *const[]){ "A=b", NULL }, .output = &b }, NULL, &err),
	       0, "an environment of its own");
	ok_str(buf_text(&b), "A=b\n", "is all there is");
	unsetenv("TMPDIR");

	buf_truncate(&b, 0);
	ok_int(process_run(&(struct process_options){ .argv = SHELL("pwd"), .cwd = "/usr",
						      .output = &b }, NULL, &err), 0, "a directory");
	ok_str(buf_text(&b), "/usr\n", "is where it runs");
}

static void descriptors(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	CLEANUP_FREE char *script = NULL;
	CLEANUP_CLOSE int passed = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	CLEANUP_CLOSE int kept = open("/dev/zero", O_RDONLY);	/* not close-on-exec */
	CLEANUP_CLOSE int high = fcntl(passed, F_DUPFD, 200);
	struct error err = ERROR_INIT;

	need(passed >= 0 && kept >= 0 && high >= 0, "descriptors");
	script = string_printf("for i in %d %d %d; do test -e /proc/self/fd/$i && echo $i; done; true",
			       passed, kept, high);
	ok_int(process_run(&(struct process_options){
		.argv = SHELL(script), .output = &b, .pass_fds = (const int[]){ high, passed, -1 },
	}, NULL, &err), 0, "descriptors: %s", err.message);
	free(TAKE_PTR(script));
	script = string_printf("%d\n%d\n", passed, high);
	ok_str(buf_text(&b), script, "those passed and no others");
	ok(fcntl(passed, F_GETFD) == FD_CLOEXEC, "ours stay as they were");
}

static void on_usr1(int number)
{
	(void)number;
}

static void signals_and_session(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;
	sigset_t set;
	int pid = 0, session = 0;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, on_usr1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Signals 32 and 33 are the C library's own; its posix_spawn() leaves them ignored in all below make. */
	ok_int(process_run(&(struct process_options){
		.argv = SHELL("sed -n 's/^SigIgn:\t0000000180000000/SigIgn:\t0000000000000000/; "
			      "/^Sig[BI][lg][kn]/p' /proc/self/status"), .output = &b }, NULL, &err),
	       0, "signals");
	ok_str(buf_text(&b), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
	       "none is blocked or ignored");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGPIPE, SIG_DFL);

	buf_truncate(&b, 0);
	ok_int(process_run(&(struct process_options){
		.argv = SHELL("set -- $(cat /proc/$$/stat); echo $1 $6"), .output = &b }, NULL, &err),
	       0, "session");
	ok(sscanf(buf_text(&b), "%d %d", &pid, &session) == 2 && pid == session && pid > 1,
	   "of its own");
}

static void timeouts(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1000);
	struct error err = ERROR_INIT;
	double begun = now();
	int pid = 0;

	ok_int(process_run(&(struct process_options){
		.argv = SHELL("echo waiting >&2; exec sleep 60"), .timeout_ms = 200 }, NULL, &err),
	       -ETIMEDOUT, "a timeout");
	ok_str(err.message, "sh did not end within 0.2 s: waiting", "its message");
	ok(now() - begun < 15, "at once");

	begun = now();
	ok_int(process_run(&(struct process_options){
		.argv = SHELL("trap '' TERM; sleep 60 & echo $!; while :; do wait; done"),
		.output = &b, .timeout_ms = 500 }, NULL, &err), -ETIMEDOUT,
	       "a program that will not hear of SIGTERM");
	ok(now() - begun >= 2, "has its two seconds");
	ok(sscanf(buf_text(&b), "%d", &pid) == 1 && dies_within(pid, 5), "then its children go too");
}

/* A grandchild that keeps the pipes open does not keep us. */
static void left_behind(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1000);
	struct error err = ERROR_INIT;
	double begun = now();
	int pid = 0;

	ok_int(process_run(&(struct process_options){ .argv = SHELL("sleep 60 & echo $!"),
						      .output = &b }, NULL, &err), 0, "a grandchild");
	ok(now() - begun < 20, "is not waited for");
	ok(sscanf(buf_text(&b), "%d", &pid) == 1 && dies_within(pid, 5), "but killed");
}

static void long_lived(void)
{
	CLEANUP_PROCESS struct process *p = NULL;
	CLEANUP_BUF struct buf b = BUF_INIT(1000);
	struct error err = ERROR_INIT;
	struct pollfd fd = { .events = POLLIN };
	int status = -1;

	need(process_start(&(struct process_options){
		.argv = SHELL("echo out; i=0; while [ $i -lt 20000 ]; do i=$((i+1));"
			      "echo line number $i >&2; done; exit 7"), .output = &b }, &p, &err) == 0,
	     "start: %s", err.message);
	fd.fd = process_fd(p);
	ok(process_pid(p) > 1, "has a process id");
	/* Nobody reads meanwhile: 400 KB of complaints must not stop it. */
	ok_int(poll(&fd, 1, 60000), 1, "its descriptor becomes readable at the end");
	ok(process_ended(p, &status), "it has ended");
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "its status");
	ok(process_ended(p, &status) && WEXITSTATUS(status) == 7, "asked again");
	ok_str(buf_text(&b), "out\n", "its output");
	ok(strncmp(process_stderr(p), "line number ", 12) == 0, "its last words begin with a line");
	ok(strstr(process_stderr(p), "line number 20000\n") != NULL, "and end with the last");
	ok(strlen(process_stderr(p)) <= 4096, "and are few");
	process_stop(p, 1000);
	process_free(NULL);
}

static void stopped(void)
{
	struct process *p = NULL;
	struct error err = ERROR_INIT;
	int status = -1;
	pid_t pid;

	need(process_start(&(struct process_options){
		.argv = SHELL("trap 'echo bye >&2; exit 5' TERM; echo ready >&2;"
			      "while :; do sleep 0.05; done") }, &p, &err) == 0,
	     "start: %s", err.message);
	ok(!process_ended(p, &status) && status == -1, "runs; its status is left alone");
	for (int i = 0; i < 500 && strcmp(process_stderr(p), "ready\n") != 0; i++)
		poll(NULL, 0, 20);
	ok_str(process_stderr(p), "ready\n", "its words while it runs");
	process_stop(p, 20000);
	ok(process_ended(p, &status) && WIFEXITED(status) && WEXITSTATUS(status) == 5,
	   "SIGTERM lets it end in order");
	ok(strstr(process_stderr(p), "bye\n") != NULL, "with its last words");
	process_free(p);

	p = NULL;
	need(process_start(&(struct process_options){ .argv = SHELL("kill -STOP $$; exit 0") }, &p,
			   &err) == 0, "start: %s", err.message);
	pid = process_pid(p);
	process_stop(p, 100);
	ok(process_ended(p, &status) && WIFSIGNALED(status), "one that does not stop is killed");
	ok(!alive(pid), "and gone");
	process_freep(&p);
	ok(p == NULL, "freed");

	need(process_start(&(struct process_options){ .argv = SHELL("exec sleep 60") }, &p, &err) == 0,
	     "start: %s", err.message);
	pid = process_pid(p);
	process_freep(&p);
	ok(!alive(pid), "freed is stopped");
	ok(process_start(&(struct process_options){
		.argv = (const char *const[]){ "kiln-no-such-program", NULL } }, &p, &err) < 0 && !p,
	   "what cannot start leaves the output alone");
}

/* A peer that starts a child, says its number, and is killed. */
static void killed_parent(void)
{
	struct process *p = NULL;
	struct error err = ERROR_INIT;
	pid_t parent, child = 0;
	int ends[2];

	need(pipe(ends) == 0, "pipe");
	parent = fork();
	if (parent == 0) {
		if (process_start(&(struct process_options){
			.argv = (const char *const[]){ "sleep", "60", NULL } }, &p, &err) < 0)
			_exit(1);
		child = process_pid(p);
		if (write(ends[1], &child, sizeof(child)) < 0)
			_exit(1);
		pause();
	}
	need(parent > 0 && read(ends[0], &child, sizeof(child)) == sizeof(child), "a peer");
	ok(alive(child), "its child runs");
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	ok(dies_within(child, 10), "and dies with it");
	close(ends[0]);
	close(ends[1]);
}

/* In a process of its own: a caught signal stays. Its exit code says which check failed. */
static int interrupted_run(int signal_number)
{
	struct error err = ERROR_INIT;
	struct pollfd fd = { .events = POLLIN };
	double begun = now();
	struct sigaction action;
	int r;

	/* A shell's background job begins with SIGINT ignored, and would rightly keep it so. */
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (process_check_interrupt(&err) != 0 || process_signal_fd() != -1)
		return 1;
	if (process_catch_signals(&err) < 0 || process_catch_signals(&err) < 0)
		return 2;
	fd.fd = process_signal_fd();
	if (poll(&fd, 1, 0) != 0)
		return 3;
	if (fork() == 0) {
		poll(NULL, 0, 300);
		kill(getppid(), signal_number);
		_exit(0);
	}
	r = process_run(&(struct process_options){ .argv = SHELL("exec sleep 60") }, NULL, &err);
	if (r != -EINTR || strcmp(err.message, "interrupted") != 0 || err.code != EINTR)
		return 4;
	if (now() - begun > 20 || poll(&fd, 1, 0) != 1)
		return 5;
	if (process_check_interrupt(&err) != -EINTR)
		return 6;
	if (process_run(&(struct process_options){ .argv = SHELL("true") }, NULL, &err) != -EINTR)
		return 7;
	if (sigaction(SIGTERM, NULL, &action) < 0 || action.sa_handler != SIG_DFL)
		return 8;
	raise(SIGINT);		/* the second one kills */
	return 9;
}

static void interrupts(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action;
	struct error err = ERROR_INIT;
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(interrupted_run(numbers[i]));
		need(pid > 0 && waitpid(pid, &status, 0) == pid, "child");
		ok_int(WIFEXITED(status) ? WEXITSTATUS(status) : 0, 0, "signal %d interrupts", numbers[i]);
		ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "and the second kills");
	}
	signal(SIGHUP, SIG_IGN);
	ok_int(process_catch_signals(&err), 0, "catch signals");
	ok(sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN,
	   "what was ignored stays ignored");
}

int main(void)
{
	exit_codes();
	not_started();
	find();
	output();
	environment();
	descriptors();
	signals_and_session();
	timeouts();
	left_behind();
	long_lived();
	stopped();
	killed_parent();
	interrupts();
	return tap_done();
}
