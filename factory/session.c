/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "../rootfs/packages/packages.h"
#include "../rootfs/workshop.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/host.h"
#include "base/io.h"
#include "base/log.h"
#include "model/plan.h"

struct session {
	struct session_options options;
	bool prepared;			/* host and kernel are known */
	struct host host;
	char *image, *modules, *version;	/* the appliance's kernel */
	struct workshop *workshop;
	char *target;			/* id of the layer on the target disk */
};

struct session *session_new(const struct session_options *options)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		error_no_memory();
	s->options = *options;
	return s;
}

static int prepare(struct session *s, struct error *err)
{
	const struct session_options *o = &s->options;
	int r;

	if (s->prepared)
		return 0;
	r = host_probe(&s->host, err);
	if (r < 0)
		return r;
	log_debug("QEMU %d.%d, %s", s->host.qemu_major, s->host.qemu_minor, s->host.accel_reason);
	r = packages_appliance_kernel(o->store, o->plan->lock, o->cache, &s->image, &s->modules,
				      &s->version, err);
	if (r < 0)
		return r;
	s->prepared = true;
	return 0;
}

static int open_workshop(struct session *s, const struct session_disks *disks,
			 const struct session_layer *layer, struct error *err)
{
	int r = prepare(s, err);

	if (r < 0)
		return r;

	const struct guest_kernel kernel = {
		.image = s->image,
		.modules = s->modules,
		.version = s->version,
	};
	const struct plan *plan = s->options.plan;
	const struct workshop_options options = {
		.host = &s->host,
		.kernel = &kernel,
		.cache = s->options.cache,
		.tmp = s->options.tmp,
		.builder = disks->builder,
		.packages = disks->packages,
		.layer = layer->path,
		.emulated = plan->arch == plan->tools ? NULL : plan->arch,
	};

	log_debug("starting the appliance on %s", layer->path ? layer->path : "an empty layer");
	r = workshop_open(&options, &s->workshop, err);
	if (r == 0)
		session_holds(s, layer->id);
	return r;
}

int session_enter(struct session *s, const struct session_disks *disks, const struct session_layer *layer,
		  bool exact, struct workshop **ret, struct error *err)
{
	bool fits = s->workshop && (!exact || strcmp(s->target, layer->id) == 0);
	int r = 0;

	if (!fits) {
		session_leave(s);
		r = open_workshop(s, disks, layer, err);
	}
	if (r < 0)
		return r;
	*ret = s->workshop;
	return 0;
}

void session_holds(struct session *s, const char *id)
{
	char *copy = string_copy(id);

	free(s->target);
	s->target = copy;
}

void session_leave(struct session *s)
{
	workshop_free(s->workshop);
	s->workshop = NULL;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	workshop_free(s->workshop);
	free(s->image);
	free(s->modules);
	free(s->version);
	free(s->target);
	free(s);
}

void session_freep(struct session **s)
{
	session_free(*s);
}
