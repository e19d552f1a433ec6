/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/process.h"
#include "commands.h"
#include "doctor.h"
#include "model/lock.h"

static void (*const checks[])(struct doctor *d) = {
	doctor_check_host,
	doctor_check_programs,
	doctor_check_places,
	doctor_check_firmware,
	doctor_check_appliance,
};

static int read_lock(const char *directory, struct lock **ret, struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, "kiln.lock");

	if (!io_exists(path))
		return error_input(err, "%s is missing: run \"kiln fetch %s\" first, or \"kiln doctor\" alone",
				   path, directory);
	return lock_read(path, ret, err);
}

/* An interrupt ends the check under way, which then reports it as a failure of its own: hence the check here. */
static int run_checks(struct doctor *d, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(checks) && r == 0; i++) {
		checks[i](d);
		r = process_check_interrupt(err);
	}
	return r;
}

static int doctor(int argc, char **argv, struct error *err)
{
	CLEANUP_LOCK struct lock *lock = NULL;
	CLEANUP_FREE char *cache = NULL;
	struct doctor d = { .output = "out" };
	struct error no_cache = ERROR_INIT;
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "output", .letter = 'o', .kind = ARGUMENT_TEXT, .target = &d.output },
		{ .name = "quick", .kind = ARGUMENT_FLAG, .target = &d.quick },
		{ .name = NULL },
	};

	r = arguments_parse(&command_doctor, table, argc, argv, "description's directory", 0, 1, &operands,
			    err);
	if (r == 0 && operands.count)
		r = read_lock(operands.items[0], &lock, err);
	if (r < 0)
		return r;
	d.lock = lock;
	if (io_cache_dir(&cache, &no_cache) < 0)
		doctor_say(&d, FINDING_FAIL, "cache", "set KILN_CACHE to a directory that can be written",
			   "%s", no_cache.message);
	d.cache = cache;
	r = run_checks(&d, err);
	if (r < 0)
		return r;
	if (d.failed)
		return error_verdict(err, "this host lacks %u thing%s; the lines marked \"fail\" say what mends %s",
				     d.failed, d.failed == 1 ? "" : "s", d.failed == 1 ? "it" : "them");
	return 0;
}

const struct command command_doctor = {
	.name = "doctor",
	.run = doctor,
	.summary = "say what this host can do and what is missing, with the command that mends it",
	.usage = "[DIR] [-o OUT] [--quick]",
	.help =
		"Looks at QEMU and the other programs, at the kernel, at the room for cache and results and at\n"
		"the builds of OVMF; tries whether /dev/kvm really runs guests (at most ten seconds, once per boot of\n"
		"the host); and starts an appliance, with the kernel that DIR's lock names or one that an earlier\n"
		"build has left in the cache. One row for each, \"ok\", \"warn\" or \"fail\", and below it what mends\n"
		"it. Exit code 1 if something fails.\n"
		"\n"
		"    -o, --output OUT   where results are to go, \"out\" by default\n"
		"        --quick        start no appliance\n",
};
