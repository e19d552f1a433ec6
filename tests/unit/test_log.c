/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/base/log.h"
#include "tests/unit/tap.h"

/* Standard error goes elsewhere for a while; what came there is the text to look at. */
static int real_stderr;

static void redirect(int fd)
{
	fflush(stderr);
	need(dup2(fd, STDERR_FILENO) >= 0, "redirect standard error");
}

static void restore(void)
{
	fflush(stderr);
	need(dup2(real_stderr, STDERR_FILENO) >= 0, "restore standard error");
}

static int memory_file(void)
{
	char name[] = "/tmp/kiln-test-log-XXXXXX";
	int fd = mkstemp(name);

	need(fd >= 0 && unlink(name) == 0, "temporary file");
	return fd;
}

static void collect(int fd, struct buf *ret)
{
	char chunk[4096];
	ssize_t n;

	need(lseek(fd, 0, SEEK_SET) == 0, "rewind");
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		need(buf_add(ret, chunk, (size_t)n) == 0, "memory");
}

/* How long a step took is the machine's affair: "41.2 s" becomes "# s". */
static void mask_seconds(char *text)
{
	char *out = text;

	for (char *in = text; *in;) {
		size_t digits = strspn(in, "0123456789.");

		if (digits && strncmp(in + digits, " s", 2) == 0) {
			*out++ = '#';
			in += digits;
		}
		*out++ = *in++;
	}
	*out = '\0';
}

static void levels(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	CLEANUP_CLOSE int fd = memory_file();

	redirect(fd);
	log_debug("too small to be seen");
	log_info("an info of %d", 1);
	log_warning("a warning");
	log_error("an error");
	log_set_level(LOG_ERROR);
	log_warning("too small now");
	log_step_begin(1, 2, "unseen");
	log_step_end("done");
	log_set_level(LOG_DEBUG);
	log_debug("to be seen now");
	log_set_level(LOG_INFO);
	log_info("a \033[31mred\a line\twith a tab\r");
	restore();
	collect(fd, &text);
	ok_str(buf_text(&text),
	       "an info of 1\nwarning: a warning\nerror: an error\nto be seen now\n"
	       "a [31mred line\twith a tab\n", "what reaches standard error");
}

static void steps_off_terminal(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	CLEANUP_CLOSE int fd = memory_file();

	redirect(fd);
	log_step_begin(3, 12, "installing packages");
	for (unsigned int i = 0; i < 1000; i++)
		log_step_update(i, 1000, "packages");
	log_info("between");
	log_step_tick();
	log_step_end("done");
	log_step_end("twice");
	log_step_update(1, 2, "no step");
	restore();
	collect(fd, &text);
	mask_seconds((char *)text.data);
	ok_str(buf_text(&text),
	       "[3/12] installing packages\nbetween\n[3/12] installing packages: done, # s\n",
	       "a line at the begin, one at the end, and no more");
}

static int open_terminal(int *ret_far, unsigned short columns)
{
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	struct termios raw;
	int near = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	need(near >= 0 && grantpt(near) == 0 && unlockpt(near) == 0, "terminal");
	*ret_far = open(ptsname(near), O_RDWR | O_NOCTTY | O_CLOEXEC);
	need(*ret_far >= 0 && tcgetattr(*ret_far, &raw) == 0, "terminal");
	cfmakeraw(&raw);
	need(tcsetattr(*ret_far, TCSANOW, &raw) == 0, "raw terminal");
	need(ioctl(*ret_far, TIOCSWINSZ, &size) == 0, "its width");
	return near;
}

/* The kernel hands a terminal's bytes over in its own time: a last one, told by its value, ends the wait. */
static void read_terminal(int far, int near, char *ret, size_t size)
{
	const char last = '\001';
	size_t n = 0;

	need(write(far, &last, 1) == 1, "terminal");
	while (n == 0 || ret[n - 1] != last) {
		need(n < size && read(near, ret + n, 1) == 1, "terminal");
		n++;
	}
	ret[n - 1] = '\0';
	mask_seconds(ret);
}

static void steps_on_terminal(void)
{
	CLEANUP_CLOSE int far = -1;
	CLEANUP_CLOSE int near = open_terminal(&far, 60);
	char text[8192];
	int draws = 0;

	redirect(far);
	log_step_begin(1, 9, "reading");
	read_terminal(far, near, text, sizeof(text));
	ok_str(text, "\r\033[K[1/9] reading ... # s", "a step is drawn at once");

	for (unsigned int i = 0; i < 5000; i++)
		log_step_update(i, 5000, "packages");
	read_terminal(far, near, text, sizeof(text));
	for (const char *p = text; (p = strchr(p, '\r')); p++)
		draws++;
	ok(draws <= 50, "5000 updates at once are not drawn one by one (%d)", draws);

	usleep(110000);
	log_step_update(7, 9, "packages");
	read_terminal(far, near, text, sizeof(text));
	ok_str(text, "\r\033[K[1/9] reading ... 7 of 9 packages, # s", "an update is drawn in place");

	log_warning("by the way");
	read_terminal(far, near, text, sizeof(text));
	ok_str(text, "\r\033[Kwarning: by the way\n\r\033[K[1/9] reading ... 7 of 9 packages, # s",
	       "a line takes the step's place, and the step comes back below");

	usleep(110000);
	log_step_update(8, 0, "MiB of something that is wider than this terminal is");
	read_terminal(far, near, text, sizeof(text));
	ok_int(strlen(text), strlen("\r\033[K") + 59, "a step never wraps");

	log_step_end("done");
	read_terminal(far, near, text, sizeof(text));
	ok_str(text, "\r\033[K[1/9] reading: done, # s\n", "the end takes its place");
	log_info("after");
	read_terminal(far, near, text, sizeof(text));
	ok_str(text, "after\n", "and is not drawn again");
	restore();
}

/* The file's lines without their times, which are checked to be there. */
static char *lines_of(const char *path)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct error err = ERROR_INIT;
	bool stamped = true;
	char *out, *result;

	need(io_read_file(path, 1 << 20, &text, &err) == 0, "read: %s", err.message);
	result = out = calloc(1, text.len + 1);
	need(result, "memory");
	for (const char *p = buf_text(&text); *p;) {
		size_t len = strcspn(p, "\n");

		stamped = stamped && len > 10 && p[5] == '.' && p[9] == ' ';
		if (len > 10) {
			memcpy(out, p + 10, len - 10);
			out += len - 10;
		}
		*out++ = '\n';
		p += len + (p[len] == '\n');
	}
	ok(stamped, "every line of the file has a time");
	return result;
}

static void file(void)
{
	CLEANUP_SCRATCH struct scratch s = SCRATCH_INIT;
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FREE char *lines = NULL;
	CLEANUP_FREE char *empty = NULL;
	CLEANUP_CLOSE int fd = memory_file();
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &s, &err) == 0, "scratch: %s", err.message);
	path = path_join(s.path, "log");
	redirect(fd);
	ok_int(log_open_file(path, &err), 0, "open the log file");
	log_debug("a debug line");
	log_warning("a warning");
	log_foreign("qemu", "one\ntwo \033[1mbold\r\n", 18);
	log_foreign("qemu", "part", 4);
	log_foreign("qemu", "ial\nthen", 8);
	log_foreign("swtpm", "other\n", 6);
	log_foreign("swtpm", "\n\nunfinished", 12);
	log_info("ours");
	log_foreign("qemu", "a\0b\n", 4);
	log_step_begin(1, 1, "step");
	log_step_end("failed");
	ok_int(log_open_file(NULL, &err), 0, "close it");
	log_info("not in the file");
	log_foreign("qemu", "nor this\n", 9);
	restore();
	lines = lines_of(path);
	mask_seconds(lines);
	ok_str(lines, "a debug line\nwarning: a warning\nqemu: one\nqemu: two [1mbold\nqemu: partial\n"
	       "qemu: then\nswtpm: other\nswtpm: unfinished\nours\nqemu: ab\n[1/1] step\n"
	       "[1/1] step: failed, # s\n",
	       "lines of all levels, foreign ones whole and by their source");

	ok_int(log_open_file(path, &err), 0, "open it again");
	ok_int(log_open_file(NULL, &err), 0, "close it");
	empty = lines_of(path);
	ok_str(empty, "", "which truncates");
	ok_int(log_open_file("/nonexistent/log", &err), -ENOENT, "no directory");
	ok_error(&err, "/nonexistent/log", "is named");
}

int main(void)
{
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	need(real_stderr >= 0, "standard error");
	levels();
	steps_off_terminal();
	steps_on_terminal();
	file();
	return tap_done();
}
