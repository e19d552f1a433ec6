/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/log.h"
#include "../../factory/model/json.h"

/* One for all: nobody looks requests up. */
#define REQUEST_ID "4b696c6e-7265-4865-8172-73616c000000"

static const struct service_name {
	const char *name;		/* in a credential's scope and before an IAM action */
	const char *version, *xmlns;
} services[] = {
	[SERVICE_EBS] = { "ebs", NULL, NULL },
	[SERVICE_EC2] = { "ec2", "2016-11-15", "http://ec2.amazonaws.com/doc/2016-11-15/" },
	[SERVICE_STS] = { "sts", "2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/" },
	[SERVICE_CLOUDFORMATION] = { "cloudformation", "2010-05-15",
				     "http://cloudformation.amazonaws.com/doc/2010-05-15/" },
	[SERVICE_PLACE] = { "", NULL, NULL },
	[SERVICE_CONTROL] = { "", NULL, NULL },
};

bool service_find(const char *name, enum service *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		if (*services[i].name && strcmp(services[i].name, name) == 0) {
			*ret = (enum service)i;
			return true;
		}
	}
	return false;
}

const char *service_version(enum service service)
{
	return services[service].version;
}

/* ---------------------------------------------------------------- parameters */

const char *call_parameter(const struct call *c, const char *name)
{
	return pairs_get(&c->parameters, name);
}

const char *call_parameterf(const struct call *c, const char *fmt, ...)
{
	char name[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	return call_parameter(c, name);
}

const char *call_needs(struct call *c, const char *name)
{
	const char *value = call_parameter(c, name);

	if (value && *value)
		return value;
	call_error(c, 400, c->operation->service == SERVICE_EC2 ? "MissingParameter" : "ValidationError", NULL,
		   "The request must contain the parameter %s", name);
	return NULL;
}

bool call_flag(const struct call *c, const char *name)
{
	const char *value = call_parameter(c, name);

	return value && strcmp(value, "true") == 0;
}

bool call_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value < min || value > max)
		return false;
	*ret = value;
	return true;
}

/* ---------------------------------------------------------------- XML */

static void put(struct buf *b, const char *text)
{
	if (buf_add_string(b, text) < 0)
		error_no_memory();
}

void markup_open(struct buf *b, const char *name)
{
	put(b, "<");
	put(b, name);
	put(b, ">");
}

void markup_close(struct buf *b, const char *name)
{
	put(b, "</");
	put(b, name);
	put(b, ">\n");
}

static void put_escaped(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&\"'", *text) || ((uint8_t)*text < 0x20 && strchr("\t\n\r", *text))) {
			if (buf_printf(b, "&#%u;", (uint8_t)*text) < 0)
				error_no_memory();
		} else if ((uint8_t)*text < 0x20) {
			put(b, "?");
		} else if (buf_add(b, text, 1) < 0) {
			error_no_memory();
		}
	}
}

void markup_leaf(struct buf *b, const char *name, const char *text)
{
	markup_open(b, name);
	put_escaped(b, text);
	markup_close(b, name);
}

void markup_number(struct buf *b, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	markup_leaf(b, name, text);
}

void markup_bool(struct buf *b, const char *name, bool value)
{
	markup_leaf(b, name, value ? "true" : "false");
}

static bool is_ec2(const struct call *c)
{
	return c->operation->service == SERVICE_EC2;
}

static void open_root(struct call *c, const char *name)
{
	if (buf_printf(&c->a->body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"%s\">\n", name,
		       services[c->operation->service].xmlns) < 0)
		error_no_memory();
}

struct buf *call_xml_begin(struct call *c)
{
	char name[80];

	c->a->status = 200;
	call_header(c, "Content-Type", "text/xml;charset=UTF-8");
	(void)snprintf(name, sizeof(name), "%sResponse", c->operation->name);
	open_root(c, name);
	(void)snprintf(name, sizeof(name), "%sResult", c->operation->name);
	if (is_ec2(c))
		markup_leaf(&c->a->body, "requestId", REQUEST_ID);
	else
		markup_open(&c->a->body, name);
	return &c->a->body;
}

void call_xml_end(struct call *c)
{
	struct buf *b = &c->a->body;
	char name[80];

	(void)snprintf(name, sizeof(name), "%sResult", c->operation->name);
	if (!is_ec2(c)) {
		markup_close(b, name);
		markup_open(b, "ResponseMetadata");
		markup_leaf(b, "RequestId", REQUEST_ID);
		markup_close(b, "ResponseMetadata");
	}
	(void)snprintf(name, sizeof(name), "%sResponse", c->operation->name);
	markup_close(b, name);
}

void call_done(struct call *c)
{
	markup_bool(call_xml_begin(c), "return", true);
	call_xml_end(c);
}

/* ---------------------------------------------------------------- JSON and headers */

void call_header(struct call *c, const char *name, const char *value)
{
	pairs_set(&c->a->headers, name, value);
}

void call_json(struct call *c, unsigned int status, struct json_t *root)
{
	c->a->status = status;
	call_header(c, "Content-Type", "application/json");
	if (json_finish(root, false, &c->a->body) < 0)
		error_no_memory();
}

/* ---------------------------------------------------------------- errors */

/* Response/Errors/Error, as EC2 alone has it. */
static void ec2_error(struct call *c, const char *code, const char *message)
{
	struct buf *b = &c->a->body;

	put(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>");
	markup_leaf(b, "Code", code);
	markup_leaf(b, "Message", message);
	put(b, "</Error></Errors>");
	markup_leaf(b, "RequestID", REQUEST_ID);
	markup_close(b, "Response");
}

static void query_error(struct call *c, const char *code, const char *message)
{
	struct buf *b = &c->a->body;

	open_root(c, "ErrorResponse");
	markup_open(b, "Error");
	markup_leaf(b, "Type", c->a->status < 500 ? "Sender" : "Receiver");
	markup_leaf(b, "Code", code);
	markup_leaf(b, "Message", message);
	markup_close(b, "Error");
	markup_leaf(b, "RequestId", REQUEST_ID);
	markup_close(b, "ErrorResponse");
}

static void json_error(struct call *c, const char *code, const char *reason, const char *message)
{
	struct json_t *root = json_new();

	json_put_string(root, "Message", message);
	if (reason)
		json_put_string(root, "Reason", reason);
	call_header(c, "x-amzn-ErrorType", code);
	call_json(c, c->a->status, root);
}

static void put_error(struct call *c, unsigned int status, const char *code, const char *reason, const char *message)
{
	(void)snprintf(c->code, sizeof(c->code), "%s", code);
	buf_truncate(&c->a->body, 0);
	pairs_free(&c->a->headers);
	c->a->status = status;
	call_header(c, "Content-Type", "text/xml;charset=UTF-8");
	call_header(c, "x-amzn-RequestId", REQUEST_ID);
	if (is_ec2(c))
		ec2_error(c, code, message);
	else if (services[c->operation->service].xmlns)
		query_error(c, code, message);
	else
		json_error(c, code, reason, message);
}

void call_error(struct call *c, unsigned int status, const char *code, const char *reason, const char *fmt, ...)
{
	char message[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	put_error(c, status, code, reason, message);
}

/* status, code; EBS's reason */
static const struct said {
	unsigned int status;
	const char *code, *reason;
} refusals[REFUSALS][3] = {
	/* EBS (and the places, whose clients look at the status alone); EC2; STS and CloudFormation */
	[REFUSE_THROTTLE] = { { 400, "RequestThrottledException", "ACCOUNT_THROTTLED" },
			      { 503, "RequestLimitExceeded", NULL }, { 400, "Throttling", NULL } },
	[REFUSE_INTERNAL] = { { 500, "InternalServerException", NULL },
			      { 500, "InternalError", NULL }, { 500, "InternalFailure", NULL } },
	[REFUSE_DENIED] = { { 403, "AccessDeniedException", "UNAUTHORIZED_ACCOUNT" },
			    { 403, "UnauthorizedOperation", NULL }, { 403, "AccessDenied", NULL } },
	[REFUSE_EXPIRED_TOKEN] = { { 403, "ExpiredTokenException", NULL },
				   { 400, "RequestExpired", NULL }, { 403, "ExpiredToken", NULL } },
	[REFUSE_NOT_FOUND] = { { 404, "ResourceNotFoundException", "SNAPSHOT_NOT_FOUND" },
			       { 400, "InvalidSnapshot.NotFound", NULL }, { 400, "ValidationError", NULL } },
	[REFUSE_UNSIGNED] = { { 403, "MissingAuthenticationTokenException", NULL },
			      { 400, "MissingAuthenticationToken", NULL }, { 403, "MissingAuthenticationToken", NULL } },
	[REFUSE_MALFORMED] = { { 403, "IncompleteSignatureException", NULL },
			       { 400, "IncompleteSignature", NULL }, { 400, "IncompleteSignature", NULL } },
	[REFUSE_UNKNOWN_KEY] = { { 403, "UnrecognizedClientException", NULL },
				 { 401, "AuthFailure", NULL }, { 403, "InvalidClientTokenId", NULL } },
	[REFUSE_SIGNATURE] = { { 403, "InvalidSignatureException", NULL },
			       { 403, "SignatureDoesNotMatch", NULL }, { 403, "SignatureDoesNotMatch", NULL } },
	[REFUSE_TIME] = { { 403, "InvalidSignatureException", NULL },
			  { 400, "RequestExpired", NULL }, { 403, "SignatureDoesNotMatch", NULL } },
	[REFUSE_INVALID] = { { 400, "ValidationException", "INVALID_PARAMETER_VALUE" },
			     { 400, "InvalidParameterValue", NULL }, { 400, "ValidationError", NULL } },
	[REFUSE_UNKNOWN_ACTION] = { { 404, "UnknownOperationException", NULL },
				    { 400, "InvalidAction", NULL }, { 400, "InvalidAction", NULL } },
};

void call_refuse(struct call *c, enum refusal why, const char *fmt, ...)
{
	unsigned int form = is_ec2(c) ? 1 : services[c->operation->service].xmlns ? 2 : 0;
	const struct said *said = &refusals[why][form];
	char message[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	put_error(c, said->status, said->code, said->reason, message);
}

void call_failed(struct call *c, const struct error *err)
{
	log_error("%s: %s", c->operation->name, err->message);
	call_refuse(c, REFUSE_INTERNAL, "The rehearsal server failed: %s", err->message);
}

void call_action(const struct call *c, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s:%s", services[c->operation->service].name, c->operation->name);
}
