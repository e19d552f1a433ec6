/* SPDX-License-Identifier: Apache-2.0 */
#include "../../factory/base/error.h"
#include "../../factory/model/json.h"
#include "operations.h"

/* What the server is told by its tests. */

static void show_faults(struct call *c)
{
	c->a->status = 200;
	call_header(c, "Content-Type", "application/json");
	pthread_mutex_lock(&c->r->counting);
	faults_format(&c->r->faults, &c->a->body);
	pthread_mutex_unlock(&c->r->counting);
}

static void add_faults(struct call *c)
{
	struct error err = ERROR_INIT;
	int r;

	pthread_mutex_lock(&c->r->counting);
	r = faults_parse(buf_text(&c->q->body), c->q->body.len, &c->r->faults, &err);
	pthread_mutex_unlock(&c->r->counting);
	if (r < 0)
		call_error(c, 400, "BadRequest", NULL, "%s", err.message);
	else
		show_faults(c);
}

static void clear_faults(struct call *c)
{
	pthread_mutex_lock(&c->r->counting);
	c->r->faults.count = 0;
	pthread_mutex_unlock(&c->r->counting);
	show_faults(c);
}

static void change_settings(struct call *c)
{
	struct error err = ERROR_INIT;

	if (settings_parse(buf_text(&c->q->body), c->q->body.len, &c->r->settings, &err) < 0)
		call_error(c, 400, "BadRequest", NULL, "%s", err.message);
	else
		call_json(c, 200, json_new());
}

const struct operation control_operations[] = {
	{ .name = "AddFaults", .service = SERVICE_CONTROL, .method = "POST", .path = "/_rehearsal/faults",
	  .run = add_faults },
	{ .name = "ShowFaults", .service = SERVICE_CONTROL, .method = "GET", .path = "/_rehearsal/faults",
	  .run = show_faults },
	{ .name = "ClearFaults", .service = SERVICE_CONTROL, .method = "DELETE", .path = "/_rehearsal/faults",
	  .run = clear_faults },
	{ .name = "ChangeSettings", .service = SERVICE_CONTROL, .method = "POST", .path = "/_rehearsal/settings",
	  .run = change_settings },
	{ .name = NULL },
};
