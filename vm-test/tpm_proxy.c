/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm_proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../factory/base/bytes.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/format/pcr.h"
#include "tpm_wire.h"

/* A software TPM answers in milliseconds; making an RSA key under load takes seconds. */
#define ANSWER_TIMEOUT_MS 30000
#define SEND_TIMEOUT_MS 5000
#define RETRIES_MAX 10

enum { QEMU_CONTROL, SWTPM_CONTROL, QEMU_DATA, SWTPM_DATA };

struct frame {
	uint8_t data[TPM_FRAME_MAX];
	size_t len;
};

struct tpm_proxy {
	int fds[TPM_PROXY_FDS];
	uint8_t control[TPM_CONTROL_MAX];	/* QEMU's request, so far */
	size_t control_len;
	int passed_fd;				/* came with it, or -1 */
	struct frame command, response;		/* the guest's */
	bool in_flight;				/* the command is with swtpm */
	bool shut_down;
	struct pcr_log log;
};

int tpm_proxy_new(int qemu_control, int swtpm_control, struct tpm_proxy **ret, struct error *err)
{
	struct tpm_proxy *p = calloc(1, sizeof(*p));

	if (!p) {
		close(qemu_control);
		close(swtpm_control);
		return error_system(err, ENOMEM, "cannot start the TPM proxy");
	}
	p->fds[QEMU_CONTROL] = qemu_control;
	p->fds[SWTPM_CONTROL] = swtpm_control;
	p->fds[QEMU_DATA] = p->fds[SWTPM_DATA] = p->passed_fd = -1;
	*ret = p;
	return 0;
}

static void replace_fd(int *fd, int with)
{
	cleanup_close(fd);
	*fd = with;
}

void tpm_proxy_free(struct tpm_proxy *p)
{
	if (!p)
		return;
	for (int i = 0; i < TPM_PROXY_FDS; i++)
		replace_fd(&p->fds[i], -1);
	replace_fd(&p->passed_fd, -1);
	pcr_log_free(&p->log);
	free(p);
}

void tpm_proxy_freep(struct tpm_proxy **p)
{
	tpm_proxy_free(*p);
}

const struct pcr_log *tpm_proxy_log(const struct tpm_proxy *p)
{
	return &p->log;
}

bool tpm_proxy_shut_down(const struct tpm_proxy *p)
{
	return p->shut_down;
}

void tpm_proxy_poll(const struct tpm_proxy *p, struct pollfd fds[static TPM_PROXY_FDS])
{
	for (int i = 0; i < TPM_PROXY_FDS; i++)
		fds[i] = (struct pollfd){ .fd = p->fds[i], .events = POLLIN };
	/* One command at a time: QEMU's next stays in its socket. */
	if (p->in_flight)
		fds[QEMU_DATA].fd = -1;
}

/* ---- bytes over the sockets */

static int wait_for(int fd, short events, int timeout_ms, const char *what, struct error *err)
{
	struct pollfd pollfd = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&pollfd, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_system(err, errno, "cannot wait for %s", what);
	if (n == 0)
		return error_outside(err, "%s did not answer within %d s", what, timeout_ms / 1000);
	return 0;
}

/* Sends everything, `pass_fd` (if not -1) with the first byte. That a peer is gone shows where its
 * socket is read, so it is no error here. */
static int send_all(int fd, const uint8_t *data, size_t size, int pass_fd, const char *what,
		    struct error *err)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ancillary = { 0 };

	while (fd >= 0 && size) {
		struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n;

		if (pass_fd >= 0) {
			msg.msg_control = ancillary.bytes;
			msg.msg_controllen = sizeof(ancillary.bytes);
			*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
								 .cmsg_level = SOL_SOCKET,
								 .cmsg_type = SCM_RIGHTS };
			memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &pass_fd, sizeof(int));
		}
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return error_system(err, errno, "cannot send to %s", what);
		if (n < 0 && wait_for(fd, POLLOUT, SEND_TIMEOUT_MS, what, err) < 0)
			return -err->code;
		if (n < 0)
			continue;
		pass_fd = -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Keeps the one descriptor a message may carry; the kernel drops further ones, for which there is
 * no room. */
static void keep_passed_fd(struct tpm_proxy *p, struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len < CMSG_LEN(sizeof(int)))
		return;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	replace_fd(&p->passed_fd, fd);
}

/*
 * Reads what is there, up to `size`: the count, 0 at the end of the connection (also when it was
 * reset), or an error. A descriptor that comes along is kept in p->passed_fd.
 */
static ssize_t receive(struct tpm_proxy *p, int which, uint8_t *data, size_t size, struct error *err)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ancillary = { 0 };
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = ancillary.bytes,
			      .msg_controllen = sizeof(ancillary.bytes) };
	ssize_t n;

	do {
		n = recvmsg(p->fds[which], &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return error_system(err, errno, "the TPM proxy cannot read");
	keep_passed_fd(p, &msg);
	return n;
}

/* ---- the control connection */

/* QEMU's data connection becomes ours; swtpm gets one end of a new one in its place. */
static int take_data_connection(struct tpm_proxy *p, struct error *err)
{
	static const uint8_t request[4] = { 0, 0, 0, TPM_CONTROL_SET_DATAFD };
	CLEANUP_CLOSE int theirs = -1;
	int pair[2];

	if (p->passed_fd < 0)
		return error_outside(err, "QEMU set the TPM's data channel without a descriptor");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_system(err, errno, "cannot make a socket for the TPM");
	theirs = pair[1];
	replace_fd(&p->fds[SWTPM_DATA], pair[0]);
	replace_fd(&p->fds[QEMU_DATA], TAKE_FD(p->passed_fd));
	p->command.len = p->response.len = 0;
	p->in_flight = false;
	return send_all(p->fds[SWTPM_CONTROL], request, sizeof(request), theirs, "swtpm", err);
}

static int pass_request(struct tpm_proxy *p, size_t size, struct error *err)
{
	switch (read_be32(p->control)) {
	case TPM_CONTROL_SET_DATAFD:
		return take_data_connection(p, err);
	case TPM_CONTROL_SHUTDOWN:
		p->shut_down = true;
		break;
	}
	return send_all(p->fds[SWTPM_CONTROL], p->control, size, -1, "swtpm", err);
}

static int serve_qemu_control(struct tpm_proxy *p, struct error *err)
{
	ssize_t n, size;

	n = receive(p, QEMU_CONTROL, p->control + p->control_len,
		    sizeof(p->control) - p->control_len, err);
	if (n < 0)
		return (int)n;
	if (n == 0) {
		replace_fd(&p->fds[QEMU_CONTROL], -1);
		return 0;
	}
	p->control_len += (size_t)n;
	while ((size = tpm_control_size(p->control, p->control_len)) > 0) {
		if ((size_t)size > p->control_len)
			return 0;
		if (pass_request(p, (size_t)size, err) < 0)
			return -err->code;
		p->control_len -= (size_t)size;
		memmove(p->control, p->control + size, p->control_len);
	}
	if (size < 0)
		return error_outside(err, "QEMU sent TPM control request 0x%x, which the proxy "
				     "does not know", read_be32(p->control));
	return 0;
}

static int swtpm_closed(struct tpm_proxy *p, int which, struct error *err)
{
	replace_fd(&p->fds[which], -1);
	/* QEMU waits for an answer that will not come: let it see the end, too. */
	replace_fd(&p->fds[which == SWTPM_DATA ? QEMU_DATA : QEMU_CONTROL], -1);
	return p->shut_down ? 0 : error_outside(err, "swtpm closed its connection");
}

/* Control responses carry nothing the proxy needs. */
static int serve_swtpm_control(struct tpm_proxy *p, struct error *err)
{
	uint8_t data[4096];
	ssize_t n = receive(p, SWTPM_CONTROL, data, sizeof(data), err);

	if (n < 0)
		return (int)n;
	if (n == 0)
		return swtpm_closed(p, SWTPM_CONTROL, err);
	return send_all(p->fds[QEMU_CONTROL], data, (size_t)n, -1, "QEMU", err);
}

/* ---- the data connection */

/* Reads towards one whole frame: 1 when it is there, 0 when more has to come, -EPIPE (with no error
 * set) at the connection's end. Never reads past the frame. */
static int receive_frame(struct tpm_proxy *p, int which, struct frame *frame, struct error *err)
{
	ssize_t size = tpm_frame_size(frame->data, frame->len);
	ssize_t n;

	n = receive(p, which, frame->data + frame->len,
		    (size ? (size_t)size : TPM_HEADER_SIZE) - frame->len, err);
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -EPIPE;
	frame->len += (size_t)n;
	size = tpm_frame_size(frame->data, frame->len);
	if (size < 0)
		return error_outside(err, "%s sent a TPM frame of %u bytes, which no TPM takes",
				     which == QEMU_DATA ? "QEMU" : "swtpm",
				     read_be32(frame->data + 2));
	return size && frame->len == (size_t)size;
}

static int serve_qemu_data(struct tpm_proxy *p, struct error *err)
{
	int r = receive_frame(p, QEMU_DATA, &p->command, err);

	if (r == -EPIPE) {
		replace_fd(&p->fds[QEMU_DATA], -1);
		return 0;
	}
	if (r <= 0)
		return r;
	p->in_flight = true;
	p->response.len = 0;
	return send_all(p->fds[SWTPM_DATA], p->command.data, p->command.len, -1, "swtpm", err);
}

static int serve_swtpm_data(struct tpm_proxy *p, struct error *err)
{
	int r = receive_frame(p, SWTPM_DATA, &p->response, err);

	if (r == -EPIPE)
		return swtpm_closed(p, SWTPM_DATA, err);
	if (r <= 0)
		return r;
	if (!p->in_flight)
		return error_outside(err, "swtpm answered a command that nobody sent");
	if (tpm_record(&p->log, p->command.data, p->command.len, p->response.data,
		       p->response.len) < 0)
		return error_outside(err, "the TPM took a command 0x%x that cannot be read",
				     read_be32(p->command.data + 6));
	p->in_flight = false;
	p->command.len = 0;
	r = send_all(p->fds[QEMU_DATA], p->response.data, p->response.len, -1, "QEMU", err);
	p->response.len = 0;
	return r;
}

int tpm_proxy_serve(struct tpm_proxy *p, const struct pollfd fds[static TPM_PROXY_FDS],
		    struct error *err)
{
	static int (*const serve[TPM_PROXY_FDS])(struct tpm_proxy *p, struct error *err) = {
		[QEMU_CONTROL] = serve_qemu_control,
		[SWTPM_CONTROL] = serve_swtpm_control,
		[QEMU_DATA] = serve_qemu_data,
		[SWTPM_DATA] = serve_swtpm_data,
	};

	for (int i = 0; i < TPM_PROXY_FDS; i++) {
		/* An earlier one may have closed or replaced this one: then poll() spoke of
		 * another connection, and the next round will tell. */
		if (fds[i].fd < 0 || !fds[i].revents || fds[i].fd != p->fds[i])
			continue;
		if (serve[i](p, err) < 0)
			return -err->code;
	}
	return 0;
}

/* ---- commands of Kiln's own */

static int finish_guest_command(struct tpm_proxy *p, struct error *err)
{
	while (p->in_flight) {
		if (wait_for(p->fds[SWTPM_DATA], POLLIN, ANSWER_TIMEOUT_MS, "swtpm", err) < 0 ||
		    serve_swtpm_data(p, err) < 0)
			return -err->code;
	}
	return 0;
}

static int exchange(struct tpm_proxy *p, const uint8_t *command, size_t size, struct frame *response,
		    struct error *err)
{
	int r;

	if (send_all(p->fds[SWTPM_DATA], command, size, -1, "swtpm", err) < 0)
		return -err->code;
	response->len = 0;
	do {
		if (wait_for(p->fds[SWTPM_DATA], POLLIN, ANSWER_TIMEOUT_MS, "swtpm", err) < 0)
			return -err->code;
		r = receive_frame(p, SWTPM_DATA, response, err);
	} while (r == 0);
	if (r == -EPIPE)
		return error_outside(err, "swtpm closed its connection");
	return r < 0 ? r : 0;
}

int tpm_proxy_command(struct tpm_proxy *p, const uint8_t *command, size_t size, struct buf *ret,
		      struct error *err)
{
	struct frame response;
	int retries = 0, r;

	r = finish_guest_command(p, err);
	if (r < 0)
		return r;
	if (p->fds[SWTPM_DATA] < 0)
		return error_outside(err, "the machine's TPM is not running");
	do {
		r = exchange(p, command, size, &response, err);
		if (r < 0)
			return r;
	} while (read_be32(response.data + 6) == TPM_RC_RETRY && ++retries < RETRIES_MAX);
	if (buf_add(ret, response.data, response.len) < 0)
		return error_system(err, ENOMEM, "cannot keep the TPM's response");
	return 0;
}
