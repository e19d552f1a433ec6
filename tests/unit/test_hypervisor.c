/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <sys/stat.h>

#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/base/host.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "rootfs/hypervisor.h"

/* A stand-in for QEMU that shows its arguments, one a line. */
static const char qemu[] = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n";

/* Where this QEMU has brought it along; without it the arguments end before. */
#define FIRMWARE "-bios\n" HYPERVISOR_QUICK_FIRMWARE "\n"

static const struct {
	const char *what;
	enum host_accel accel;
	bool single;
	const char *given[6];
	const char *seen;
} cases[] = {
	{ "libguestfs's own words", HOST_TCG, true, { "-machine", "accel=tcg", "-m", "3000" },
	  "-machine\npc\n-accel\ntcg,thread=single\n-m\n3000\n" },
	{ "many threads", HOST_TCG, false, { "-machine", "accel=tcg" },
	  "-machine\npc\n-accel\ntcg,thread=multi\n" },
	{ "a machine before it", HOST_TCG, true, { "-machine", "q35,accel=tcg" },
	  "-machine\nq35\n-accel\ntcg,thread=single\n" },
	{ "an option behind it", HOST_TCG, true, { "-machine", "accel=tcg,graphics=off" },
	  "-machine\ngraphics=off\n-accel\ntcg,thread=single\n" },
	{ "a test of features", HOST_TCG, true, { "-machine", "accel=kvm:tcg", "-qmp", "stdio" },
	  "-machine\naccel=kvm:tcg\n-qmp\nstdio\n" },
	{ "words with blanks", HOST_TCG, true, { "-append", "a b  'c' $d" }, "-append\na b  'c' $d\n" },
	{ "disks", HOST_TCG, true, { "-drive", "file=/a b,cache=unsafe,id=hd0,if=none", "-drive", "file.driver=qcow2,if=none,format=raw" },
	  "-drive\nfile=/a b,cache=unsafe,id=hd0,if=none,werror=report\n"
	  "-drive\nfile.driver=qcow2,if=none,format=raw,werror=report\n" },
	{ "disks under KVM", HOST_KVM, false, { "-drive", "file=/a,if=none" }, "-drive\nfile=/a,if=none,werror=report\n" },
	{ "firmware", HOST_TCG, true, { "-drive", "if=pflash,file=/a" }, "-drive\nif=pflash,file=/a\n" },
	{ "a kernel, the firmware behind it", HOST_TCG, true, { "-kernel", "/a b" }, "-kernel\n/a b\n" FIRMWARE },
	{ "KVM", HOST_KVM, false, { "-machine", "accel=kvm:tcg" }, "-machine\naccel=kvm:tcg\n" },
};

static void expect(const char *seen, const char *wanted, const char *what)
{
	CLEANUP_FREE char *text = string_copy(wanted);
	char *firmware = strstr(text, FIRMWARE);

	if (firmware && !io_exists(HYPERVISOR_QUICK_FIRMWARE))
		*firmware = '\0';
	ok_str(seen, text, "%s", what);
}

static void test_arguments(const char *directory, struct host *host, size_t i)
{
	const char *argv[8] = { NULL };
	CLEANUP_BUF struct buf output = BUF_INIT(4096);
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;
	int r;

	host->accel = cases[i].accel;
	host->single_thread = cases[i].single;
	r = hypervisor_write(host, directory, &path, &err);
	need(r == 0, "%s: written: %s", cases[i].what, err.message);
	argv[0] = path;
	memcpy(argv + 1, cases[i].given, sizeof(cases[i].given));
	r = process_run(&(struct process_options) { .argv = argv, .output = &output }, NULL, &err);
	ok(r == 0, "%s: runs: %s", cases[i].what, err.message);
	expect(buf_text(&output), cases[i].seen, cases[i].what);
}

static void test_kept(const char *directory, const struct host *host)
{
	CLEANUP_FREE char *first = NULL, *second = NULL;
	struct error err = ERROR_INIT;
	struct stat before, after;

	ok(hypervisor_write(host, directory, &first, &err) == 0 && stat(first, &before) == 0, "written");
	ok(hypervisor_write(host, directory, &second, &err) == 0 && stat(second, &after) == 0, "again");
	ok(before.st_ino == after.st_ino, "the same script is not written twice");
}

int main(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	struct error err = ERROR_INIT;
	struct host host = { .accel = HOST_TCG };
	CLEANUP_FREE char *path = NULL;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "a scratch directory: %s", err.message);
	/* The blank and the quote are part of the test. */
	path = path_join(scratch.path, "a user's qemu");
	(void)snprintf(host.qemu, sizeof(host.qemu), "%s", path);
	ok(io_write_file(path, qemu, strlen(qemu), 0755, &err) == 0, "a program to start");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		test_arguments(scratch.path, &host, i);
	test_kept(scratch.path, &host);
	return tap_done();
}
