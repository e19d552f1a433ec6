/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/statvfs.h>

#include "arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/host.h"
#include "base/io.h"
#include "base/process.h"
#include "pipeline.h"

#define GIB (UINT64_C(1) << 30)

/* Two layers, the disk and the store of the first image take half of these. */
#define CACHE_GIB 6
#define OUTPUT_GIB 1

/* Programs that Kiln or the libraries it uses run, and the Debian package of each. */
static const struct program {
	const char *name, *package, *why;
} programs[] = {
	{ "qemu-img", "qemu-utils", "makes the appliance's disks" },
	{ "supermin", "supermin", "makes the appliance" },
	{ "swtpm", "swtpm", "is the TPM of the boot proof" },
	{ "swtpm_setup", "swtpm-tools", "prepares it" },
	{ "apt-get", "apt", "resolves and downloads packages" },
};

__attribute__((format(printf, 3, 4)))
static void report(const char *state, const char *subject, const char *fmt, ...)
{
	va_list ap;

	printf("%-8s %-12s ", state, subject);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static bool check_host(void)
{
	struct error err = ERROR_INIT;
	struct host host;

	if (host_probe(&host, &err) < 0) {
		report("missing", "QEMU", "%s", err.message);
		return false;
	}
	report("ok", "QEMU", "%s, version %d.%d", host.qemu, host.qemu_major, host.qemu_minor);
	report("ok", "acceleration", "%s: %s", host_accel_argument(&host), host.accel_reason);
	if (host.single_thread)
		report("slow", "QEMU", "versions before 10 corrupt guests unless they run in one thread; QEMU 10 (on Debian 12: \"apt-get install -t bookworm-backports qemu-system-x86\") takes half the time");
	return true;
}

static unsigned int check_programs(void)
{
	unsigned int missing = 0;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const struct program *p = &programs[i];
		CLEANUP_FREE char *path = process_find(p->name);

		if (path) {
			report("ok", p->name, "%s", path);
			continue;
		}
		report("missing", p->name, "it %s: apt-get install %s", p->why, p->package);
		missing++;
	}
	return missing;
}

static bool check_space(const char *subject, const char *path, uint64_t least_gib)
{
	struct statvfs fs;
	uint64_t room;

	if (statvfs(path, &fs) < 0) {
		report("missing", subject, "%s: %s", path, strerror(errno));
		return false;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room < least_gib * GIB) {
		report("missing", subject, "%s has room for %.1f GiB, a build takes up to %ju: free some, or choose another place",
		       path, (double)room / GIB, (uintmax_t)least_gib);
		return false;
	}
	report("ok", subject, "%s, room for %.1f GiB", path, (double)room / GIB);
	return true;
}

static bool check_cache(void)
{
	CLEANUP_FREE char *cache = NULL;
	struct error err = ERROR_INIT;

	if (io_cache_dir(&cache, &err) < 0) {
		report("missing", "cache", "%s (KILN_CACHE chooses another place)", err.message);
		return false;
	}
	return check_space("cache", cache, CACHE_GIB);
}

static bool check_sources(void)
{
	CLEANUP_FREE char *root = NULL;
	struct error err = ERROR_INIT;

	if (pipeline_source_root(&root, &err) < 0) {
		report("missing", "sources", "%s", err.message);
		return false;
	}
	report("ok", "sources", "%s", root);
	return true;
}

static int doctor(int argc, char **argv, struct error *err)
{
	static const struct argument table[] = { { .name = NULL } };
	struct operands operands;
	unsigned int missing;
	int r;

	r = arguments_parse(&command_doctor, table, argc, argv, "", 0, 0, &operands, err);
	if (r < 0)
		return r;
	missing = check_programs();
	missing += !check_host();
	missing += !check_sources();
	missing += !check_cache();
	missing += !check_space("results", ".", OUTPUT_GIB);
	if (missing)
		return error_verdict(err, "%u thing%s missing on this host", missing,
				     missing == 1 ? " is" : "s are");
	return 0;
}

const struct command command_doctor = {
	.name = "doctor",
	.run = doctor,
	.summary = "say what this host can do and what is missing, with the command that mends it",
	.usage = "",
	.help =
		"Looks for QEMU and the other programs, tries whether /dev/kvm really runs guests (at most ten seconds,\n"
		"once per boot of the host), and looks for room. Exit code 1 if something is missing.\n",
};
