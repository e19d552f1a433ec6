/* SPDX-License-Identifier: Apache-2.0 */
#include "mishap.h"

#include <string.h>

#include "../../factory/base/error.h"
#include "clock.h"
#include "route.h"

static int64_t age(struct call *c)
{
	const char *id = c->segments[0];
	const struct object *o = NULL;
	int64_t created = 0;

	if (c->operation->subject)
		id = call_parameter(c, c->operation->subject);
	pthread_rwlock_rdlock(&c->r->lock);
	if (id)
		o = objects_find(&c->r->objects, NULL, id);
	if (o)
		created = o->created_ms;
	pthread_rwlock_unlock(&c->r->lock);
	return created ? clock_now_ms() - created : INT64_MAX;
}

void mishap_take(struct call *c)
{
	struct fault_situation s = { .operation = c->operation->name, .now_ms = clock_now_ms() };
	struct rehearsal *r = c->r;

	if (c->counted || c->operation->service == SERVICE_CONTROL)
		return;
	c->counted = true;
	s.age_ms = age(c);
	pthread_mutex_lock(&r->counting);
	s.under_way = ++r->under_way[route_number(c->operation)];
	faults_take(&r->faults, &s, &c->fault);
	pthread_mutex_unlock(&r->counting);
}

static void refuse_not_found(struct call *c)
{
	const char *subject = c->operation->subject ? c->operation->subject : "";
	const char *id = call_parameter(c, subject);

	if (strncmp(subject, "ImageId", 7) == 0)
		call_error(c, 400, "InvalidAMIID.NotFound", NULL, "The image id does not exist");
	else if (strcmp(subject, "StackName") == 0)
		call_refuse(c, REFUSE_NOT_FOUND, "Stack with id %s does not exist", id ? id : "");
	else
		call_refuse(c, REFUSE_NOT_FOUND, "The snapshot does not exist.");
}

static void refuse_access(struct call *c)
{
	char action[96];

	call_action(c, action, sizeof(action));
	call_refuse(c, REFUSE_DENIED,
		    "User: %s is not authorized to perform: %s because no identity-based policy allows the %s action",
		    c->principal, action, action);
}

static void send_page(struct call *c, unsigned int status, const char *text, size_t size)
{
	c->a->status = status;
	call_header(c, "Content-Type", "text/html");
	if (buf_add(&c->a->body, text, size) < 0)
		error_no_memory();
}

bool mishap_instead(struct call *c)
{
	static const char page[] = "<html><body><h1>503 Service Unavailable</h1>No server is available.</body></html>\n";
	static const char garbage[] = "\0\377<unclosed {\"neither\": ";

	switch (c->fault.kind) {
	case FAULT_THROTTLE:
	case FAULT_RATE:
	case FAULT_CONCURRENCY:
		call_refuse(c, REFUSE_THROTTLE, "The maximum request rate permitted has been exceeded; try again.");
		return true;
	case FAULT_INTERNAL:
		call_refuse(c, REFUSE_INTERNAL, "An internal error has occurred.");
		return true;
	case FAULT_UNAVAILABLE:
		send_page(c, 503, page, sizeof(page) - 1);
		return true;
	case FAULT_GARBAGE:
		send_page(c, 200, garbage, sizeof(garbage) - 1);
		return true;
	case FAULT_NOT_FOUND:
		refuse_not_found(c);
		return true;
	case FAULT_ACCESS_DENIED:
		refuse_access(c);
		return true;
	case FAULT_EXPIRED_TOKEN:
		call_refuse(c, REFUSE_EXPIRED_TOKEN, "The security token included in the request is expired");
		return true;
	case FAULT_ERROR:
		call_error(c, (unsigned int)c->fault.status, c->fault.code, NULL, "%s", c->fault.message);
		return true;
	case FAULT_CUT_REQUEST:
		c->a->lost = true;
		return true;
	case FAULT_STALL:
		c->a->stalled = true;
		return true;
	default:
		return false;
	}
}

void mishap_around(struct call *c)
{
	switch (c->fault.kind) {
	case FAULT_SLOW:
		c->a->delay_ms = (unsigned int)c->fault.ms;
		break;
	case FAULT_TRICKLE:
		c->a->piece = c->fault.bytes;
		c->a->pause_ms = (unsigned int)c->fault.ms;
		break;
	case FAULT_CUT_ANSWER:
		c->a->cut_after = c->fault.bytes;
		break;
	case FAULT_LOST_ANSWER:
		c->a->lost = true;
		break;
	default:
		break;
	}
}
