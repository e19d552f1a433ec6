/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "error.h"
#include "host.h"
#include "io.h"
#include "kvm.h"
#include "process.h"

#define QEMU_NAME "qemu-system-x86_64"
#define QEMU_VERSION_TIMEOUT_MS 10000
/* Multi-threaded TCG in 7.2 loses guest memory writes at random; 10.0 does not. */
#define QEMU_MAJOR_MULTI_THREAD 10

/* "" counts as unset. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

static int find_qemu(char ret[static sizeof(((struct host *)0)->qemu)], struct error *err)
{
	const char *wish = variable("KILN_QEMU");
	CLEANUP_FREE char *path = process_find(wish ? wish : QEMU_NAME);
	const size_t size = sizeof(((struct host *)0)->qemu);

	if (!path && wish)
		return error_input(err, "KILN_QEMU: %s is not a program", wish);
	if (!path)
		return error_outside(err, "no " QEMU_NAME " in PATH: install the package "
				     "qemu-system-x86, or set KILN_QEMU to its path");
	if (strlen(path) >= size)
		return error_input(err, "the path of QEMU is too long: %s", path);
	(void)snprintf(ret, size, "%s", path);
	return 0;
}

/* "QEMU emulator version 10.0.8 (Debian 1:10.0.8+ds-0+deb13u1)" and a copyright line. */
static int parse_version(const char *text, int *ret_major, int *ret_minor)
{
	static const char before[] = "QEMU emulator version ";
	char *end;
	long major, minor;

	if (strncmp(text, before, sizeof(before) - 1) != 0)
		return -EINVAL;
	text += sizeof(before) - 1;
	major = strtol(text, &end, 10);
	if (end == text || *end != '.' || major < 0 || major > 10000)
		return -EINVAL;
	text = end + 1;
	minor = strtol(text, &end, 10);
	if (end == text || minor < 0 || minor > 10000)
		return -EINVAL;
	*ret_major = (int)major;
	*ret_minor = (int)minor;
	return 0;
}

static int ask_version(struct host *host, struct buf *text, struct error *err)
{
	int r = process_run(&(struct process_options){
		.argv = (const char *const[]){ host->qemu, "--version", NULL },
		.output = text,
		.timeout_ms = QEMU_VERSION_TIMEOUT_MS,
	}, NULL, err);

	if (r < 0)
		return error_wrap(err, "asking QEMU for its version");
	buf_truncate(text, strcspn(buf_text(text), "\n"));
	if (parse_version(buf_text(text), &host->qemu_major, &host->qemu_minor) < 0)
		return error_outside(err, "%s is not QEMU: it calls itself \"%s\"", host->qemu,
				     buf_text(text));
	host->single_thread = host->qemu_major < QEMU_MAJOR_MULTI_THREAD;
	return 0;
}

static int decide_accel(struct host *host, const char *version, struct error *err)
{
	const char *wish = variable("KILN_ACCEL");
	bool usable = false;
	int r;

	if (wish) {
		if (strcmp(wish, "tcg") != 0 && strcmp(wish, "kvm") != 0)
			return error_input(err, "KILN_ACCEL is \"%s\": it may be tcg or kvm", wish);
		host->accel = strcmp(wish, "kvm") == 0 ? HOST_KVM : HOST_TCG;
		(void)snprintf(host->accel_reason, sizeof(host->accel_reason),
			       "KILN_ACCEL asks for it");
		return 0;
	}
	r = kvm_verdict("/dev/kvm", host->qemu, version, &usable, host->accel_reason,
			sizeof(host->accel_reason), err);
	if (r < 0)
		return r;
	host->accel = usable ? HOST_KVM : HOST_TCG;
	return 0;
}

int host_probe(struct host *ret, struct error *err)
{
	CLEANUP_BUF struct buf version = BUF_INIT(4096);
	struct host host = { .accel = HOST_TCG };
	int r = find_qemu(host.qemu, err);

	if (r < 0)
		return r;
	r = ask_version(&host, &version, err);
	if (r < 0)
		return r;
	r = decide_accel(&host, buf_text(&version), err);
	if (r < 0)
		return r;
	*ret = host;
	return 0;
}

bool host_distrust_kvm(struct host *host)
{
	CLEANUP_BUF struct buf version = BUF_INIT(4096);
	struct error ignored = ERROR_INIT;

	if (variable("KILN_ACCEL"))
		return false;
	host->accel = HOST_TCG;
	(void)snprintf(host->accel_reason, sizeof(host->accel_reason), "/dev/kvm runs the probe's guest, and no kernel");
	if (ask_version(host, &version, &ignored) == 0)
		kvm_remember("/dev/kvm", host->qemu, buf_text(&version), false);
	return true;
}

const char *host_accel_argument(const struct host *host)
{
	if (host->accel == HOST_KVM)
		return "kvm";
	return host->single_thread ? "tcg,thread=single" : "tcg,thread=multi";
}
