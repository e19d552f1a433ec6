/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "factory/format/pcr.h"
#include "tests/unit/tap.h"
#include "vm-test/swtpm.h"
#include "vm-test/tpm_proxy.h"
#include "vm-test/tpm_wire.h"
#include "vm-test/verify.h"

/* The test is QEMU: it holds QEMU's ends of both connections, and serves the proxy in between. */
struct machine {
	struct scratch scratch;
	struct process *swtpm;
	struct tpm_proxy *proxy;
	int control, data;
};

static void pair_new(int pair[2])
{
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "a socket pair");
}

/* Serves the proxy until something can be read from `fd`. */
static int serve_until(struct tpm_proxy *proxy, int fd, struct error *err)
{
	for (int round = 0; round < 1000; round++) {
		struct pollfd fds[TPM_PROXY_FDS + 1];

		tpm_proxy_poll(proxy, fds);
		fds[TPM_PROXY_FDS] = (struct pollfd){ .fd = fd, .events = POLLIN };
		if (poll(fds, TPM_PROXY_FDS + 1, 10000) <= 0)
			break;
		if (fds[TPM_PROXY_FDS].revents)
			return 0;
		if (tpm_proxy_serve(proxy, fds, err) < 0)
			return -err->code;
	}
	return error_outside(err, "nothing comes");
}

static ssize_t receive(struct tpm_proxy *proxy, int fd, uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;

	if (serve_until(proxy, fd, &err) < 0) {
		printf("# %s\n", err.message);
		return -1;
	}
	return recv(fd, data, size, 0);
}

static void send_with_fd(int socket, const void *data, size_t size, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ancillary = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = ancillary.bytes,
			      .msg_controllen = sizeof(ancillary.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	*c = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	need(sendmsg(socket, &msg, 0) == (ssize_t)size, "a descriptor is passed");
}

/* One control request; true when the result word is 0. */
static bool control(struct machine *m, const char *name, const uint8_t *request, size_t size)
{
	uint8_t response[64];
	ssize_t n;

	need(send(m->control, request, size, 0) == (ssize_t)size, "%s is sent", name);
	n = receive(m->proxy, m->control, response, sizeof(response));
	return n >= 4 && read_be32(response) == 0;
}
#define CONTROL(m, name, ...) \
	({ const uint8_t request_[] = { __VA_ARGS__ }; \
	   ok(control(m, name, request_, sizeof(request_)), "swtpm grants %s", name); })

/* One TPM command; its response code. */
static uint32_t command(struct machine *m, const uint8_t *frame, size_t size)
{
	uint8_t response[TPM_FRAME_MAX];
	ssize_t n;

	need(send(m->data, frame, size, 0) == (ssize_t)size, "a command is sent");
	n = receive(m->proxy, m->data, response, sizeof(response));
	need(n >= TPM_HEADER_SIZE && tpm_frame_size(response, (size_t)n) == n, "a whole response");
	return read_be32(response + 6);
}

static uint32_t startup(struct machine *m)
{
	static const uint8_t frame[] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0 };

	return command(m, frame, sizeof(frame));
}

/* TPM2_PCR_Extend with the digests of `byte` in the banks given. */
static uint32_t extend(struct machine *m, unsigned int pcr, uint8_t byte, bool sha256, bool sha384)
{
	uint8_t frame[256] = { 0x80, 2, 0, 0, 0, 0, 0, 0, 1, 0x82, 0, 0, 0, (uint8_t)pcr,
			       0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0,
			       0, 0, 0, (uint8_t)(sha256 + sha384) };
	const bool wanted[DIGEST_ALGS] = { [DIGEST_SHA256] = sha256, [DIGEST_SHA384] = sha384 };
	size_t size = 31;

	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		struct digest d;

		if (!wanted[alg])
			continue;
		digest_of((enum digest_alg)alg, &byte, 1, &d);
		frame[size + 1] = (uint8_t)digest_tpm_id((enum digest_alg)alg);
		memcpy(frame + size + 2, d.bytes, digest_size((enum digest_alg)alg));
		size += 2 + digest_size((enum digest_alg)alg);
	}
	write_be32(frame + 2, (uint32_t)size);
	return command(m, frame, size);
}

/* TPM2_PCR_Event of "abc": the TPM hashes. */
static uint32_t event(struct machine *m, unsigned int pcr)
{
	const uint8_t frame[] = { 0x80, 2, 0, 0, 0, 32, 0, 0, 1, 0x3c, 0, 0, 0, (uint8_t)pcr,
				  0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0, 3, 'a', 'b', 'c' };

	return command(m, frame, sizeof(frame));
}

static void hand_over_data(struct machine *m)
{
	static const uint8_t request[] = { 0, 0, 0, 0x10 };
	uint8_t response[8];
	int pair[2];

	pair_new(pair);
	send_with_fd(m->control, request, sizeof(request), pair[1]);
	close(pair[1]);
	m->data = pair[0];
	ok(receive(m->proxy, m->control, response, sizeof(response)) == 4 &&
	   read_be32(response) == 0, "swtpm takes the proxy's data connection");
}

static void machine_begin(struct machine *m)
{
	struct error err = ERROR_INIT;
	int pair[2], swtpm_control;

	*m = (struct machine){ .scratch = SCRATCH_INIT, .data = -1 };
	need(io_scratch_new("/tmp", &m->scratch, &err) == 0, "a scratch directory");
	if (swtpm_start(m->scratch.path, false, &m->swtpm, &swtpm_control, &err) < 0) {
		printf("# %s\n", err.message);
		need(false, "swtpm starts");
	}
	pair_new(pair);
	m->control = pair[0];
	need(tpm_proxy_new(pair[1], swtpm_control, &m->proxy, &err) == 0, "the proxy starts");
}

static void machine_end(struct machine *m)
{
	close(m->control);
	close(m->data);
	tpm_proxy_free(m->proxy);
	process_free(m->swtpm);
	io_scratch_free(&m->scratch);
}

/* What the TPM says, read between the commands above, is what the log leads to. */
static void check_values(struct machine *m, const char *when)
{
	struct digest values[PCR_COUNT][DIGEST_ALGS];
	struct error err = ERROR_INIT;
	int wrong = 0;

	if (verify_read_pcrs(m->proxy, values, &err) < 0) {
		printf("# %s\n", err.message);
		need(false, "the PCRs are read %s", when);
	}
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++) {
		for (int alg = 0; alg < DIGEST_ALGS; alg++) {
			struct digest replayed;

			pcr_replay(tpm_proxy_log(m->proxy), pcr, (enum digest_alg)alg, &replayed);
			if (!digest_equal(&replayed, &values[pcr][alg])) {
				printf("# PCR %u %s\n", pcr, digest_name((enum digest_alg)alg));
				wrong++;
			}
		}
	}
	ok_int(wrong, 0, "%s, all 48 values equal the replay of the log", when);
}

/* QEMU's start as observed: the probe comes before INIT, and is answered with an error. */
static void power_on(struct machine *m)
{
	static const uint8_t read_clock[] = { 0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x81 };

	CONTROL(m, "GET_CAPABILITY", 0, 0, 0, 1);
	hand_over_data(m);
	ok_int(command(m, read_clock, sizeof(read_clock)), 0x101, "a command before INIT fails");
	CONTROL(m, "STOP", 0, 0, 0, 0x0e);
	CONTROL(m, "SET_BUFFERSIZE", 0, 0, 0, 0x11, 0, 0, 0x0f, 0x80);
	CONTROL(m, "INIT", 0, 0, 0, 2, 0, 0, 0, 0);
	CONTROL(m, "SET_LOCALITY", 0, 0, 0, 5, 0, 0, 0, 0);
}

static void test_swtpm(void)
{
	struct error err = ERROR_INIT;
	struct machine m;

	machine_begin(&m);
	power_on(&m);
	ok_int(extend(&m, 4, 'x', true, true), 0x100, "an extend before Startup fails");
	ok_int(tpm_proxy_log(m.proxy)->count, 0, "and is not recorded");
	ok_int(startup(&m), 0, "Startup(CLEAR) succeeds");
	check_values(&m, "after Startup");

	ok_int(extend(&m, 4, 'a', true, true), 0, "PCR 4 is extended");
	ok_int(extend(&m, 4, 'b', true, true), 0, "and again");
	ok_int(extend(&m, 11, 'c', false, true), 0, "PCR 11 in one bank only");
	ok_int(event(&m, 7), 0, "PCR 7 by TPM2_PCR_Event");
	ok_int(tpm_proxy_log(m.proxy)->count, 4, "four events are recorded");
	ok_int(tpm_proxy_log(m.proxy)->events[2].pcr, 11, "in order");
	check_values(&m, "after extends");
	ok_int(extend(&m, 4, 'd', true, true), 0, "the guest goes on after the PCRs were read");
	check_values(&m, "after that");

	/* The machine is reset. */
	CONTROL(&m, "STOP", 0, 0, 0, 0x0e);
	CONTROL(&m, "INIT", 0, 0, 0, 2, 0, 0, 0, 0);
	ok_int(startup(&m), 0, "Startup(CLEAR) succeeds after a reset");
	ok_int(tpm_proxy_log(m.proxy)->count, 0, "and begins a new log");
	check_values(&m, "after the reset");

	ok(!tpm_proxy_shut_down(m.proxy), "nobody has asked for the end");
	CONTROL(&m, "SHUTDOWN", 0, 0, 0, 3);
	ok(tpm_proxy_shut_down(m.proxy), "the end is known to be wanted");
	ok(serve_until(m.proxy, m.control, &err) == 0 && recv(m.control, &m, 1, 0) == 0,
	   "so swtpm's end is no error");
	machine_end(&m);
}

/* Commands of the guest's that come in pieces, and one that is under way when Kiln asks. */
static void test_interleaving(void)
{
	static const uint8_t self_test[] = { 0x80, 1, 0, 0, 0, 11, 0, 0, 1, 0x43, 1 };
	struct pollfd fds[TPM_PROXY_FDS];
	struct error err = ERROR_INIT;
	uint8_t response[64];
	struct machine m;

	machine_begin(&m);
	power_on(&m);
	ok_int(startup(&m), 0, "Startup(CLEAR) succeeds");
	need(send(m.data, self_test, 4, 0) == 4, "half a header");
	tpm_proxy_poll(m.proxy, fds);
	need(poll(fds, TPM_PROXY_FDS, 1000) == 1 && tpm_proxy_serve(m.proxy, fds, &err) == 0,
	     "is served");
	check_values(&m, "while half a command is there");
	need(send(m.data, self_test + 4, 7, 0) == 7, "the rest");
	for (int i = 0; i < 2; i++) {
		tpm_proxy_poll(m.proxy, fds);
		need(poll(fds, TPM_PROXY_FDS, 1000) == 1 && tpm_proxy_serve(m.proxy, fds, &err) == 0,
		     "is served");
	}
	check_values(&m, "while a command is with swtpm");
	ok(receive(m.proxy, m.data, response, sizeof(response)) == 10 &&
	   read_be32(response + 6) == 0, "whose response is the guest's all the same");
	machine_end(&m);
}

/* ---- what breaks the protocol, against a swtpm that the test plays itself */

struct fake {
	int qemu, swtpm;
	struct tpm_proxy *proxy;
};

static struct fake fake_new(void)
{
	struct error err = ERROR_INIT;
	int qemu[2], swtpm[2];
	struct fake f;

	pair_new(qemu);
	pair_new(swtpm);
	f = (struct fake){ .qemu = qemu[0], .swtpm = swtpm[0] };
	need(tpm_proxy_new(qemu[1], swtpm[1], &f.proxy, &err) == 0, "the proxy starts");
	return f;
}

static void fake_free(struct fake *f)
{
	close(f->qemu);
	close(f->swtpm);
	tpm_proxy_free(f->proxy);
}

static int serve_once(struct tpm_proxy *proxy, struct error *err)
{
	struct pollfd fds[TPM_PROXY_FDS];

	tpm_proxy_poll(proxy, fds);
	need(poll(fds, TPM_PROXY_FDS, 1000) > 0, "there is something to serve");
	return tpm_proxy_serve(proxy, fds, err);
}

static void test_bad_control(void)
{
	static const struct {
		uint8_t request[4];
		const char *message;
	} cases[] = {
		{ { 0, 0, 0, 0x10 }, "without a descriptor" },
		{ { 0, 0, 0, 0x77 }, "0x77" },
		{ { 0, 0, 0, 0x06 }, "0x6" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		struct fake f = fake_new();

		need(send(f.qemu, cases[i].request, 4, 0) == 4, "a request is sent");
		ok(serve_once(f.proxy, &err) < 0, "request 0x%x is refused", cases[i].request[3]);
		ok_error(&err, cases[i].message, "for the right reason");
		fake_free(&f);
	}
}

static void test_bad_data(void)
{
	static const uint8_t request[] = { 0, 0, 0, 0x10 };
	static const uint8_t too_long[] = { 0x80, 1, 0, 0, 0x20, 0, 0, 0, 1, 0x44 };
	struct error err = ERROR_INIT;
	struct fake f = fake_new();
	int pair[2];

	pair_new(pair);
	send_with_fd(f.qemu, request, sizeof(request), pair[1]);
	close(pair[1]);
	need(serve_once(f.proxy, &err) == 0, "the data connection is taken");
	need(send(pair[0], too_long, sizeof(too_long), 0) == sizeof(too_long), "a header is sent");
	ok(serve_once(f.proxy, &err) < 0, "a frame longer than any TPM's is refused");
	ok_error(&err, "8192 bytes", "with its length");
	close(pair[0]);
	fake_free(&f);
}

static void test_ends(void)
{
	struct error err = ERROR_INIT;
	struct fake f = fake_new();
	CLEANUP_BUF struct buf response = BUF_INIT(TPM_FRAME_MAX);
	static const uint8_t frame[TPM_HEADER_SIZE];

	ok(tpm_proxy_command(f.proxy, frame, sizeof(frame), &response, &err) < 0,
	   "there is no TPM to ask before QEMU has started it");
	ok_error(&err, "not running", "which is said");
	close(f.qemu);
	f.qemu = -1;
	err = (struct error)ERROR_INIT;
	ok_int(serve_once(f.proxy, &err), 0, "QEMU may go");
	close(f.swtpm);
	f.swtpm = -1;
	ok(serve_once(f.proxy, &err) < 0, "swtpm may not, unasked");
	ok_error(&err, "swtpm closed", "which is said");
	fake_free(&f);
}

int main(void)
{
	test_swtpm();
	test_interleaving();
	test_bad_control();
	test_bad_data();
	test_ends();
	return tap_done();
}
