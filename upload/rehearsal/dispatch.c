/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/model/memory.h"
#include "authenticate.h"
#include "clock.h"
#include "http_server.h"
#include "mishap.h"
#include "rehearsal.h"
#include "route.h"
#include "signature.h"

/* ---------------------------------------------------------------- what is asked */

/* For messages where no operation is known: the service's form is all that matters. */
static const struct operation no_operation[] = {
	[SERVICE_EBS] = { .name = "Unknown", .service = SERVICE_EBS },
	[SERVICE_EC2] = { .name = "Unknown", .service = SERVICE_EC2 },
	[SERVICE_STS] = { .name = "Unknown", .service = SERVICE_STS },
	[SERVICE_CLOUDFORMATION] = { .name = "Unknown", .service = SERVICE_CLOUDFORMATION },
	[SERVICE_PLACE] = { .name = "Unknown", .service = SERVICE_PLACE },
};

static bool parse_parameters(struct call *c)
{
	struct error err = ERROR_INIT;
	int r = query_parse(c->q->query, strlen(c->q->query), false, &c->parameters, &err);

	if (r == 0 && strcmp(c->q->path, "/") == 0)
		r = query_parse(buf_text(&c->q->body), c->q->body.len, true, &c->parameters, &err);
	if (r == 0)
		return true;
	if (!c->operation)
		c->operation = &no_operation[SERVICE_PLACE];
	call_refuse(c, REFUSE_INVALID, "%s", err.message);
	return false;
}

/* That of the signature's scope; without a signature, what has the form's version. */
static enum service find_service(const struct call *c, const struct signature *s)
{
	const char *version = call_parameter(c, "Version");
	enum service service;

	if (s)
		return service_find(s->service, &service) ? service : SERVICE_PLACE;
	for (size_t i = 0; version && i < ARRAY_SIZE(no_operation); i++)
		if (service_version(i) && strcmp(service_version(i), version) == 0)
			return i;
	return SERVICE_PLACE;
}

static bool find_operation(struct call *c, const struct signature *s)
{
	const char *action = call_parameter(c, "Action");
	enum service service = find_service(c, s);

	if (c->operation)
		return true;
	if (action && strcmp(c->q->method, "POST") == 0 && strcmp(c->q->path, "/") == 0)
		c->operation = route_by_name(service, action);
	if (c->operation)
		return true;
	c->operation = &no_operation[service];
	call_refuse(c, REFUSE_UNKNOWN_ACTION, "The action %s is not valid for this web service.",
		    action ? action : c->q->path);
	return false;
}

/* "Filter.#.Value.#" */
static bool fits(const char *pattern, const char *name)
{
	for (; *pattern; pattern++) {
		size_t digits = strspn(name, "0123456789");

		if (*pattern == '#' ? digits == 0 : *pattern != *name)
			return false;
		name += *pattern == '#' ? digits : 1;
	}
	return !*name;
}

static bool is_known(const struct operation *o, const char *name)
{
	if (strcmp(name, "Action") == 0 || strcmp(name, "Version") == 0)
		return true;
	for (const char *const *p = o->parameters; p && *p; p++)
		if (fits(*p, name))
			return true;
	return false;
}

static bool check_parameters(struct call *c)
{
	const char *wanted = service_version(c->operation->service), *version = call_parameter(c, "Version");
	bool ec2 = c->operation->service == SERVICE_EC2;

	if (!wanted)
		return true;
	if (!version || strcmp(version, wanted) != 0) {
		call_refuse(c, REFUSE_INVALID, "Version must be %s", wanted);
		return false;
	}
	for (size_t i = 0; i < c->parameters.count; i++) {
		const char *name = c->parameters.items[i].name;

		if (is_known(c->operation, name))
			continue;
		call_error(c, 400, ec2 ? "UnknownParameter" : "ValidationError", NULL, "The parameter %s is not recognized",
			   name);
		return false;
	}
	return true;
}

static bool is_dry_run(struct call *c)
{
	if (c->operation->service != SERVICE_EC2 || !call_flag(c, "DryRun"))
		return false;
	call_error(c, 412, "DryRunOperation", NULL, "Request would have succeeded, but DryRun flag is set.");
	return true;
}

/* ---------------------------------------------------------------- the way */

static void run(struct call *c)
{
	if (c->operation->parallel)
		pthread_rwlock_rdlock(&c->r->lock);
	else
		pthread_rwlock_wrlock(&c->r->lock);
	c->operation->run(c);
	pthread_rwlock_unlock(&c->r->lock);
}

static bool needs_signature(const struct call *c)
{
	return !c->operation || !(c->operation->anonymous || c->operation->service == SERVICE_PLACE ||
				  c->operation->service == SERVICE_CONTROL);
}

/* Parses the signature, if there is one. false: it is malformed, and the answer says so. */
static bool read_signature(struct call *c, struct signature *s, bool *ret_there)
{
	const char *authorization = pairs_get(&c->q->headers, "authorization");
	struct error err = ERROR_INIT;

	*ret_there = false;
	/* The container's endpoint has a bare token there. */
	if (!authorization || (c->operation && !needs_signature(c)))
		return true;
	*ret_there = signature_parse(authorization, s, &err) == 0;
	if (*ret_there)
		return true;
	if (!c->operation)
		c->operation = &no_operation[SERVICE_EC2];
	call_refuse(c, REFUSE_MALFORMED, "%s", err.message);
	return false;
}

static bool check_scope(struct call *c, const struct signature *s)
{
	enum service service;

	if (service_find(s->service, &service) && service == c->operation->service)
		return true;
	call_refuse(c, REFUSE_SIGNATURE, "Credential should be scoped to another service than %s", s->service);
	return false;
}

static bool admit(struct call *c)
{
	struct signature s;
	bool is_signed;

	(void)snprintf(c->region, sizeof(c->region), "us-east-1");
	if (!read_signature(c, &s, &is_signed) || !parse_parameters(c) || !find_operation(c, is_signed ? &s : NULL))
		return false;
	if (!needs_signature(c))
		return true;
	if (!is_signed) {
		call_refuse(c, REFUSE_UNSIGNED, "Request is missing Authentication Token");
		return false;
	}
	(void)snprintf(c->region, sizeof(c->region), "%s", s.region);
	return check_scope(c, &s) && authenticate(c, &s);
}

/* What no service ever says is for the log alone. */
static void write_log(struct call *c, bool answered)
{
	static const char nothing[] = "-";
	struct rehearsal *r = c->r;
	char status[16] = "-";
	int64_t ms = clock_now_ms() - r->started_ms;

	if (c->logged || (c->operation && c->operation->service == SERVICE_CONTROL))
		return;
	c->logged = true;
	if (answered)
		(void)snprintf(status, sizeof(status), "%u", c->a->status);
	pthread_mutex_lock(&r->counting);
	fprintf(r->requests, "%" PRId64 ".%03u\t%s\t%s\t%s\t%s\t%s\t%zu\n", ms / 1000, (unsigned int)(ms % 1000),
		c->operation ? c->operation->name : nothing, status, *c->code ? c->code : nothing,
		*c->region ? c->region : nothing, *c->resource ? c->resource : nothing, c->q->body.len);
	fflush(r->requests);
	pthread_mutex_unlock(&r->counting);
}

static void name_resource(struct call *c)
{
	const char *subject = c->operation->subject ? call_parameter(c, c->operation->subject) : NULL;

	if (*c->resource)
		return;
	if (c->segments[1])
		(void)snprintf(c->resource, sizeof(c->resource), "%s/%s", c->segments[0], c->segments[1]);
	else if (c->segments[0] || subject)
		(void)snprintf(c->resource, sizeof(c->resource), "%s", subject ? subject : c->segments[0]);
	for (char *p = c->resource; *p; p++)
		if (*p <= ' ')
			*p = '?';
}

static size_t on_begin(void *arg, struct request *q)
{
	struct call *c = memory_new(sizeof(*c));

	*c = (struct call){ .r = arg, .q = q };
	q->context = c;
	c->operation = route_by_path(c);
	if (c->operation)
		mishap_take(c);
	return c->fault.kind == FAULT_CUT_REQUEST ? c->fault.bytes : SIZE_MAX;
}

static void answer(struct call *c)
{
	char date[CLOCK_TEXT_SIZE];

	pthread_rwlock_rdlock(&c->r->lock);
	c->now = rehearsal_time(c->r);
	pthread_rwlock_unlock(&c->r->lock);
	if (admit(c)) {
		mishap_take(c);
		if (!mishap_instead(c) && check_parameters(c) && !is_dry_run(c))
			run(c);
		mishap_around(c);
	}
	name_resource(c);
	clock_http(c->now, date);
	call_header(c, "Date", date);
}

static void on_answer(void *arg, struct request *q, struct answer *a)
{
	struct call *c = q->context;

	(void)arg;
	c->a = a;
	answer(c);
	write_log(c, !a->lost && !a->stalled);
}

static void on_end(void *arg, struct request *q)
{
	struct call *c = q->context;
	struct rehearsal *r = arg;

	if (c->counted) {
		pthread_mutex_lock(&r->counting);
		r->under_way[route_number(c->operation)]--;
		pthread_mutex_unlock(&r->counting);
	}
	if (c->operation)
		name_resource(c);
	write_log(c, false);
	pairs_free(&c->parameters);
	route_free(c);
	free(c);
}

void rehearsal_handler(struct rehearsal *r, struct http_handler *ret)
{
	*ret = (struct http_handler){ .begin = on_begin, .answer = on_answer, .end = on_end, .arg = r };
}
