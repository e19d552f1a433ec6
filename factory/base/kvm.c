/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "cleanup.h"
#include "digest.h"
#include "error.h"
#include "io.h"
#include "kvm.h"
#include "log.h"
#include "probe_guest.h"
#include "process.h"

#define PROBE_TIMEOUT_MS 10000
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define VERDICT_MAX 8192

/* In memory: a probe leaves nothing behind, and works where no directory can be written. */
static int guest_image(int *ret, struct error *err)
{
	static uint8_t image[PROBE_GUEST_SIZE];
	CLEANUP_CLOSE int fd = memfd_create("kiln-probe-guest", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return error_system(err, errno, "cannot hold the probe's guest");
	probe_guest_build(image);
	r = io_pwrite_full(fd, image, sizeof(image), 0, "the probe's guest", err);
	if (r < 0)
		return r;
	*ret = TAKE_FD(fd);
	return 0;
}

/* -ETIMEDOUT when it still runs after the time; 0 when it has ended. */
static int wait_for_qemu(struct process *qemu, unsigned int timeout_ms, int *ret_status,
			 struct error *err)
{
	struct pollfd fds[] = {
		{ .fd = process_fd(qemu), .events = POLLIN },
		{ .fd = process_signal_fd(), .events = POLLIN },
	};
	int n, r;

	do {
		/* A signal that is not ours starts the time anew: there are none to speak of. */
		n = poll(fds, ARRAY_SIZE(fds), (int)timeout_ms);
		r = process_check_interrupt(err);
		if (r < 0)
			return r;
	} while (n < 0 && errno == EINTR);
	return process_ended(qemu, ret_status) ? 0 : -ETIMEDOUT;
}

/* QEMU's first complaint, without the names before it. */
static void last_words(struct process *qemu, int status, char *ret, size_t size)
{
	CLEANUP_FREE char *text = string_copy(process_stderr(qemu));
	char *line;

	text[strcspn(text, "\r\n")] = '\0';
	line = strstr(text, "-accel kvm: ");
	line = line ? line + strlen("-accel kvm: ") : text;
	if (line[0])
		(void)snprintf(ret, size, "%s", line);
	else if (WIFSIGNALED(status))
		(void)snprintf(ret, size, "QEMU was killed by signal %d", WTERMSIG(status));
	else
		(void)snprintf(ret, size, "QEMU exited %d", WEXITSTATUS(status));
}

int probe_run(const char *qemu, const char *accel, unsigned int timeout_ms, enum probe_answer *ret,
	      char *why, size_t why_size, struct error *err)
{
	CLEANUP_PROCESS struct process *p = NULL;
	CLEANUP_CLOSE int image = -1;
	CLEANUP_FREE char *bios = NULL;
	int status = 0;
	int r = guest_image(&image, err);

	if (r < 0)
		return r;
	bios = string_printf("/proc/self/fd/%d", image);
	r = process_start(&(struct process_options){
		.argv = (const char *const[]){
			qemu, "-machine", "q35", "-accel", accel, "-cpu", "max", "-m", "16", "-bios", bios,
			"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
			"-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", NULL },
		.pass_fds = (const int[]){ image, -1 },
	}, &p, err);
	if (r < 0)
		return r;
	r = wait_for_qemu(p, timeout_ms, &status, err);
	if (r < 0 && r != -ETIMEDOUT)
		return r;
	if (r == -ETIMEDOUT) {
		*ret = PROBE_SILENT;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == PROBE_GUEST_EXIT) {
		*ret = PROBE_ANSWERED;
	} else {
		*ret = PROBE_REFUSED;
		last_words(p, status, why, why_size);
	}
	return 0;
}

/* ------------------------------------------------------------ the remembered verdict */

/* Another Kiln's probe may have found less. */
static void probe_name(char hex[static 2 * DIGEST_MAX + 1])
{
	static uint8_t image[PROBE_GUEST_SIZE];
	struct digest digest;

	probe_guest_build(image);
	digest_of(DIGEST_SHA256, image, sizeof(image), &digest);
	digest_hex(&digest, hex);
}

/* What a verdict is about; it comes first in the file, and anything else there is another's. */
static char *verdict_key(const char *device, const char *qemu, const char *qemu_version)
{
	CLEANUP_BUF struct buf boot = BUF_INIT(0);
	char probe[2 * DIGEST_MAX + 1];
	struct error err = ERROR_INIT;

	if (io_read_file(BOOT_ID, 128, &boot, &err) < 0)
		return NULL;	/* without it nothing can be remembered */
	probe_name(probe);
	return string_printf("boot %sdevice %s\nqemu %s\nversion %s\nprobe %.16s\n", buf_text(&boot), device, qemu,
			     qemu_version, probe);
}

static bool recall(const char *path, const char *key, bool *ret)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct error err = ERROR_INIT;
	const char *verdict;

	if (io_read_file(path, VERDICT_MAX, &text, &err) < 0)
		return false;
	if (strncmp(buf_text(&text), key, strlen(key)) != 0)
		return false;
	verdict = buf_text(&text) + strlen(key);
	*ret = strcmp(verdict, "runs guests\n") == 0;
	return *ret || strcmp(verdict, "silent\n") == 0;
}

static void remember(const char *path, const char *key, bool usable)
{
	CLEANUP_FREE char *text = string_printf("%s%s\n", key, usable ? "runs guests" : "silent");
	struct error err = ERROR_INIT;

	if (io_write_file(path, text, strlen(text), 0600, &err) < 0)
		log_warning("%s (the next run will probe again)", err.message);
}

/* Where the verdict is kept; NULL when there is no place for it. */
static char *verdict_path(void)
{
	CLEANUP_FREE char *dir = NULL;
	struct error err = ERROR_INIT;

	if (io_cache_dir(&dir, &err) < 0) {
		log_warning("%s", err.message);
		return NULL;
	}
	return path_join(dir, "kvm-verdict");
}

static void say(bool usable, const char *device, char *reason, size_t size)
{
	(void)snprintf(reason, size, usable ? "%s runs guests" : "%s opens but never executes a guest",
		       device);
}

static bool device_opens(const char *device, char *reason, size_t size)
{
	CLEANUP_CLOSE int fd = open(device, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return true;
	if (errno == ENOENT)
		(void)snprintf(reason, size, "no %s", device);
	else
		(void)snprintf(reason, size, "%s cannot be opened: %s", device, strerror(errno));
	return false;
}

int kvm_verdict(const char *device, const char *qemu, const char *qemu_version, bool *ret,
		char *reason, size_t reason_size, struct error *err)
{
	CLEANUP_FREE char *key = verdict_key(device, qemu, qemu_version);
	CLEANUP_FREE char *path = NULL;
	enum probe_answer answer = PROBE_REFUSED;
	char why[160] = "";
	int r;

	*ret = false;
	if (!device_opens(device, reason, reason_size))
		return 0;
	path = key ? verdict_path() : NULL;
	if (path && recall(path, key, ret)) {
		say(*ret, device, reason, reason_size);
		return 0;
	}
	log_debug("asking %s to run a guest", device);
	r = probe_run(qemu, "kvm", PROBE_TIMEOUT_MS, &answer, why, sizeof(why), err);
	if (r < 0)
		return r;
	if (answer == PROBE_REFUSED) {
		/* Found out at once and perhaps different the next time: not remembered. */
		(void)snprintf(reason, reason_size, "QEMU cannot use %s: %s", device, why);
		return 0;
	}
	*ret = answer == PROBE_ANSWERED;
	say(*ret, device, reason, reason_size);
	if (path)
		remember(path, key, *ret);
	return 0;
}

void kvm_remember(const char *device, const char *qemu, const char *qemu_version, bool usable)
{
	CLEANUP_FREE char *key = verdict_key(device, qemu, qemu_version);
	CLEANUP_FREE char *path = key ? verdict_path() : NULL;

	if (path)
		remember(path, key, usable);
}
