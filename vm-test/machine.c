/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/base/process.h"
#include "../factory/format/varstore.h"
#include "boot_options.h"
#include "console.h"
#include "qemu.h"
#include "swtpm.h"
#include "tpm_proxy.h"

#define DEFAULT_MEMORY_MIB 1024
#define DEFAULT_CPUS 2
#define POLL_EXTRA_MAX 4
#define STOP_GRACE_MS 2000
#define FIRMWARE_MAX (64 << 20)

struct machine {
	struct scratch scratch;
	struct process *qemu, *swtpm;
	struct tpm_proxy *proxy;
	struct console console;
	int console_fd;
	struct machine_sockets sockets;
	unsigned int port;
};

void machine_free(struct machine *m)
{
	if (!m)
		return;
	/* The proxy first: with its TPM connection closed, QEMU need not wait for an answer to its
	 * farewell, which nobody would relay now. */
	tpm_proxy_free(m->proxy);
	if (m->qemu)
		process_stop(m->qemu, STOP_GRACE_MS);
	process_free(m->qemu);
	process_free(m->swtpm);
	cleanup_close(&m->console_fd);
	cleanup_close(&m->sockets.network);
	cleanup_close(&m->sockets.control);
	cleanup_close(&m->sockets.second_console);
	io_scratch_free(&m->scratch);
	free(m);
}

void machine_freep(struct machine **m)
{
	machine_free(*m);
}

/* ---- starting */

/*
 * Is the port free, and which one is it when any will do (0)? It is QEMU that will listen; asking
 * before tells the user in time. In between somebody else may take it: then QEMU says so.
 */
static int choose_port(unsigned int wanted, unsigned int *ret, struct error *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)wanted),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(address);
	const int on = 1;

	if (wanted > UINT16_MAX)
		return error_input(err, "port %u is out of range (1 to 65535)", wanted);
	/* As QEMU does: connections of an earlier run that still linger are no obstacle. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return error_system(err, errno, "cannot make a socket");
	if (bind(fd, (struct sockaddr *)&address, size) < 0) {
		if (errno == EADDRINUSE)
			return error_input(err, "port %u is taken, choose another with --port", wanted);
		return error_system(err, errno, "cannot use port %u of 127.0.0.1", wanted);
	}
	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return error_system(err, errno, "cannot find a free port");
	*ret = ntohs(address.sin_port);
	return 0;
}

/* A connected pair of which one end is to be passed to a child. */
static int make_pair(int type, int *ret_ours, int *ret_theirs, struct error *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
		return error_system(err, errno, "cannot make a socket for QEMU");
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

/* swtpm, and the proxy at its control connection. *ret_qemu is QEMU's end of the proxy. */
static int start_tpm(struct machine *m, bool sha256_only, int *ret_qemu, struct error *err)
{
	CLEANUP_CLOSE int swtpm_control = -1, ours = -1, theirs = -1;

	if (make_pair(SOCK_STREAM, &ours, &theirs, err) < 0 ||
	    swtpm_start(m->scratch.path, sha256_only, &m->swtpm, &swtpm_control, err) < 0 ||
	    tpm_proxy_new(TAKE_FD(ours), TAKE_FD(swtpm_control), &m->proxy, err) < 0)
		return -err->code;
	*ret_qemu = TAKE_FD(theirs);
	return 0;
}

/* Always from the firmware's empty store: a boot entry left behind would be measured. */
static int write_variables(const struct boot_options *o, const char *path, struct error *err)
{
	CLEANUP_BUF struct buf store = BUF_INIT(FIRMWARE_MAX);
	int r = io_read_file(o->firmware_vars, FIRMWARE_MAX, &store, err);

	for (size_t i = 0; i < o->variable_count && r == 0; i++)
		r = varstore_add(store.data, store.len, &o->variables[i], err);
	return r < 0 ? r : io_write_file(path, store.data, store.len, 0600, err);
}

static int start_qemu(struct machine *m, const struct boot_options *o, unsigned int guest_port,
		      bool allow_reboot, int tpm_fd, struct error *err)
{
	CLEANUP_FREE char *vars = path_join(m->scratch.path, "vars.fd");
	CLEANUP_CLOSE int console = -1, network = -1, control = -1, second = -1;
	struct qemu_options options = {
		.host = o->host,
		.disk = o->disk,
		.firmware_code = o->firmware_code,
		.firmware_vars = vars,
		.tmp = m->scratch.path,
		.memory_mib = o->memory_mib ? o->memory_mib : DEFAULT_MEMORY_MIB,
		.cpus = o->cpus ? o->cpus : DEFAULT_CPUS,
		.host_port = m->port,
		.guest_port = guest_port,
		.tpm_fd = tpm_fd,
		.no_boot_index = o->order_from_variables,
		.second_disk = o->second_disk,
		.smbios_string = o->smbios_string,
		.allow_reboot = allow_reboot,
	};

	if (write_variables(o, vars, err) < 0)
		return error_wrap(err, "the firmware's variables");
	if (make_pair(SOCK_STREAM, &m->console_fd, &console, err) < 0)
		return -err->code;
	if (o->examined && (make_pair(SOCK_DGRAM, &m->sockets.network, &network, err) < 0 ||
			    make_pair(SOCK_STREAM, &m->sockets.control, &control, err) < 0 ||
			    make_pair(SOCK_STREAM, &m->sockets.second_console, &second, err) < 0))
		return -err->code;
	options.console_fd = console;
	options.network_fd = network;
	options.control_fd = control;
	options.second_console_fd = second;
	return qemu_start(&options, &m->qemu, err);
}

int machine_start(const struct boot_options *options, unsigned int guest_port, bool allow_reboot,
		  struct machine **ret, struct error *err)
{
	CLEANUP_MACHINE struct machine *m = calloc(1, sizeof(*m));
	CLEANUP_CLOSE int tpm_fd = -1;

	if (!m)
		return error_system(err, ENOMEM, "cannot start a machine");
	m->scratch = (struct scratch)SCRATCH_INIT;
	m->console_fd = -1;
	m->sockets = (struct machine_sockets) { -1, -1, -1 };
	if (choose_port(options->port, &m->port, err) < 0 ||
	    io_scratch_new(options->tmp, &m->scratch, err) < 0 ||
	    start_tpm(m, options->sha256_only, &tpm_fd, err) < 0 ||
	    start_qemu(m, options, guest_port, allow_reboot, tpm_fd, err) < 0)
		return -err->code;
	*ret = TAKE_PTR(m);
	return 0;
}

/* ---- running */

/* 1 when something was read, 0 when there is nothing now. */
static int read_console(struct machine *m, struct buf *output, struct error *err)
{
	char data[4096];
	ssize_t n;

	if (m->console_fd < 0)
		return 0;
	n = recv(m->console_fd, data, sizeof(data), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		/* QEMU is ending; its process descriptor tells when it has. */
		cleanup_close(&m->console_fd);
		m->console_fd = -1;
		return 0;
	}
	console_feed(&m->console, data, (size_t)n);
	log_foreign("console", data, (size_t)n);
	if (output && buf_add(output, data, (size_t)n) < 0)
		return error_system(err, ENOMEM, "cannot keep the console's output");
	return 1;
}

/* A child's last lines as part of a sentence. */
static void add_sentence(struct buf *b, const char *text)
{
	size_t end = strlen(text);

	while (end && text[end - 1] == '\n')
		end--;
	for (size_t i = 0; i < end; i++) {
		/* What finds no room is left out; the log has all of it. */
		if (text[i] == '\n')
			(void)buf_add_string(b, "; ");
		else
			(void)buf_add(b, text + i, 1);
	}
}

/* Only QEMU ends swtpm, when it is ending itself. */
static int check_swtpm(struct machine *m, struct error *err)
{
	CLEANUP_BUF struct buf said = BUF_INIT(1024);
	int status;

	if (tpm_proxy_shut_down(m->proxy) || !process_ended(m->swtpm, &status))
		return 0;
	add_sentence(&said, process_stderr(m->swtpm));
	return error_outside(err, "swtpm ended while the machine was running: %s", buf_text(&said));
}

static int wait_for_events(struct pollfd *fds, size_t count, int timeout_ms, struct error *err)
{
	if (poll(fds, count, timeout_ms) < 0) {
		if (errno != EINTR)
			return error_system(err, errno, "cannot wait for the machine");
		for (size_t i = 0; i < count; i++)
			fds[i].revents = 0;
	}
	return process_check_interrupt(err);
}

int machine_step(struct machine *m, struct pollfd *extra, size_t extra_count, int timeout_ms,
		 struct buf *output, struct error *err)
{
	enum { CONSOLE = TPM_PROXY_FDS, QEMU, SWTPM, SIGNAL, EXTRA };
	struct pollfd fds[EXTRA + POLL_EXTRA_MAX];
	int r;

	if (extra_count > POLL_EXTRA_MAX)
		abort();
	tpm_proxy_poll(m->proxy, fds);
	fds[CONSOLE] = (struct pollfd){ .fd = m->console_fd, .events = POLLIN };
	fds[QEMU] = (struct pollfd){ .fd = process_fd(m->qemu), .events = POLLIN };
	fds[SWTPM] = (struct pollfd){ .fd = process_fd(m->swtpm), .events = POLLIN };
	if (tpm_proxy_shut_down(m->proxy))
		fds[SWTPM].fd = -1;
	fds[SIGNAL] = (struct pollfd){ .fd = process_signal_fd(), .events = POLLIN };
	for (size_t i = 0; i < extra_count; i++) {
		fds[EXTRA + i] = extra[i];
		extra[i].revents = 0;
	}
	if (wait_for_events(fds, EXTRA + extra_count, timeout_ms, err) < 0)
		return -err->code;
	if (check_swtpm(m, err) < 0 || tpm_proxy_serve(m->proxy, fds, err) < 0)
		return -err->code;
	if (fds[CONSOLE].revents || fds[QEMU].revents) {
		/* Once QEMU has ended, what it left in the socket is all there will be. */
		do {
			r = read_console(m, output, err);
		} while (r > 0 && fds[QEMU].revents);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < extra_count; i++)
		extra[i].revents = fds[EXTRA + i].revents;
	return 0;
}

bool machine_ended(struct machine *m, struct buf *ret_reason)
{
	int status;

	if (!process_ended(m->qemu, &status))
		return false;
	if (!ret_reason)
		return true;
	if (WIFSIGNALED(status)) {
		(void)buf_printf(ret_reason, "QEMU was killed by signal %d", WTERMSIG(status));
	} else if (WEXITSTATUS(status)) {
		(void)buf_printf(ret_reason, "QEMU exited %d: ", WEXITSTATUS(status));
		add_sentence(ret_reason, process_stderr(m->qemu));
	} else {
		(void)buf_add_string(ret_reason, "the guest switched itself off or restarted");
	}
	return true;
}

unsigned int machine_port(const struct machine *m)
{
	return m->port;
}

const struct console *machine_console(const struct machine *m)
{
	return &m->console;
}

struct tpm_proxy *machine_tpm(struct machine *m)
{
	return m->proxy;
}

const struct machine_sockets *machine_sockets(const struct machine *m)
{
	return &m->sockets;
}

void machine_type(struct machine *m, const void *data, size_t size)
{
	if (m->console_fd >= 0)
		(void)send(m->console_fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}
