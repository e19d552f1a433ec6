/* SPDX-License-Identifier: Apache-2.0 */
#include "stack_calls.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/hex.h"
#include "../../factory/base/io.h"
#include "../../factory/base/process.h"
#include "../aws.h"

#define SERVICE "cloudformation"
#define VERSION "2010-05-15"
#define NAME_MAX_SIZE 128

#define POLL_FIRST_MS 500
#define POLL_LAST_MS 5000
/* A stack that was just made is not known everywhere at once. */
#define UNKNOWN_MAX_MS 60000

/* ---------------------------------------------------------------- one call each */

int stack_check_name(const char *name, struct error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789";
	size_t size = strlen(name);

	if (!size || size > NAME_MAX_SIZE || name[strspn(name, letters)] || strchr("-0123456789", name[0]))
		return error_input(err, "\"%s\" is no name of a stack: a letter, then at most 127 letters, digits and hyphens",
				   name);
	return 0;
}

#define TOKEN_BYTES 16

/* One for each request, by which CloudFormation tells a second attempt from a second stack. */
static int make_token(char ret[static 2 * TOKEN_BYTES + 1], struct error *err)
{
	uint8_t bytes[TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return error_system(err, errno, "cannot get random bytes");
	hex_encode(bytes, sizeof(bytes), ret);
	return 0;
}

static int no_such_stack(struct aws *a, const char *name, struct error *err)
{
	*err = (struct error)ERROR_INIT;
	(void)error_input(err, "there is no stack \"%s\" in %s", name, aws_region(a));
	err->code = ENOENT;
	return -ENOENT;
}

/* CloudFormation says so by its general error. */
static bool means_unknown(const struct aws *a, const struct error *err)
{
	return strcmp(aws_last_code(a), "ValidationError") == 0 && strstr(err->message, "does not exist");
}

int stack_create(struct aws *a, const char *name, const struct buf *template_text, char **ret_id, struct error *err)
{
	char token[2 * TOKEN_BYTES + 1];
	const struct aws_pair parameters[] = {
		{ "Action", "CreateStack" },
		{ "StackName", name },
		{ "TemplateBody", buf_text(template_text) },
		{ "Capabilities.member.1", "CAPABILITY_IAM" },
		{ "ClientRequestToken", token },
	};
	CLEANUP_XML struct xml *answer = NULL;
	const char *id;
	int r = make_token(token, err);

	if (r < 0)
		return r;
	r = aws_query(a, SERVICE, VERSION, parameters, ARRAY_SIZE(parameters), &answer, err);
	if (r < 0 && strcmp(aws_last_code(a), "AlreadyExistsException") == 0) {
		*err = (struct error)ERROR_INIT;
		return error_input(err, "there is a stack \"%s\" in %s already; \"kiln-upload deploy events %s\" shows what became of it",
				   name, aws_region(a), name);
	}
	if (r < 0)
		return r;
	id = xml_text(xml_root(answer), "CreateStackResult/StackId");
	if (!id)
		return error_outside(err, "cloudformation:CreateStack: the answer has no StackId");
	*ret_id = string_copy(id);
	return 0;
}

int stack_delete(struct aws *a, const char *id, struct error *err)
{
	char token[2 * TOKEN_BYTES + 1];
	const struct aws_pair parameters[] = {
		{ "Action", "DeleteStack" },
		{ "StackName", id },
		{ "ClientRequestToken", token },
	};
	CLEANUP_XML struct xml *answer = NULL;
	int r = make_token(token, err);

	return r < 0 ? r : aws_query(a, SERVICE, VERSION, parameters, ARRAY_SIZE(parameters), &answer, err);
}

int stack_describe(struct aws *a, const char *name, struct stack *ret, struct error *err)
{
	const struct aws_pair parameters[] = { { "Action", "DescribeStacks" }, { "StackName", name } };
	CLEANUP_XML struct xml *answer = NULL;
	int r = aws_query(a, SERVICE, VERSION, parameters, ARRAY_SIZE(parameters), &answer, err);

	if (r < 0)
		return means_unknown(a, err) ? no_such_stack(a, name, err) : r;
	return stack_read(answer, ret, err);
}

/* ---------------------------------------------------------------- events */

void stack_watch_free(struct stack_watch *w)
{
	free(w->seen);
	free(w->cause);
	*w = (struct stack_watch) { .seen = NULL };
}

static int read_page(struct aws *a, const char *id, const char *seen, char **token, struct stack_events *ret,
		     struct error *err)
{
	CLEANUP_FREE char *this_page = TAKE_PTR(*token);
	const struct aws_pair parameters[] = {
		{ "Action", "DescribeStackEvents" },
		{ "StackName", id },
		{ "NextToken", this_page },
	};
	CLEANUP_XML struct xml *answer = NULL;
	int r = aws_query(a, SERVICE, VERSION, parameters, this_page ? 3 : 2, &answer, err);

	if (r < 0)
		return means_unknown(a, err) ? no_such_stack(a, id, err) : r;
	return stack_events_read(answer, seen, ret, token, err);
}

static void show_one(struct stack_watch *w, const struct stack_event *e, stack_show *show)
{
	if (!w->cause && stack_event_is_cause(e))
		w->cause = string_printf("%s (%s): %s", e->resource, e->type, e->reason);
	if (show)
		show(e);
}

int stack_watch_events(struct aws *a, const char *id, struct stack_watch *w, stack_show *show, struct error *err)
{
	CLEANUP_STACK_EVENTS struct stack_events events = { .items = NULL };
	CLEANUP_FREE char *token = NULL;
	int r;

	do
		r = read_page(a, id, w->seen, &token, &events, err);
	while (r == 0 && token);
	if (r < 0)
		return r;
	for (size_t i = events.count; i > 0; i--)
		show_one(w, &events.items[i - 1], show);
	if (events.count) {
		free(w->seen);
		w->seen = string_copy(events.items[0].id);
	}
	return 0;
}

/* ---------------------------------------------------------------- waiting */

static int wait_ms(unsigned int ms, struct error *err)
{
	struct pollfd signalled = { .fd = process_signal_fd(), .events = POLLIN };

	(void)poll(&signalled, 1, (int)ms);
	return process_check_interrupt(err);
}

/* The status first: events that come after it, but before the answer, are then shown as well. */
static int look(struct aws *a, const char *id, struct stack_watch *w, stack_show *show, struct stack *ret,
		struct error *err)
{
	int r = stack_describe(a, id, ret, err);

	return r < 0 ? r : stack_watch_events(a, id, w, show, err);
}

int stack_watch_until_settled(struct aws *a, const char *id, struct stack_watch *w, stack_show *show, struct stack *ret,
			      struct error *err)
{
	unsigned int interval = POLL_FIRST_MS, unknown = 0;
	int r;

	for (;;) {
		CLEANUP_STACK struct stack now = { .id = NULL };

		r = look(a, id, w, show, &now, err);
		if (r == 0 && stack_is_settled(&now)) {
			*ret = now;
			now = (struct stack) { .id = NULL };
			return 0;
		}
		if (r < 0 && (r != -ENOENT || unknown >= UNKNOWN_MAX_MS))
			return r;
		unknown = r < 0 ? unknown + interval : 0;
		*err = (struct error)ERROR_INIT;
		r = wait_ms(interval, err);
		if (r < 0)
			return r;
		interval = interval * 3 / 2 < POLL_LAST_MS ? interval * 3 / 2 : POLL_LAST_MS;
	}
}
