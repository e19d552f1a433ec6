/* SPDX-License-Identifier: Apache-2.0 */
#include "run_facts.h"

#include <sys/utsname.h>
#include <time.h>

#include "../rootfs/guest_version.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/host.h"
#include "base/io.h"
#include "base/workers.h"
#include "commands.h"
#include "model/run.h"

#define TEXT_MAX ((size_t)1 << 20)

static void set_text(char **field, char *text)
{
	free(*field);
	*field = text;
}

struct run *run_facts_begin(void)
{
	struct run *run = run_new();
	struct utsname name;

	run->started = (int64_t)time(NULL);
	run->seconds = -clock_seconds();
	run->processors = workers_count();
	set_text(&run->kiln, string_copy(KILN_VERSION));
	if (uname(&name) == 0) {
		set_text(&run->kernel, string_printf("%s %s", name.sysname, name.release));
		set_text(&run->machine, string_copy(name.machine));
	}
	return run;
}

/* The verdict on this host is remembered, so asking again starts nothing. */
static int add_appliance(struct run *run, struct error *err)
{
	struct host host;
	int r = host_probe(&host, err);

	if (r == 0)
		r = guest_version(&run->libguestfs, err);
	if (r < 0)
		return r;
	set_text(&run->qemu, string_printf("%d.%d", host.qemu_major, host.qemu_minor));
	set_text(&run->accel, string_copy(host_accel_argument(&host)));
	return 0;
}

int run_facts_write(struct run *run, bool appliance, const char *directory, struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, RUN_FILE);
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = appliance ? add_appliance(run, err) : 0;

	run->seconds += clock_seconds();
	if (r == 0)
		r = run_format(run, &text, err);
	return r < 0 ? r : io_write_file(path, text.data, text.len, 0644, err);
}
