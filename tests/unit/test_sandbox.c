/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "factory/base/sandbox.h"
#include "tests/unit/tap.h"

#define SHELL(script) ((const char *const[]){ "/bin/sh", "-c", (script), NULL })

/* DIR/inside is writable, DIR/readable readable, DIR/outside neither. */
static struct scratch dir = SCRATCH_INIT;
static char *inside, *readable, *outside;

/* What a shell and its commands are made of. */
static const char *const system_paths[] = { "/bin", "/usr/bin", "/usr/lib", "/lib", "/lib64", NULL };

static const char *const environment[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };

/* Runs a script confined, in DIR; its exit code, -1 for an error. */
static int confined_with(const char *script, uint64_t memory_max, struct buf *output,
			 struct error *err)
{
	const char *reads[8], *const writes[] = { inside, "/dev/null", NULL };
	size_t n = 0;
	int code = -1, r;

	for (const char *const *path = system_paths; *path; path++)
		if (io_exists(*path))
			reads[n++] = *path;
	reads[n++] = readable;
	reads[n] = NULL;

	const struct sandbox sandbox = { .readable = reads, .writable = writes,
					 .memory_max = memory_max };

	r = process_run(&(struct process_options){ .argv = SHELL(script), .env = environment,
						   .cwd = dir.path, .output = output,
						   .sandbox = &sandbox }, &code, err);
	return r < 0 ? -1 : code;
}

static int confined(const char *script)
{
	CLEANUP_BUF struct buf output = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	int code = confined_with(script, 0, &output, &err);

	if (code < 0)
		printf("# %s\n", err.message);
	return code;
}

static int free_run(const char *script)
{
	struct error err = ERROR_INIT;
	int code = -1;

	return process_run(&(struct process_options){ .argv = SHELL(script), .env = environment,
						      .cwd = dir.path }, &code, &err) < 0 ? -1 : code;
}

static void make_places(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch: %s", err.message);
	inside = path_join(dir.path, "inside");
	readable = path_join(dir.path, "readable");
	outside = path_join(dir.path, "outside");
	need(free_run("umask 077; mkdir -p inside readable/below outside && echo text >readable/below/file &&"
		      " echo secret >outside/file && echo old >inside/file &&"
		      " ln -s ../outside/file inside/link") == 0, "the places");
}

/* Each case must be possible for a process that is not confined, or it would prove nothing. */
static void denied_paths(void)
{
	static const char *const scripts[] = {
		"cat outside/file",
		"cat inside/link",
		"ls outside",
		"cat /proc/self/status",
		"cat /etc/passwd",
		"echo x >outside/new",
		"echo x >>outside/file",
		"echo x >>inside/link",
		"echo x >readable/new",
		"echo x >>readable/below/file",
		"mkdir outside/directory",
		"mv outside/new outside/moved",
		"ln outside/file inside/hard",
		"rm outside/moved",
		"rmdir outside/directory",
		"ln -s x outside/symbolic",
		"cp /bin/true outside/true",
	};

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		ok(confined(scripts[i]) > 0, "denied: %s", scripts[i]);
		ok_int(free_run(scripts[i]), 0, "which an ordinary child can do");
	}
	/* Now outside/true is there. */
	ok(confined("outside/true") > 0, "denied: executing outside");
	ok_int(free_run("outside/true"), 0, "which an ordinary child can do");
}

static void allowed_paths(void)
{
	static const char *const scripts[] = {
		"test \"$(cat readable/below/file)\" = text",
		"test \"$(ls readable)\" = below",
		"echo x >inside/new && test \"$(cat inside/new)\" = x && rm inside/new",
		"echo x >>inside/file",
		": >inside/file",
		"mkdir -p inside/a/b && echo x >inside/a/b/c && mv inside/a/b/c inside/c && rm -r inside/a inside/c",
		"ln -s nowhere inside/dangling && rm inside/dangling",
		"cp /bin/true inside/true && inside/true && rm inside/true",
		"echo x >/dev/null && cat </dev/null",
	};

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		ok_int(confined(scripts[i]), 0, "allowed: %s", scripts[i]);
}

static void inherited(void)
{
	ok(confined("sh -c 'cat outside/file; exit $?'") > 0, "a second program inherits it");
	ok(confined("(sh -c 'echo x >outside/deep' & wait $!)") > 0, "and a third in the background");
	ok(!free_run("test ! -e outside/deep"), "which wrote nothing");
	ok(confined("sh -c 'cat inside/file && sh -c \"cat readable/below/file\"'") == 0,
	   "what is allowed stays so");
}

/* ------------------------------------------------------------ system calls */

/* Enters a sandbox in a child of ours, and there calls `attempt`; its value, or 255 for not entered. */
static int inside_of(int (*attempt)(void), const char *const *writes)
{
	const struct sandbox sandbox = { .writable = writes };
	struct sandbox_entry entry;
	struct error err = ERROR_INIT;
	int status = -1;
	pid_t pid;

	need(sandbox_prepare(&sandbox, &entry, &err) == 0, "prepared: %s", err.message);
	pid = fork();
	if (pid == 0)
		_exit(sandbox_enter(&entry) < 0 ? 255 : attempt());
	if (entry.ruleset >= 0)
		close(entry.ruleset);
	need(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status), "the child ends");
	return WEXITSTATUS(status);
}

/* 0 when the call failed as it ought to, otherwise its errno, 254 for success. */
static int expect(long result, int code)
{
	if (result >= 0)
		return 254;
	return errno == code ? 0 : errno;
}

static int try_sockets(void)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, 40 /* vsock */ };
	int pair[2];

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (expect(socket(families[i], SOCK_STREAM, 0), EPERM) != 0)
			return (int)i + 1;
	return expect(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), EPERM);
}

static int try_calls(void)
{
	static const struct {
		long number;
		int code;
	} cases[] = {
		{ SYS_ptrace, EPERM }, { SYS_process_vm_readv, EPERM }, { SYS_process_vm_writev, EPERM },
		{ SYS_bpf, EPERM }, { SYS_userfaultfd, EPERM }, { SYS_keyctl, EPERM },
		{ SYS_mount, EPERM }, { SYS_umount2, EPERM }, { SYS_unshare, EPERM }, { SYS_setns, EPERM },
		{ SYS_chroot, EPERM }, { SYS_pivot_root, EPERM }, { SYS_io_uring_setup, ENOSYS },
		{ SYS_clone3, ENOSYS }, { SYS_perf_event_open, EPERM }, { SYS_kexec_load, EPERM },
		{ SYS_init_module, EPERM }, { SYS_finit_module, EPERM }, { SYS_open_by_handle_at, EPERM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (expect(syscall(cases[i].number, 0L, 0L, 0L, 0L, 0L), cases[i].code) != 0)
			return (int)i + 1;
	return 0;
}

static int try_clone(void)
{
	int status = -1;
	pid_t pid;

	/* The raw call: fork() is clone() without namespaces, and has to go on. */
	if (expect(syscall(SYS_clone, 0x10000000L /* CLONE_NEWUSER */ | SIGCHLD, 0L, 0L, 0L, 0L), EPERM) != 0)
		return 1;
	pid = fork();
	if (pid == 0)
		_exit(7);
	return waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7 ? 0 : 2;
}

static int try_privileges(void)
{
	struct rlimit core;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 1;
	if (getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_max != 0)
		return 2;
	return umask(0) == 022 ? 0 : 3;
}

#if defined(__x86_64__)
static void no_such_convention(int number)
{
	(void)number;
	_exit(0);
}

/* The same socket() by the numbers of 32-bit x86 (359) and of x32. */
static int try_other_conventions(void)
{
	long result;

	if (expect(syscall(0x40000000L + 41, AF_INET, SOCK_STREAM, 0), ENOSYS) != 0)
		return 1;
	/* A kernel without 32-bit emulation. */
	signal(SIGSEGV, no_such_convention);
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(359), "b"(AF_INET), "c"(SOCK_STREAM), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return result == -ENOSYS ? 0 : 2;
}
#endif

static void system_calls(void)
{
	ok_int(inside_of(try_sockets, NULL), 0, "no socket of any family");
	ok_int(inside_of(try_calls, NULL), 0, "no way past files");
	ok_int(inside_of(try_clone, NULL), 0, "no namespace, but processes");
	ok_int(inside_of(try_privileges, NULL), 0, "no new privileges, no core file, umask 022");
#if defined(__x86_64__)
	ok_int(inside_of(try_other_conventions, NULL), 0, "no other calling convention");
#endif
}

/* ------------------------------------------------------------ limits and errors */

static void memory(void)
{
	/* An argument of 64 MiB does not exist; a shell variable does. */
	const char *script = "x=0123456789abcdef; i=0; while [ $i -lt 22 ]; do x=$x$x; i=$((i+1)); done";
	CLEANUP_BUF struct buf output = BUF_INIT(4096);
	struct error err = ERROR_INIT;

	ok(confined_with(script, UINT64_C(32) << 20, &output, &err) != 0, "a limit of 32 MiB holds");
	err = (struct error)ERROR_INIT;
	ok_int(confined_with(script, UINT64_C(1) << 30, &output, &err), 0, "one of 1 GiB is enough (%s)",
	       err.message);
}

static void missing_path(void)
{
	const char *const writes[] = { "/nonexistent/place", NULL };
	const struct sandbox sandbox = { .writable = writes };
	struct sandbox_entry entry = { .ruleset = 77 };
	struct error err = ERROR_INIT;

	ok_int(sandbox_prepare(&sandbox, &entry, &err), -ENOENT, "a path that is not there");
	ok_error(&err, "/nonexistent/place", "is named");
	ok_int(entry.ruleset, 77, "and nothing else is touched");
}

/* Children of a kernel without Landlock: its first system call answers as one does. */
static int without_landlock(int (*attempt)(void))
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { ARRAY_SIZE(instructions), instructions };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) < 0)
			_exit(255);
		_exit(attempt());
	}
	need(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status), "the child ends");
	return WEXITSTATUS(status);
}

static int refused_without(void)
{
	struct error err = ERROR_INIT;
	int abi = 5;

	if (sandbox_supported(&abi, &err) != -EIO || err.kind != ERROR_OUTSIDE || abi != 5)
		return 1;
	return strstr(err.message, "Linux 5.13") && strstr(err.message, "KILN_SANDBOX=weak") ? 0 : 2;
}

static int weak_without(void)
{
	struct error err = ERROR_INIT;
	int abi = 5;

	setenv("KILN_SANDBOX", "weak", 1);
	if (sandbox_supported(&abi, &err) != 0 || abi != 0)
		return 1;
	return inside_of(try_sockets, NULL) == 0 ? 0 : 2;
}

static void kernels(void)
{
	struct error err = ERROR_INIT;
	int abi = 0;

	ok_int(sandbox_supported(&abi, &err), 0, "this kernel can do it: %s", err.message);
	ok(abi >= 1, "with Landlock's ABI %d", abi);
	ok_int(without_landlock(refused_without), 0, "a kernel without Landlock is refused");
	ok_int(without_landlock(weak_without), 0, "unless KILN_SANDBOX=weak: then the filter stands alone");
	setenv("KILN_SANDBOX", "off", 1);
	ok_int(sandbox_supported(NULL, &err), -EINVAL, "KILN_SANDBOX=off");
	ok_error(&err, "\"off\"", "is no wish it can hold");
	unsetenv("KILN_SANDBOX");
}

int main(void)
{
	unsetenv("KILN_SANDBOX");
	make_places();
	allowed_paths();
	denied_paths();
	inherited();
	system_calls();
	memory();
	missing_path();
	kernels();
	free(inside);
	free(readable);
	free(outside);
	io_scratch_free(&dir);
	return tap_done();
}
