/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/close_range.h>

#include "child.h"
#include "cleanup.h"
#include "error.h"
#include "io.h"
#include "sandbox.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Everything the child needs, made before fork(): afterwards only async-signal-safe calls. */
struct launch {
	const char *path;
	char *const *argv;
	char *const *env;
	const char *cwd;
	const int *pass_fds;
	const struct sandbox_entry *sandbox;	/* NULL: none */
	int std[3];
	int report;		/* close-on-exec: its end is the program's start */
	pid_t parent;
};

/* What the child writes to `report` when it cannot become the program. */
struct report {
	int code;
	enum { AT_SETUP, AT_CWD, AT_SANDBOX, AT_EXEC } at;
};

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *process_find(const char *name)
{
	const char *dirs = getenv("PATH");

	if (!name[0])
		return NULL;
	if (strchr(name, '/'))
		return is_program(name) ? realpath(name, NULL) : NULL;
	if (!dirs || !dirs[0])
		dirs = DEFAULT_PATH;
	for (;;) {
		size_t len = strcspn(dirs, ":");
		CLEANUP_FREE char *path = string_printf("%.*s/%s", (int)len, dirs, name);

		/* An empty or relative entry would make the program depend on where we stand. */
		if (dirs[0] == '/' && is_program(path))
			return TAKE_PTR(path);
		if (!dirs[len])
			return NULL;
		dirs += len + 1;
	}
}

/* ------------------------------------------------------------ in the child */

_Noreturn static void fail(int fd, int at)
{
	struct report report = { .code = errno, .at = at };

	if (write(fd, &report, sizeof(report)) < 0)
		_exit(126);	/* nobody listens any more */
	_exit(127);
}

static void default_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	/* Ignored signals would stay ignored over exec. Some numbers are libc's own and refuse. */
	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &action, NULL);
}

static int arrange_descriptors(const struct launch *l)
{
	for (int i = 0; i < 3; i++)
		if (dup2(l->std[i], i) < 0)
			return -1;
	/* Marked and not closed: `report` has to live until exec. */
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	for (const int *fd = l->pass_fds; fd && *fd >= 0; fd++)
		if (fcntl(*fd, F_SETFD, 0) < 0)
			return -1;
	return 0;
}

_Noreturn static void become_program(const struct launch *l)
{
	sigset_t none;

	/* The signal comes when the thread that forked ends, so children belong to the main thread.
	 * The parent may have died before prctl(), in which case it never comes. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail(l->report, AT_SETUP);
	if (getppid() != l->parent)
		_exit(127);
	if (setsid() < 0)
		fail(l->report, AT_SETUP);
	default_signals();
	if (arrange_descriptors(l) < 0)
		fail(l->report, AT_SETUP);
	if (l->cwd && chdir(l->cwd) < 0)
		fail(l->report, AT_CWD);
	if (l->sandbox && sandbox_enter(l->sandbox) < 0)
		fail(l->report, AT_SANDBOX);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execve(l->path, l->argv, l->env);
	fail(l->report, AT_EXEC);
}

/* ------------------------------------------------------------ in the parent */

/* Signals stay blocked over fork(), so that none of our handlers runs in the child. */
static pid_t fork_quietly(const struct launch *l)
{
	sigset_t all, before;
	pid_t pid;
	int code;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		become_program(l);
	code = errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	errno = code;
	return pid;
}

static int read_report(int fd, const struct launch *l, struct error *err)
{
	struct report report;
	ssize_t n;

	do
		n = read(fd, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(report))
		return error_system(err, n < 0 ? errno : EIO, "cannot start %s", l->path);
	if (report.at == AT_CWD)
		return error_system(err, report.code, "cannot run %s in the directory %s", l->path,
				    l->cwd);
	if (report.at == AT_SETUP)
		return error_system(err, report.code, "cannot prepare the process for %s", l->path);
	if (report.at == AT_SANDBOX)
		return error_system(err, report.code, "cannot confine %s", l->path);
	return error_system(err, report.code, "cannot run %s", l->path);
}

static int launch(struct launch *l, pid_t *ret, struct error *err)
{
	CLEANUP_CLOSE int reader = -1;
	CLEANUP_CLOSE int writer = -1;
	int ends[2], r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(err, errno, "cannot start %s", l->path);
	reader = ends[0];
	writer = ends[1];
	l->report = fcntl(writer, F_DUPFD_CLOEXEC, 3);
	if (l->report < 0)
		return error_system(err, errno, "cannot start %s", l->path);
	l->parent = getpid();
	pid = fork_quietly(l);
	r = pid < 0 ? error_system(err, errno, "cannot start %s", l->path) : 0;
	(void)close(TAKE_FD(writer));
	(void)close(l->report);
	if (r < 0)
		return r;
	r = read_report(reader, l, err);
	if (r < 0) {
		(void)waitpid(pid, NULL, 0);	/* it has ended or is about to */
		return r;
	}
	*ret = pid;
	return 0;
}

/* The default environment: these of ours, and a locale that is the same everywhere. */
static char **make_environment(void)
{
	static const char *const names[] = { "HOME", "PATH", "TMPDIR" };
	char **env = calloc(ARRAY_SIZE(names) + 2, sizeof(*env));
	size_t n = 0;

	if (!env)
		error_no_memory();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (!value && strcmp(names[i], "PATH") == 0)
			value = DEFAULT_PATH;
		if (value)
			env[n++] = string_printf("%s=%s", names[i], value);
	}
	env[n] = string_copy("LANG=C.UTF-8");
	return env;
}

static void free_environment(char ***env)
{
	for (char **p = *env; p && *p; p++)
		free(*p);
	free(*env);
}

static int find_program(const char *name, char **ret, struct error *err)
{
	if (strchr(name, '/')) {
		*ret = string_copy(name);	/* exec itself says what is wrong with it */
		return 0;
	}
	*ret = process_find(name);
	if (!*ret)
		return error_outside(err, "cannot run %s: not found in PATH", name);
	return 0;
}

static void close_entry(struct sandbox_entry *entry)
{
	cleanup_close(&entry->ruleset);
}

int child_start(const struct process_options *options, int in, int out, int err_fd, pid_t *ret,
		struct error *err)
{
	__attribute__((cleanup(free_environment))) char **env = make_environment();
	CLEANUP_FREE char *path = NULL;
	/* Above 2, so that putting one in its place cannot overwrite another. */
	CLEANUP_CLOSE int in_fd = fcntl(in, F_DUPFD_CLOEXEC, 3);
	CLEANUP_CLOSE int out_fd = fcntl(out, F_DUPFD_CLOEXEC, 3);
	CLEANUP_CLOSE int error_fd = fcntl(err_fd, F_DUPFD_CLOEXEC, 3);
	__attribute__((cleanup(close_entry))) struct sandbox_entry entry = { .ruleset = -1 };
	struct launch l = {
		.argv = (char *const *)(uintptr_t)options->argv,
		.env = options->env ? (char *const *)(uintptr_t)options->env : env,
		.cwd = options->cwd,
		.pass_fds = options->pass_fds,
		.sandbox = options->sandbox ? &entry : NULL,
		.std = { in_fd, out_fd, error_fd },
	};
	int r;

	if (in_fd < 0 || out_fd < 0 || error_fd < 0)
		return error_system(err, errno, "cannot start %s", options->argv[0]);
	r = find_program(options->argv[0], &path, err);
	if (r == 0 && options->sandbox)
		r = sandbox_prepare(options->sandbox, &entry, err);
	if (r < 0)
		return r;
	l.path = path;
	return launch(&l, ret, err);
}
