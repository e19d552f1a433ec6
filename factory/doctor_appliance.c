/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../rootfs/guest.h"
#include "../rootfs/packages/store.h"
#include "appliance_kernel.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "doctor.h"

/* Whether an appliance starts is found out by starting one, as a build does, with less memory. */

#define SUBJECT "appliance"
#define MEMORY_MIB 512
#define DISK_SIZE (UINT64_C(1) << 20)

static int find_kernel(const struct doctor *d, struct appliance_kernel *ret, struct error *err)
{
	CLEANUP_STORE struct store *store = NULL;
	int r = store_open(d->cache, &store, err);

	return r < 0 ? r : appliance_kernel_find(store, d->lock, d->cache, ret, err);
}

/* ---------------------------------------------------------------- the start */

static int start(const struct doctor *d, const struct appliance_kernel *kernel, const char *tmp, struct error *err)
{
	CLEANUP_GUEST struct guest *guest = NULL;
	CLEANUP_FREE char *path = path_join(tmp, "disk");
	const struct guest_kernel k = {
		.image = kernel->image, .modules = kernel->modules, .version = kernel->version,
	};
	const struct guest_disk disk = { "doctor", path, "qcow2", GUEST_READ_WRITE };
	int r = guest_create_disk(path, DISK_SIZE, err);

	if (r < 0)
		return r;
	r = guest_start(&(struct guest_options) {
		.host = &d->host, .kernel = &k, .cache = d->cache, .tmp = tmp,
		.disks = &disk, .disk_count = 1, .memory_mib = MEMORY_MIB, .cpus = 1,
	}, &guest, err);
	return r < 0 ? r : guest_stop(guest, err);
}

static int try_appliance(const struct doctor *d, const struct appliance_kernel *kernel, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *log = path_join(d->cache, "doctor.log"), *tmp = path_join(d->cache, "tmp");
	int r = io_mkdirs(tmp, 0755, err);

	if (r == 0)
		r = io_scratch_new(tmp, &scratch, err);
	if (r == 0)
		r = log_open_file(log, err);
	if (r < 0)
		return r;
	log_step_begin(1, 1, "starting an appliance");
	r = start(d, kernel, scratch.path, err);
	log_step_end(r < 0 ? "failed" : "done");
	(void)log_open_file(NULL, err);		/* closing cannot fail */
	return r;
}

static void say_start(struct doctor *d, const struct appliance_kernel *kernel)
{
	CLEANUP_FREE char *mend = string_printf("less %s/doctor.log", d->cache);
	struct error err = ERROR_INIT;
	double before = clock_seconds();

	if (try_appliance(d, kernel, &err) < 0)
		doctor_say(d, FINDING_FAIL, SUBJECT, mend, "%s", err.message);
	else
		doctor_say(d, FINDING_OK, SUBJECT, NULL, "started and ended in %.0f s, with kernel %s",
			   clock_seconds() - before, kernel->version);
}

void doctor_check_appliance(struct doctor *d)
{
	CLEANUP_APPLIANCE_KERNEL struct appliance_kernel kernel = { .image = NULL };
	struct error err = ERROR_INIT;

	if (d->quick || !d->cache || !d->host_known)
		return;
	if (find_kernel(d, &kernel, &err) < 0)
		doctor_say(d, FINDING_FAIL, SUBJECT, "kiln fetch DIR", "%s", err.message);
	else if (!kernel.image)
		doctor_say(d, FINDING_WARN, SUBJECT, "kiln fetch DIR, then kiln doctor DIR",
			   "not tried: its kernel comes with a description's lock");
	else
		say_start(d, &kernel);
}
