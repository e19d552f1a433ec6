/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_SESSION_H
#define KILN_FACTORY_SESSION_H

#include <stdbool.h>

struct error;
struct plan;
struct store;
struct workshop;

/*
 * The build's appliance session. Starting an appliance costs many seconds, so it is opened when the
 * first stage needs it and opened anew only when a stage begins with another layer than the one
 * that lies on the target disk.
 */

struct session_options {
	const struct plan *plan;
	const struct store *store;
	const char *cache, *tmp;
};

struct session_layer {
	const char *id;		/* artifact id; "" for an empty target disk */
	const char *path;	/* NULL for an empty one */
};

struct session;
struct session *session_new(const struct session_options *options);

/*
 * The workshop, with `layer` on its target disk. With `exact` false the caller does not touch the
 * target: any open workshop will do, and `layer` is what to open one with, so that a later stage
 * finds it. The disks that are only read are the builder root's file and that of the unpacked packages.
 */
struct session_disks {
	const char *builder, *packages;
};
int session_enter(struct session *s, const struct session_disks *disks, const struct session_layer *layer,
		  bool exact, struct workshop **ret, struct error *err);
/* A stage has left this layer on the target disk. */
void session_holds(struct session *s, const char *id);
/* Ends the workshop, if it is open: at once, for what a stage keeps it has taken out. */
void session_leave(struct session *s);
void session_free(struct session *s);
void session_freep(struct session **s);
#define CLEANUP_SESSION __attribute__((cleanup(session_freep)))

#endif
