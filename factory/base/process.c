/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "cleanup.h"
#include "clock.h"
#include "error.h"
#include "io.h"
#include "log.h"
#include "process.h"

#define CHUNK_SIZE ((size_t)64 << 10)
#define TAIL_SIZE 4096		/* of standard error, kept for messages */
#define SENTENCE_SIZE 1024	/* of that, what goes into an error */
#define TICK_MS 1000		/* how often a waiting loop redraws the progress */
#define GRACE_MS 2000		/* between SIGTERM and SIGKILL */

/*
 * Where a child's output comes from. process_run() watches a pipe, which holds the child back when
 * it is faster than we are. A long-lived child whose owner is busy elsewhere would block on a full
 * pipe, so it writes to an anonymous file (`spool`), emptied whenever its owner asks for anything.
 */
struct stream {
	int fd;
	bool spool;
	off_t offset;		/* of a spool: what was read up to here */
};

struct process {
	char *name;
	pid_t pid;
	int pidfd;
	struct stream out, err;
	struct buf *output;
	int output_error;	/* of buf_add() on output */
	char tail[TAIL_SIZE + 1];
	size_t tail_len;
	bool tail_cut;		/* it does not begin with the first line */
	bool ended;
	int status;
};

/* ------------------------------------------------------------ output */

static int stream_open(struct stream *s, bool spool, int *ret_writer)
{
	int ends[2];

	if (!spool) {
		if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
			return -errno;
		*s = (struct stream){ .fd = ends[0] };
		*ret_writer = ends[1];
		return 0;
	}
	*s = (struct stream){ .fd = memfd_create("kiln-output", MFD_CLOEXEC), .spool = true };
	if (s->fd < 0 || fcntl(s->fd, F_SETFL, O_APPEND) < 0)
		return -errno;
	*ret_writer = fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
	return *ret_writer < 0 ? -errno : 0;
}

static void stream_close(struct stream *s)
{
	if (s->fd >= 0)
		(void)close(TAKE_FD(s->fd));
}

/* The next piece, 0 when there is none now. A pipe without writers is closed. */
static size_t stream_read(struct stream *s, uint8_t chunk[static CHUNK_SIZE])
{
	ssize_t n;

	if (s->fd < 0)
		return 0;
	n = s->spool ? pread(s->fd, chunk, CHUNK_SIZE, s->offset) : read(s->fd, chunk, CHUNK_SIZE);
	if (n == 0 && !s->spool)
		stream_close(s);
	if (n <= 0)
		return 0;
	if (s->spool) {
		/* What was read gives its memory back. */
		(void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, s->offset, n);
		s->offset += n;
	}
	return (size_t)n;
}

static void add_to_tail(struct process *p, const uint8_t *data, size_t size)
{
	size_t drop;

	if (size > TAIL_SIZE) {
		data += size - TAIL_SIZE;
		size = TAIL_SIZE;
		p->tail_cut = true;
	}
	if (p->tail_len + size > TAIL_SIZE) {
		drop = p->tail_len + size - TAIL_SIZE;
		memmove(p->tail, p->tail + drop, p->tail_len - drop);
		p->tail_len -= drop;
		p->tail_cut = true;
	}
	memcpy(p->tail + p->tail_len, data, size);
	p->tail_len += size;
	p->tail[p->tail_len] = '\0';
}

/* One piece from each stream; false when there was nothing. */
static bool take_output(struct process *p)
{
	uint8_t chunk[CHUNK_SIZE];
	size_t out, err;

	out = stream_read(&p->out, chunk);
	if (out && !p->output)
		log_foreign(p->name, (const char *)chunk, out);
	else if (out && !p->output_error)
		p->output_error = buf_add(p->output, chunk, out);
	err = stream_read(&p->err, chunk);
	if (err) {
		log_foreign(p->name, (const char *)chunk, err);
		add_to_tail(p, chunk, err);
	}
	return out || err;
}

static void take_all_output(struct process *p)
{
	while (take_output(p))
		;
}

/* ------------------------------------------------------------ start */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int open_input(const char *text, int *ret, struct error *err)
{
	CLEANUP_CLOSE int fd = -1;
	int r;

	if (!text) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return error_system(err, errno, "cannot open /dev/null");
	} else {
		/* A file and not a pipe: nobody has to feed it while the output is read. */
		fd = memfd_create("kiln-input", MFD_CLOEXEC);
		if (fd < 0)
			return error_system(err, errno, "cannot hold the input");
		r = io_pwrite_full(fd, text, strlen(text), 0, "the input", err);
		if (r < 0)
			return r;
	}
	*ret = TAKE_FD(fd);
	return 0;
}

static struct process *process_new(const struct process_options *options)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		error_no_memory();
	p->pid = p->pidfd = p->out.fd = p->err.fd = -1;
	p->name = string_copy(options->name ? options->name : base_name(options->argv[0]));
	p->output = options->output;
	return p;
}

static int start(struct process *p, const struct process_options *options, bool spool,
		 struct error *err)
{
	CLEANUP_CLOSE int in = -1;
	CLEANUP_CLOSE int out = -1;
	CLEANUP_CLOSE int err_fd = -1;
	int r = open_input(options->input, &in, err);

	if (r < 0)
		return r;
	r = stream_open(&p->err, spool, &err_fd);
	if (r == 0 && options->output_fd <= 0)
		r = stream_open(&p->out, spool, &out);
	if (r < 0)
		return error_system(err, r, "cannot catch the output");
	r = child_start(options, in, options->output_fd > 0 ? options->output_fd : out, err_fd,
			&p->pid, err);
	if (r < 0)
		return r;
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd < 0)
		return error_system(err, errno, "cannot watch the process");
	return 0;
}

int process_start(const struct process_options *options, struct process **ret, struct error *err)
{
	CLEANUP_PROCESS struct process *p = process_new(options);
	int r = start(p, options, true, err);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

/* ------------------------------------------------------------ end */

/* The leader is kept as a zombie while its group is killed: until it is reaped nobody else can
 * have its number. */
static void reap(struct process *p)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	(void)kill(-p->pid, SIGKILL);
	while (waitpid(p->pid, &p->status, 0) < 0 && errno == EINTR)
		;
	p->ended = true;
	take_all_output(p);
}

/* Waits for the end, a piece of output or a signal to us, `timeout_ms` at most; true at the end. */
static bool wait_a_little(struct process *p, int signal_fd, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = p->pidfd, .events = POLLIN },
		{ .fd = p->out.spool ? -1 : p->out.fd, .events = POLLIN },
		{ .fd = p->err.spool ? -1 : p->err.fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};

	if (poll(fds, ARRAY_SIZE(fds), timeout_ms) < 0)
		return false;	/* EINTR: the caller looks at the clock and comes back */
	(void)take_output(p);
	return fds[0].revents != 0;
}

void process_stop(struct process *p, unsigned int grace_ms)
{
	int64_t deadline = clock_ms() + grace_ms;
	int64_t left;
	bool gone = false;

	if (p->ended || p->pid < 0)
		return;
	if (p->pidfd >= 0) {
		(void)kill(-p->pid, SIGTERM);
		while (!gone && (left = deadline - clock_ms()) > 0)
			gone = wait_a_little(p, -1, (int)left);
	}
	(void)kill(-p->pid, SIGKILL);
	reap(p);
}

void process_free(struct process *p)
{
	if (!p)
		return;
	process_stop(p, GRACE_MS);
	stream_close(&p->out);
	stream_close(&p->err);
	if (p->pidfd >= 0)
		(void)close(p->pidfd);
	free(p->name);
	free(p);
}

void process_freep(struct process **p)
{
	process_free(*p);
	*p = NULL;
}

pid_t process_pid(const struct process *p)
{
	return p->pid;
}

int process_fd(const struct process *p)
{
	return p->pidfd;
}

bool process_ended(struct process *p, int *ret_status)
{
	struct pollfd fd = { .fd = p->pidfd, .events = POLLIN };

	if (!p->ended) {
		take_all_output(p);
		if (poll(&fd, 1, 0) <= 0)
			return false;
		reap(p);
	}
	*ret_status = p->status;
	return true;
}

const char *process_stderr(struct process *p)
{
	const char *newline;

	take_all_output(p);
	newline = p->tail_cut ? strchr(p->tail, '\n') : NULL;
	return newline && newline[1] ? newline + 1 : p->tail;
}

/* ------------------------------------------------------------ run */

/* The tail of standard error as part of a sentence: its last lines, parted by "; ". */
static void tail_sentence(struct process *p, char ret[static SENTENCE_SIZE])
{
	const char *text = process_stderr(p);
	size_t len = strlen(text), n = 0;
	bool gap = false;

	if (len > SENTENCE_SIZE / 2) {
		const char *rest = text + len - SENTENCE_SIZE / 2;
		const char *newline = strchr(rest, '\n');

		text = newline && newline[1] ? newline : rest;
	}
	for (; *text && n < SENTENCE_SIZE - 3; text++) {
		if (*text == '\n')
			gap = n > 0;
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			continue;
		if (gap) {
			ret[n++] = ';';
			ret[n++] = ' ';
			gap = false;
		}
		ret[n++] = *text;
	}
	ret[n] = '\0';
}

/* "NAME WHAT: its last words" */
static int complain(struct process *p, struct error *err, const char *what)
{
	char words[SENTENCE_SIZE];

	tail_sentence(p, words);
	return error_outside(err, "%s %s%s%s", p->name, what, words[0] ? ": " : "", words);
}

static int judge(struct process *p, int *ret_code, struct error *err)
{
	char what[80];

	if (WIFSIGNALED(p->status)) {
		(void)snprintf(what, sizeof(what), "was killed by signal %d", WTERMSIG(p->status));
		return complain(p, err, what);
	}
	if (WEXITSTATUS(p->status) != 0 && !ret_code) {
		(void)snprintf(what, sizeof(what), "exited %d", WEXITSTATUS(p->status));
		return complain(p, err, what);
	}
	if (ret_code)
		*ret_code = WEXITSTATUS(p->status);
	return 0;
}

static int output_failed(struct process *p, struct error *err)
{
	process_stop(p, GRACE_MS);
	if (p->output_error != -EFBIG)
		return error_system(err, p->output_error, "cannot keep the output of %s", p->name);
	(void)error_outside(err, "%s wrote more than %zu bytes", p->name, p->output->max);
	err->code = EFBIG;
	return -EFBIG;
}

static int timed_out(struct process *p, unsigned int timeout_ms, struct error *err)
{
	char what[80];

	process_stop(p, GRACE_MS);
	(void)snprintf(what, sizeof(what), "did not end within %g s", timeout_ms / 1000.0);
	(void)complain(p, err, what);
	err->code = ETIMEDOUT;
	return -ETIMEDOUT;
}

static int wait_for_end(struct process *p, unsigned int timeout_ms, struct error *err)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int64_t left = TICK_MS;

	for (;;) {
		if (timeout_ms)
			left = deadline - clock_ms();
		if (left <= 0)
			return timed_out(p, timeout_ms, err);
		if (wait_a_little(p, process_signal_fd(), left < TICK_MS ? (int)left : TICK_MS))
			break;
		if (p->output_error)
			return output_failed(p, err);
		if (process_check_interrupt(err) < 0) {
			process_stop(p, GRACE_MS);
			return -err->code;
		}
		log_step_tick();
	}
	reap(p);
	return p->output_error ? output_failed(p, err) : 0;
}

int process_run(const struct process_options *options, int *ret_code, struct error *err)
{
	CLEANUP_PROCESS struct process *p = NULL;
	int r = process_check_interrupt(err);

	if (r < 0)
		return r;
	p = process_new(options);
	r = start(p, options, false, err);
	if (r < 0)
		return r;
	r = wait_for_end(p, options->timeout_ms, err);
	if (r < 0)
		return r;
	return judge(p, ret_code, err);
}
