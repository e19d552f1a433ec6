/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/host.h"
#include "factory/base/io.h"
#include "factory/base/kvm.h"
#include "factory/base/probe_guest.h"
#include "factory/base/process.h"
#include "tests/unit/tap.h"

static char *top;	/* the scratch directory everything happens in */

/* A stand-in for QEMU: says its version, notes each other start in a file, then does `script`. */
static char *make_qemu(const char *name, const char *version, const char *script)
{
	CLEANUP_FREE char *text = string_printf(
		"#!/bin/sh\nif [ \"$1\" = --version ]; then echo '%s'; exit; fi\n"
		"echo \"$*\" >> %s/starts\n%s\n", version, top, script);
	char *path = path_join(top, name);
	struct error err = ERROR_INIT;

	need(io_write_file(path, text, strlen(text), 0755, &err) == 0, "script: %s", err.message);
	return path;
}

static int count_starts(void)
{
	CLEANUP_FREE char *path = path_join(top, "starts");
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct error err = ERROR_INIT;
	int n = 0;

	if (io_read_file(path, 1 << 20, &text, &err) < 0)
		return 0;
	for (const char *p = buf_text(&text); *p; p++)
		n += *p == '\n';
	return n;
}

/* The proof that the probe's guest is right: real QEMU, emulating, hears its answer. */
static void guest_answers(void)
{
	CLEANUP_FREE char *qemu = process_find("qemu-system-x86_64");
	struct error err = ERROR_INIT;
	enum probe_answer answer = PROBE_REFUSED;
	char why[256] = "";

	need(qemu, "qemu-system-x86_64 is in PATH");
	ok_int(probe_run(qemu, "tcg", 60000, &answer, why, sizeof(why), &err), 0, "run the guest");
	ok_int(answer, PROBE_ANSWERED, "it answers under TCG %s", why);
	ok_int(probe_run(qemu, "no-such-accel", 60000, &answer, why, sizeof(why), &err), 0,
	       "an accelerator that is none");
	ok_int(answer, PROBE_REFUSED, "is refused");
	ok(strstr(why, "no-such-accel") != NULL, "with QEMU's reason: %s", why);
}

static void guest_image(void)
{
	static uint8_t image[PROBE_GUEST_SIZE];
	uint16_t target;

	probe_guest_build(image);
	ok_int(image[0xFFF0], 0xE9, "the reset vector is a near jump");
	target = (uint16_t)(0xFFF3 + (image[0xFFF1] | image[0xFFF2] << 8));
	ok_int(target, 0xF000, "to the code");
	ok_int(image[target], 0xFA, "which begins with CLI");
	ok(image[0] == 0xF4 && image[0xEFFF] == 0xF4, "and HLT elsewhere");
}

static void answers(void)
{
	static const struct {
		const char *script;
		enum probe_answer answer;
		const char *why;
	} cases[] = {
		{ "exit 245", PROBE_ANSWERED, "" },
		{ "exec sleep 60", PROBE_SILENT, "" },
		{ "exit 0", PROBE_REFUSED, "QEMU exited 0" },
		{ "exit 1", PROBE_REFUSED, "QEMU exited 1" },
		{ "kill -ABRT $$", PROBE_REFUSED, "QEMU was killed by signal 6" },
		{ "echo 'qemu: -accel kvm: Permission denied' >&2; exit 1", PROBE_REFUSED,
		  "Permission denied" },
		{ "echo 'two lines' >&2; echo second >&2; exit 1", PROBE_REFUSED, "two lines" },
	};
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *qemu = make_qemu("qemu-answers", "", cases[i].script);
		unsigned int timeout_ms = cases[i].answer == PROBE_SILENT ? 300 : 60000;
		enum probe_answer answer = PROBE_REFUSED;
		char why[256] = "";

		ok_int(probe_run(qemu, "kvm", timeout_ms, &answer, why, sizeof(why), &err), 0,
		       "QEMU does: %s", cases[i].script);
		ok_int(answer, cases[i].answer, "the answer");
		ok_str(why, cases[i].why, "the reason");
	}
}

static void verdicts(void)
{
	CLEANUP_FREE char *good = make_qemu("qemu-good", "", "exit 245");
	CLEANUP_FREE char *bad = make_qemu("qemu-bad", "", "echo broken >&2; exit 1");
	CLEANUP_FREE char *mute = make_qemu("qemu-mute", "", "exec sleep 60");
	CLEANUP_FREE char *missing = path_join(top, "no-such-device");
	const struct {
		const char *device, *qemu, *version;
		bool usable;
		const char *reason;
		int starts;
		const char *what;
	} cases[] = {
		{ missing, good, "10", false, "no %s", 0, "no device" },
		{ "/dev/null", good, "10", true, "%s runs guests", 1, "a device that works" },
		{ "/dev/null", good, "10", true, "%s runs guests", 0, "is remembered" },
		{ "/dev/null", good, "10.1", true, "%s runs guests", 1, "not for another version" },
		{ "/dev/zero", good, "10.1", true, "%s runs guests", 1, "nor for another device" },
		{ "/dev/null", bad, "10", false, "QEMU cannot use %s: broken", 1, "nor for another QEMU" },
		{ "/dev/null", bad, "10", false, "QEMU cannot use %s: broken", 1,
		  "a refusal is asked for again" },
		{ "/dev/null", mute, "10", false, "%s opens but never executes a guest", 1,
		  "a device that lies" },
		{ "/dev/null", mute, "10", false, "%s opens but never executes a guest", 0,
		  "is waited for only once" },
		{ top, good, "10", false, "%s cannot be opened: Is a directory", 0, "no device at all" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char expected[512], reason[512] = "";
		struct error err = ERROR_INIT;
		bool usable = !cases[i].usable;
		int before = count_starts();

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(expected, sizeof(expected), cases[i].reason, cases[i].device);
#pragma GCC diagnostic pop
		ok_int(kvm_verdict(cases[i].device, cases[i].qemu, cases[i].version, &usable, reason,
				   sizeof(reason), &err), 0, "%s", cases[i].what);
		ok_int(usable, cases[i].usable, "the verdict");
		ok_str(reason, expected, "the reason");
		ok_int(count_starts() - before, cases[i].starts, "how often QEMU was started");
	}
}

/* What stands in the file is another boot's, damaged, or cannot be written: ask again. */
static void forgotten(void)
{
	static const char *const contents[] = {
		"", "boot 00000000-0000-0000-0000-000000000000\ndevice /dev/null\n", "\n\n\n", "silent\n",
	};
	CLEANUP_FREE char *good = make_qemu("qemu-good", "", "exit 245");
	CLEANUP_FREE char *path = path_join(top, "cache/kvm-verdict");
	CLEANUP_FREE char *cache = path_join(top, "cache");
	struct error err = ERROR_INIT;
	char reason[256];
	bool usable;

	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		int before = count_starts();

		need(io_write_file(path, contents[i], strlen(contents[i]), 0644, &err) == 0, "write");
		usable = false;
		ok_int(kvm_verdict("/dev/null", good, "10", &usable, reason, sizeof(reason), &err), 0,
		       "a file that says nothing (%zu)", i);
		ok(usable && count_starts() == before + 1, "asks again");
	}
	setenv("KILN_CACHE", "/proc/nowhere", 1);
	usable = false;
	ok_int(kvm_verdict("/dev/null", good, "10", &usable, reason, sizeof(reason), &err), 0,
	       "no place for the file");
	ok(usable, "does not keep the verdict from being found");
	setenv("KILN_CACHE", cache, 1);
}

static void versions(void)
{
	static const struct {
		const char *text;
		int major, minor;	/* -1: refused */
		bool single_thread;
		const char *argument;
	} cases[] = {
		{ "QEMU emulator version 10.0.8 (Debian 1:10.0.8+ds-0+deb13u1)", 10, 0, false,
		  "tcg,thread=multi" },
		{ "QEMU emulator version 7.2.11 (Debian 1:7.2+dfsg-7+deb12u6)", 7, 2, true,
		  "tcg,thread=single" },
		{ "QEMU emulator version 9.2", 9, 2, true, "tcg,thread=single" },
		{ "QEMU emulator version 11.1.50 (v11.1.0-12-gabcdef)", 11, 1, false, "tcg,thread=multi" },
		{ "QEMU emulator version x.1", -1, 0, false, "" },
		{ "QEMU emulator version 10", -1, 0, false, "" },
		{ "QEMU emulator version 10.", -1, 0, false, "" },
		{ "QEMU emulator version -1.0", -1, 0, false, "" },
		{ "QEMU emulator version 99999999999999999999.0", -1, 0, false, "" },
		{ "something else 10.0", -1, 0, false, "" },
		{ "", -1, 0, false, "" },
	};

	setenv("KILN_ACCEL", "tcg", 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *qemu = make_qemu("qemu-version", cases[i].text, "exit 1");
		struct error err = ERROR_INIT;
		struct host host = { .qemu_major = -7 };

		setenv("KILN_QEMU", qemu, 1);
		if (cases[i].major < 0) {
			ok_int(host_probe(&host, &err), -EIO, "not a version: \"%s\"", cases[i].text);
			ok_error(&err, "is not QEMU", "says so");
			ok_int(host.qemu_major, -7, "output untouched");
			continue;
		}
		ok_int(host_probe(&host, &err), 0, "\"%s\" %s", cases[i].text, err.message);
		ok_str(host.qemu, qemu, "KILN_QEMU is used");
		ok_int(host.qemu_major, cases[i].major, "major");
		ok_int(host.qemu_minor, cases[i].minor, "minor");
		ok_int(host.single_thread, cases[i].single_thread, "single thread");
		ok_str(host_accel_argument(&host), cases[i].argument, "-accel");
	}
	unsetenv("KILN_QEMU");
	unsetenv("KILN_ACCEL");
}

static void overrides(void)
{
	CLEANUP_FREE char *qemu = make_qemu("qemu-system-x86_64", "QEMU emulator version 10.0.8", "exit 1");
	CLEANUP_FREE char *path = string_copy(getenv("PATH"));
	struct error err = ERROR_INIT;
	struct host host = { .qemu = "before" };
	int before = count_starts();

	setenv("KILN_QEMU", qemu, 1);
	setenv("KILN_ACCEL", "kvm", 1);
	ok_int(host_probe(&host, &err), 0, "KILN_ACCEL=kvm");
	ok(host.accel == HOST_KVM && strcmp(host_accel_argument(&host), "kvm") == 0, "is KVM");
	ok_str(host.accel_reason, "KILN_ACCEL asks for it", "and the reason");
	setenv("KILN_ACCEL", "tcg", 1);
	ok_int(host_probe(&host, &err), 0, "KILN_ACCEL=tcg");
	ok_int(host.accel, HOST_TCG, "is TCG");
	ok_int(count_starts(), before, "neither asks the device");
	setenv("KILN_ACCEL", "hvf", 1);
	ok_int(host_probe(&host, &err), -EINVAL, "KILN_ACCEL=hvf");
	ok_error(&err, "KILN_ACCEL is \"hvf\"", "is refused");

	setenv("KILN_ACCEL", "tcg", 1);
	setenv("KILN_QEMU", "/nonexistent/qemu", 1);
	ok_int(host_probe(&host, &err), -EINVAL, "KILN_QEMU without a program");
	ok_error(&err, "/nonexistent/qemu is not a program", "is refused");
	setenv("KILN_QEMU", "", 1);
	setenv("PATH", top, 1);
	ok_int(host_probe(&host, &err), 0, "the one in PATH");
	ok_str(host.qemu, qemu, "by its whole path");
	unlink(qemu);
	host = (struct host){ .qemu = "before" };
	ok_int(host_probe(&host, &err), -EIO, "no QEMU in PATH");
	ok_error(&err, "install the package qemu-system-x86", "says what to install");
	ok_int(err.kind, ERROR_OUTSIDE, "is something outside");
	ok_str(host.qemu, "before", "output untouched");
	setenv("PATH", path, 1);
	unsetenv("KILN_ACCEL");
	unsetenv("KILN_QEMU");
}

/* On this very machine, whatever it is. */
static void here(void)
{
	struct error err = ERROR_INIT;
	struct host host = { .accel = HOST_KVM };

	ok_int(host_probe(&host, &err), 0, "this host: %s", err.message);
	ok(host.qemu[0] == '/' && host.qemu_major > 0, "QEMU %d.%d", host.qemu_major, host.qemu_minor);
	ok(host.accel_reason[0] != '\0', "and a reason: %s", host.accel_reason);
	if (access("/dev/kvm", F_OK) < 0) {
		ok_int(host.accel, HOST_TCG, "no /dev/kvm: TCG");
		ok_str(host.accel_reason, "no /dev/kvm", "which is the reason");
	} else {
		ok(host.accel == HOST_TCG || strcmp(host.accel_reason, "/dev/kvm runs guests") == 0,
		   "KVM only when it runs guests");
	}
}

int main(void)
{
	CLEANUP_SCRATCH struct scratch s = SCRATCH_INIT;
	CLEANUP_FREE char *cache = NULL;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &s, &err) == 0, "scratch: %s", err.message);
	top = s.path;
	cache = path_join(top, "cache");
	setenv("KILN_CACHE", cache, 1);
	unsetenv("KILN_ACCEL");
	unsetenv("KILN_QEMU");
	guest_image();
	guest_answers();
	answers();
	verdicts();
	forgotten();
	versions();
	overrides();
	here();
	return tap_done();
}
