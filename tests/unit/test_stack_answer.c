/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "upload/deploy/stack_answer.h"
#include "upload/xml.h"

#define NAMESPACE " xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\""

static struct xml *parse(const char *text)
{
	struct error err = ERROR_INIT;
	struct xml *x = NULL;

	need(xml_parse(text, strlen(text), "the answer", &x, &err) == 0, "the answer is XML: %s", err.message);
	return x;
}

static void test_stack(void)
{
	CLEANUP_XML struct xml *x = parse(
		"<DescribeStacksResponse" NAMESPACE "><DescribeStacksResult><Stacks><member>"
		"<StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/one/1</StackId><StackName>one</StackName>"
		"<StackStatus>CREATE_COMPLETE</StackStatus><Outputs>"
		"<member><OutputKey>KeyArn</OutputKey><OutputValue>arn:key</OutputValue><Description>a key</Description>"
		"</member>"
		"<member><OutputKey>Empty</OutputKey><OutputValue/></member>"
		"</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>");
	CLEANUP_STACK struct stack s = { .id = NULL };
	struct error err = ERROR_INIT;

	need(stack_read(x, &s, &err) == 0, "a stack is read: %s", err.message);
	ok_str(s.id, "arn:aws:cloudformation:us-east-1:123456789012:stack/one/1", "its id");
	ok_str(s.name, "one", "its name");
	ok_str(s.status, "CREATE_COMPLETE", "its status");
	ok_str(s.reason, "", "no reason is an empty one");
	need(s.output_count == 2, "it has two outputs");
	ok_str(s.outputs[0].key, "KeyArn", "the name of one");
	ok_str(s.outputs[0].value, "arn:key", "its value");
	ok_str(s.outputs[0].about, "a key", "what it is");
	ok_str(s.outputs[1].value, "", "a value may be empty");
}

static void check_unread(const char *text, const char *about)
{
	CLEANUP_XML struct xml *x = parse(text);
	CLEANUP_STACK struct stack s = { .id = NULL };
	struct error err = ERROR_INIT;

	ok(stack_read(x, &s, &err) < 0 && !s.id, "%s", about);
	ok_error(&err, "describes no stack", "... and it is said");
}

static void test_no_stack(void)
{
	check_unread("<DescribeStacksResponse/>", "an answer without a result");
	check_unread("<R><DescribeStacksResult><Stacks/></DescribeStacksResult></R>", "one without a stack");
	check_unread("<R><DescribeStacksResult><Stacks><member><StackId>1</StackId></member></Stacks>"
		     "</DescribeStacksResult></R>", "a stack without a status");
}

static void test_settled(void)
{
	static const struct {
		const char *status;
		bool settled;
	} rows[] = {
		{ "CREATE_IN_PROGRESS", false }, { "CREATE_COMPLETE", true }, { "CREATE_FAILED", true },
		{ "ROLLBACK_IN_PROGRESS", false }, { "ROLLBACK_COMPLETE", true }, { "DELETE_IN_PROGRESS", false },
		{ "DELETE_FAILED", true }, { "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", false }, { "", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char status[64];
		struct stack s = { .status = status };

		(void)snprintf(status, sizeof(status), "%s", rows[i].status);
		ok(stack_is_settled(&s) == rows[i].settled, "\"%s\" is %ssettled", status,
		   rows[i].settled ? "" : "not ");
	}
}

#define EVENT(id, status, type, reason) \
	"<member><EventId>" id "</EventId><Timestamp>2026-11-28T22:00:00.000Z</Timestamp><LogicalResourceId>Machine" \
	"</LogicalResourceId><ResourceType>" type "</ResourceType><ResourceStatus>" status "</ResourceStatus>" \
	"<ResourceStatusReason>" reason "</ResourceStatusReason></member>"
#define EVENTS(events, next) \
	"<R" NAMESPACE "><DescribeStackEventsResult><StackEvents>" events "</StackEvents>" next \
	"</DescribeStackEventsResult></R>"

static void check_events(const char *text, const char *seen, size_t count, const char *next, const char *about)
{
	CLEANUP_XML struct xml *x = parse(text);
	CLEANUP_STACK_EVENTS struct stack_events e = { .items = NULL };
	CLEANUP_FREE char *token = NULL;
	struct error err = ERROR_INIT;

	ok(stack_events_read(x, seen, &e, &token, &err) == 0 && e.count == count, "%s: %zu events", about, e.count);
	ok(next ? token && strcmp(token, next) == 0 : !token, "... and %s page after them", next ? "a" : "no");
}

static void test_events(void)
{
	static const char two[] = EVENTS(EVENT("b", "CREATE_COMPLETE", "AWS::EC2::Instance", "")
					 EVENT("a", "CREATE_IN_PROGRESS", "AWS::EC2::Instance", ""),
					 "<NextToken>more</NextToken>");

	check_events(two, NULL, 2, "more", "all are new");
	check_events(two, "a", 1, NULL, "the older one was seen");
	check_events(two, "b", 0, NULL, "both were seen");
	check_events(two, "c", 2, "more", "what was seen is on a later page");
	check_events(EVENTS("", ""), NULL, 0, NULL, "an empty page");
	check_events(EVENTS("", "<NextToken>more</NextToken>"), NULL, 0, "more", "an empty page before others");
	check_events(EVENTS("", "<NextToken/>"), NULL, 0, NULL, "an empty token");
}

static void test_cause(void)
{
	CLEANUP_XML struct xml *x = parse(
		EVENTS(EVENT("d", "CREATE_FAILED", "AWS::CloudFormation::Stack", "The following resource(s) failed")
		       EVENT("c", "CREATE_FAILED", "AWS::KMS::Key", "Resource creation cancelled")
		       EVENT("b", "CREATE_FAILED", "AWS::EC2::Instance", "no capacity")
		       EVENT("a", "CREATE_IN_PROGRESS", "AWS::EC2::Instance", "Resource creation Initiated"), ""));
	static const bool causes[] = { false, false, true, false };
	CLEANUP_STACK_EVENTS struct stack_events e = { .items = NULL };
	CLEANUP_FREE char *token = NULL;
	struct error err = ERROR_INIT;

	need(stack_events_read(x, NULL, &e, &token, &err) == 0 && e.count == 4, "four events");
	for (size_t i = 0; i < e.count; i++)
		ok(stack_event_is_cause(&e.items[i]) == causes[i], "\"%s\" is %sthe cause", e.items[i].reason,
		   causes[i] ? "" : "not ");
}

static void test_no_events(void)
{
	CLEANUP_XML struct xml *none = parse("<R/>"), *nameless = parse(EVENTS("<member/>", ""));
	CLEANUP_STACK_EVENTS struct stack_events e = { .items = NULL };
	CLEANUP_FREE char *token = NULL;
	struct error err = ERROR_INIT;

	ok(stack_events_read(none, NULL, &e, &token, &err) < 0, "an answer without a result");
	ok_error(&err, "has no events", "... and it is said");
	err = (struct error)ERROR_INIT;
	ok(stack_events_read(nameless, NULL, &e, &token, &err) < 0, "an event without an id");
	ok_error(&err, "has no id", "... and it is said");
}

int main(void)
{
	test_stack();
	test_no_stack();
	test_settled();
	test_events();
	test_cause();
	test_no_events();
	return tap_done();
}
