/* SPDX-License-Identifier: Apache-2.0 */
/* What watches a hook is a program of its own and no archive's member: its parts are tested as they stand. */
#include "rootfs/watch/aim.c"
#include "rootfs/watch/command.c"
#include "rootfs/watch/filter.c"
#include "rootfs/watch/report.c"

#include <signal.h>
#include <sys/wait.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "tap.h"

static struct sockaddr_in v4(const char *text, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	need(inet_pton(AF_INET, text, &a.sin_addr) == 1, "%s is an address", text);
	return a;
}

static struct sockaddr_in6 v6(const char *text, uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	need(inet_pton(AF_INET6, text, &a.sin6_addr) == 1, "%s is an address", text);
	return a;
}

/* ---------------------------------------------------------------- aims */

static void test_addresses(void)
{
	static const struct {
		const char *text;
		uint16_t port;
		enum aim aim;
	} cases[] = {
		{ "127.0.0.1", 80, AIM_HERE },
		{ "127.255.255.254", 5432, AIM_HERE },
		{ "0.0.0.0", 80, AIM_HERE },
		{ "128.0.0.1", 80, AIM_NETWORK },
		{ "192.0.2.1", 443, AIM_NETWORK },
		{ "10.0.0.1", 80, AIM_NETWORK },
		{ "169.254.169.254", 80, AIM_NETWORK },
		{ "255.255.255.255", 67, AIM_NETWORK },
		{ "224.0.0.251", 5353, AIM_NETWORK },
		{ "192.0.2.1", 0, AIM_HERE },
		{ "127.0.0.1", 53, AIM_NAME_SERVER },
		{ "127.0.0.53", 53, AIM_NAME_SERVER },
		{ "192.0.2.53", 53, AIM_NAME_SERVER },
		{ "::1", 80, AIM_HERE },
		{ "::", 80, AIM_HERE },
		{ "::ffff:127.0.0.1", 80, AIM_HERE },
		{ "::ffff:192.0.2.1", 80, AIM_NETWORK },
		{ "::2", 80, AIM_NETWORK },
		{ "2001:db8::1", 443, AIM_NETWORK },
		{ "fe80::1", 22, AIM_NETWORK },
		{ "2001:db8::1", 0, AIM_HERE },
		{ "::1", 53, AIM_NAME_SERVER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *text = cases[i].text;
		enum aim aim;

		if (strchr(text, ':')) {
			struct sockaddr_in6 a = v6(text, cases[i].port);

			aim = aim_of(&a, sizeof(a));
		} else {
			struct sockaddr_in a = v4(text, cases[i].port);

			aim = aim_of(&a, sizeof(a));
		}
		ok_int(aim, cases[i].aim, "%s port %u", text, cases[i].port);
	}
}

static void test_families(void)
{
	const struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/dbus/system_bus_socket" };
	const struct sockaddr_in here = v4("127.0.0.1", 80);
	const sa_family_t none = AF_UNSPEC, netlink = AF_NETLINK, packet = AF_PACKET, vsock = AF_VSOCK;

	ok_int(aim_of(&un, sizeof(un)), AIM_HERE, "a UNIX socket");
	ok_int(aim_of(&none, sizeof(none)), AIM_HERE, "no family");
	ok_int(aim_of(&netlink, sizeof(netlink)), AIM_HERE, "netlink");
	ok_int(aim_of(&packet, sizeof(packet)), AIM_NETWORK, "packets");
	ok_int(aim_of(&vsock, sizeof(vsock)), AIM_NETWORK, "the host");
	ok_int(aim_of(&here, 1), AIM_HERE, "less than a family");
	ok_int(aim_of(&here, 0), AIM_HERE, "nothing");
	ok_int(aim_of(&here, 3), AIM_HERE, "less than a port");
}

static void test_describe(void)
{
	const struct sockaddr_in a = v4("192.0.2.1", 443);
	const struct sockaddr_in6 b = v6("2001:db8::1", 80);
	const sa_family_t packet = AF_PACKET;
	char text[64], tiny[8];

	aim_describe(&a, sizeof(a), text, sizeof(text));
	ok_str(text, "192.0.2.1 port 443", "IPv4");
	aim_describe(&b, sizeof(b), text, sizeof(text));
	ok_str(text, "2001:db8::1 port 80", "IPv6");
	aim_describe(&packet, sizeof(packet), text, sizeof(text));
	ok_str(text, "address family 17", "others by number");
	aim_describe(&a, sizeof(a), tiny, sizeof(tiny));
	ok_str(tiny, "192.0.2", "what does not fit is cut");
}

/* ---------------------------------------------------------------- commands */

static void test_clean(void)
{
	char line[32] = "curl\0-f\0https://example.org/\0";
	char full[16] = "sh\0-c\0" "123456789";
	char ends[8] = "abcdef";
	char escape[32] = "echo\0\033[2J\n\xc3\xa9\ttab";
	char empty[4] = "";

	command_clean(line, 29, sizeof(line));
	ok_str(line, "curl -f https://example.org/", "arguments are parted by blanks");
	command_clean(full, 15, sizeof(full));
	ok_int(strlen(full), 15, "a line that fills its room keeps it");
	ok_str(full + 12, "...", "and says that there was more");
	command_clean(ends, 7, sizeof(ends));
	ok_str(ends, "abcdef", "one that just fits does not");
	command_clean(escape, 17, sizeof(escape));
	ok_str(escape, "echo ?[2J ?? tab", "nothing in it moves a terminal's cursor");
	command_clean(empty, 0, sizeof(empty));
	ok_str(empty, "", "none stays none");
}

static void test_parent(void)
{
	static const char status[] =
		"Name:\tsh\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4711\nNgid:\t0\nPid:\t4711\nPPid:\t4242\n"
		"TracerPid:\t0\n";

	ok_int(command_parent(status), 4242, "the parent's number");
	ok_int(command_parent("Name:\tPPid: 7\n"), 0, "is not taken from a name");
	ok_int(command_parent(""), 0, "nor from nothing");
	ok_int(parent_of(getpid()), getppid(), "of this very process");
}

/* Runs `argv` until it is killed, and waits until it is what it is to be. */
static pid_t run(const char *const *argv)
{
	int ready[2];
	char byte;
	pid_t pid;

	need(pipe2(ready, O_CLOEXEC) == 0, "a pipe");
	pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0) {
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(ready[1]);
	need(read(ready[0], &byte, 1) == 0, "%s has started", argv[0]);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	int status;

	need(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid, "it ends");
}

static void test_processes(void)
{
	const char *const sleeper[] = { "/bin/sleep", "1000", NULL };
	const char *const other[] = { "/bin/sleep", "2000", NULL };
	pid_t script = run(sleeper), child = run(other), twin = run(sleeper);
	char text[700];

	/* All three are this process's children: the climb ends at the one who watches. */
	command_describe(script, child, text, sizeof(text));
	ok_str(text, "\"/bin/sleep 2000\"", "a child's command is named");
	command_describe(script, script, text, sizeof(text));
	ok_str(text, "\"/bin/sleep 1000\"", "the script's own");
	command_describe(script, twin, text, sizeof(text));
	ok_str(text, "\"/bin/sleep 1000\"", "a subshell's is the script's");
	end(child);
	command_describe(script, child, text, sizeof(text));
	ok_str(text, "\"/bin/sleep 1000\"", "who is gone is of the script");
	end(script);
	end(twin);
}

/* ---------------------------------------------------------------- report */

static void test_report(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20), full = BUF_INIT(1 << 20);
	CLEANUP_FREE char *path = NULL;
	const struct sockaddr_in a = v4("192.0.2.1", 443);
	struct address address = { .size = sizeof(a) };
	struct error err = ERROR_INIT;
	CLEANUP_CLOSE int silent = open("/dev/null", O_WRONLY | O_CLOEXEC), words = dup(STDERR_FILENO);
	char command[700];
	size_t found = 0;

	memcpy(address.bytes, &a, sizeof(a));
	need(io_scratch_new("/tmp", &scratch, &err) == 0, "scratch: %s", err.message);
	path = path_join(scratch.path, "report");
	ok(!report_open("/nonexistent/report"), "a report that cannot be written is none");
	need(report_open(path), "a report is begun");
	ok(io_exists(path), "and is there, empty");
	ok(report_add("\"wget x\"", AIM_NETWORK, &address) && report_add("\"wget x\"", AIM_NETWORK, &address) &&
	   report_add("\"curl y\"", AIM_NAME_SERVER, &address), "three findings, two of them the same");
	need(io_read_file(path, 1 << 20, &text, &err) == 0, "report: %s", err.message);
	ok_str(buf_text(&text), "\"wget x\" tried to reach 192.0.2.1 port 443\n"
	       "\"curl y\" asked for the address of a host\n", "are two lines");
	need(silent >= 0 && words >= 0 && dup2(silent, STDERR_FILENO) == STDERR_FILENO, "no need to read them all");
	for (int i = 0; i < 2 * LINES_MAX; i++) {
		(void)snprintf(command, sizeof(command), "\"command %d\"", i);
		need(report_add(command, AIM_NETWORK, &address), "one more");
	}
	need(dup2(words, STDERR_FILENO) == STDERR_FILENO, "standard error is back");
	need(io_read_file(path, 1 << 20, &full, &err) == 0, "report: %s", err.message);
	for (const char *p = buf_text(&full); (p = strchr(p, '\n')); p++)
		found++;
	ok_int(found, LINES_MAX, "what is too much is left out");
	(void)fclose(file);
	file = NULL;
}

/* ---------------------------------------------------------------- filter */

enum {
	RING_THERE = 1, X32_THERE = 2, SEND_FAILS = 4, NO_FILTER = 64,
};

static int behind_filter(void)
{
	int listener, pair[2], problems = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 || filter_install(&listener) < 0)
		return NO_FILTER;
	if (syscall(SYS_io_uring_setup, 1, NULL) >= 0 || errno != ENOSYS)
		problems |= RING_THERE;
	if (syscall(X32_BIT | SYS_getpid) >= 0 || errno != ENOSYS)
		problems |= X32_THERE;
	/* Nobody answers here: a call that were reported would wait until the alarm. */
	if (send(pair[0], "x", 1, 0) != 1)
		problems |= SEND_FAILS;
	return problems;
}

static void test_behind(void)
{
	pid_t pid = fork();
	int status;

	need(pid >= 0, "fork");
	if (pid == 0) {
		alarm(20);
		_exit(behind_filter());
	}
	need(waitpid(pid, &status, 0) == pid, "it ends");
	ok_int(status, 0, "no io_uring, no x32, and a send without an address is nobody's concern");
}

/* What the kernel would make of the filter: not every machine has other architectures' calls to try. */
static uint32_t verdict(const struct seccomp_data *data)
{
	uint32_t value = 0;

	for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
		const struct sock_filter *in = &instructions[i];

		switch (in->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&value, (const uint8_t *)data + in->k, sizeof(value));
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += value == in->k ? in->jt : in->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			i += value >= in->k ? in->jt : in->jf;
			break;
		case BPF_RET | BPF_K:
			return in->k;
		default:
			need(false, "instruction %zu is known", i);
		}
	}
	need(false, "the filter ends");
	return 0;
}

static void test_verdicts(void)
{
	static const uint32_t none = SECCOMP_RET_ERRNO | ENOSYS;
	static const struct {
		const char *about;
		uint32_t arch;
		int nr;
		uint64_t address;	/* sendto's */
		uint32_t verdict;
	} cases[] = {
		{ "connect", NATIVE_ARCH, SYS_connect, 0, SECCOMP_RET_USER_NOTIF },
		{ "sendmsg", NATIVE_ARCH, SYS_sendmsg, 0, SECCOMP_RET_USER_NOTIF },
		{ "sendmmsg", NATIVE_ARCH, SYS_sendmmsg, 0, SECCOMP_RET_USER_NOTIF },
		{ "sendto", NATIVE_ARCH, SYS_sendto, 0x1000, SECCOMP_RET_USER_NOTIF },
		{ "sendto, high", NATIVE_ARCH, SYS_sendto, UINT64_C(0x7f00000000), SECCOMP_RET_USER_NOTIF },
		{ "send", NATIVE_ARCH, SYS_sendto, 0, SECCOMP_RET_ALLOW },
		{ "read", NATIVE_ARCH, SYS_read, 0x1000, SECCOMP_RET_ALLOW },
		{ "socket", NATIVE_ARCH, SYS_socket, 0, SECCOMP_RET_ALLOW },
		{ "execve", NATIVE_ARCH, SYS_execve, 0, SECCOMP_RET_ALLOW },
		{ "io_uring_setup", NATIVE_ARCH, SYS_io_uring_setup, 0, none },
		{ "x32's connect", NATIVE_ARCH, X32_BIT | SYS_connect, 0, none },
		{ "x32's read", NATIVE_ARCH, X32_BIT | SYS_read, 0, none },
		{ "i386's connect", AUDIT_ARCH_I386, 362, 0, SECCOMP_RET_KILL_PROCESS },
		{ "i386's read", AUDIT_ARCH_I386, 3, 0, SECCOMP_RET_KILL_PROCESS },
		{ "arm's connect", AUDIT_ARCH_ARM, 283, 0, SECCOMP_RET_KILL_PROCESS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct seccomp_data data = {
			.nr = cases[i].nr, .arch = cases[i].arch, .args = { [4] = cases[i].address },
		};

		ok_int(verdict(&data), cases[i].verdict, "%s", cases[i].about);
	}
}

int main(void)
{
	test_addresses();
	test_families();
	test_describe();
	test_clean();
	test_parent();
	test_processes();
	test_report();
	test_verdicts();
	test_behind();
	return tap_done();
}
