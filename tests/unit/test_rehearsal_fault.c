/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

#include "upload/rehearsal/fault.h"
#include "upload/rehearsal/query.h"
#include "upload/rehearsal/settings.h"
#include "upload/rehearsal/template.h"

static int parse(struct faults *faults, const char *text, struct error *err)
{
	*err = (struct error)ERROR_INIT;
	return faults_parse(text, strlen(text), faults, err);
}

static enum fault_kind take(struct faults *faults, const struct fault_situation *s)
{
	struct fault f;

	faults_take(faults, s, &f);
	return f.kind;
}

static void test_order(void)
{
	struct fault_situation s = { .operation = "PutSnapshotBlock", .age_ms = INT64_MAX };
	struct faults faults = { .count = 0 };
	struct error err;
	char got[11] = "";

	need(parse(&faults, "{\"faults\": [{\"fault\": \"throttle\", \"operation\": \"PutSnapshotBlock\", \"after\": 2, "
			    "\"every\": 3, \"times\": 2}, {\"fault\": \"slow\", \"ms\": 5, \"times\": 0}]}", &err) == 0,
	     "two faults are understood: %s", err.message);
	for (size_t i = 0; i < 10; i++)
		got[i] = take(&faults, &s) == FAULT_THROTTLE ? 'T' : 's';
	ok_str(got, "ssTssTssss", "the first that hits is the one, by after, every and times");
	s.operation = "DescribeImages";
	ok_int(take(&faults, &s), FAULT_SLOW, "another operation meets the other");
	ok_int(faults.items[0].seen, 10, "what is seen is counted");
	ok_int(faults.items[0].hit, 2, "and what is hit");
}

static void test_situations(void)
{
	struct fault_situation s = { .operation = "X", .age_ms = 500 };
	struct faults faults = { .count = 0 };
	struct error err;

	need(parse(&faults, "{\"faults\": [{\"fault\": \"not-found\", \"ms\": 1000, \"times\": 0}]}", &err) == 0, "not-found");
	ok_int(take(&faults, &s), FAULT_NOT_FOUND, "what is young is not found");
	s.age_ms = 1000;
	ok_int(take(&faults, &s), FAULT_NONE, "what is older is");
	faults.count = 0;
	need(parse(&faults, "{\"faults\": [{\"fault\": \"concurrency\", \"limit\": 4, \"times\": 0}]}", &err) == 0, "concurrency");
	s.under_way = 4;
	ok_int(take(&faults, &s), FAULT_NONE, "four at a time may be");
	s.under_way = 5;
	ok_int(take(&faults, &s), FAULT_CONCURRENCY, "five may not");
	faults.count = 0;
	need(parse(&faults, "{\"faults\": [{\"fault\": \"rate\", \"per_second\": 2, \"times\": 0}]}", &err) == 0, "rate");
	s.now_ms = 7000;
	ok(!take(&faults, &s) && !take(&faults, &s) && take(&faults, &s) == FAULT_RATE, "two in a second, and no third");
	s.now_ms = 8000;
	ok_int(take(&faults, &s), FAULT_NONE, "until the next");
}

static void test_refused(void)
{
	static const struct bad {
		const char *text, *why;
	} bad[] = {
		{ "", "faults" }, { "[]", "must be a JSON object" }, { "{}", "faults is missing" },
		{ "{\"faults\": [{}]}", "fault is missing" },
		{ "{\"faults\": [{\"fault\": \"thunder\"}]}", "no fault" },
		{ "{\"faults\": [{\"fault\": \"stall\", \"ms\": 1}]}", "ms is not known" },
		{ "{\"faults\": [{\"fault\": \"slow\"}]}", "ms is missing" },
		{ "{\"faults\": [{\"fault\": \"rate\"}]}", "per_second is missing" },
		{ "{\"faults\": [{\"fault\": \"error\", \"status\": 500}]}", "needs status and code" },
		{ "{\"faults\": [{\"fault\": \"stall\", \"every\": 0}]}", "every must be" },
		{ "{\"faults\": [{\"fault\": \"stall\", \"times\": -1}]}", "times must be" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct faults faults = { .count = 0 };
		struct error err;

		ok(parse(&faults, bad[i].text, &err) < 0 && faults.count == 0, "refused: %s", bad[i].text);
		ok_error(&err, bad[i].why, "and why");
	}
}

static void test_settings(void)
{
	struct settings s = SETTINGS_INIT;
	struct error err = ERROR_INIT;
	static const char good[] = "{\"page_size\": 3, \"clock_ahead\": 60}", bad[] = "{\"page_size\": 4, \"x\": 1}";

	ok(settings_parse(good, sizeof(good) - 1, &s, &err) == 0 && s.page_size == 3 && s.clock_ahead == 60 &&
	   s.session_seconds == 3600, "settings are changed where they are given");
	ok(settings_parse(bad, sizeof(bad) - 1, &s, &err) < 0 && s.page_size == 3, "and not by halves");
}

static void test_query(void)
{
	static const char text[] = "a=1&b=%2F+%c3%A9&c&&a=2";
	CLEANUP_PAIRS struct pairs form = PAIRS_INIT, query = PAIRS_INIT, none = PAIRS_INIT;
	struct buf out = BUF_INIT(100);
	struct error err = ERROR_INIT;

	need(query_parse(text, sizeof(text) - 1, true, &form, &err) == 0, "a form");
	ok_int(form.count, 4, "has its parameters");
	ok_str(pairs_get(&form, "b"), "/ \303\251", "decoded, a plus as a blank");
	ok_str(pairs_get(&form, "c"), "", "one without a value is empty");
	ok_str(pairs_get(&form, "a"), "1", "the first of a name");
	need(query_parse(text, sizeof(text) - 1, false, &query, &err) == 0, "a query");
	ok_str(pairs_get(&query, "b"), "/+\303\251", "has its plus");
	ok(query_parse("a=%0", 4, true, &none, &err) < 0 && query_parse("a=%00", 5, true, &none, &err) < 0 &&
	   query_parse("%zz=1", 5, true, &none, &err) < 0, "what is not encoded is refused");
	query_encode("a/b c~\303\251", false, &out);
	ok_str(buf_text(&out), "a%2Fb%20c~%C3%A9", "encoded");
	buf_free(&out);
}

static void test_template(void)
{
	static const char good[] =
		"{\"Parameters\": {\"P\": {\"Type\": \"String\"}, \"Q\": {\"Type\": \"String\", \"Default\": \"\"}},"
		" \"Resources\": {\"A\": {\"Type\": \"AWS::IAM::Role\"}, \"B\": {\"Type\": \"AWS::KMS::Key\", \"Properties\":"
		" {\"X\": {\"Ref\": \"P\"}, \"Y\": {\"Fn::GetAtt\": [\"A\", \"Arn\"]}, \"Z\": {\"Ref\": \"AWS::Region\"}}}},"
		" \"Outputs\": {\"O\": {\"Value\": {\"Ref\": \"B\"}}}}";
	static const char bad[] = "{\"Resources\": {\"A\": {\"Type\": \"AWS::KMS::Key\", \"Properties\": "
				  "{\"X\": {\"Fn::GetAtt\": [\"Gone\", \"Arn\"]}}}}}";
	static const char odd[] = "{\"Resources\": {\"a\\nb\": {\"Type\": \"AWS::KMS::Key\"}}}";
	CLEANUP_TEMPLATE struct template t = TEMPLATE_INIT, u = TEMPLATE_INIT, v = TEMPLATE_INIT;
	struct error err = ERROR_INIT;

	need(template_parse(good, sizeof(good) - 1, &t, &err) == 0, "a template: %s", err.message);
	ok_str(pairs_get(&t.resources, "B"), "AWS::KMS::Key", "its resources have their types");
	ok_str(pairs_get(&t.parameters, "P"), "required", "one parameter is needed");
	ok_str(pairs_get(&t.parameters, "Q"), "optional", "one has a default");
	ok_str(pairs_get(&t.outputs, "O"), "B", "an output refers to a resource");
	ok(t.makes_roles && !t.names_roles, "it makes a role without a name");
	ok(template_parse(bad, sizeof(bad) - 1, &u, &err) < 0, "a reference to nothing is refused");
	ok_error(&err, "[Gone]", "by its name");
	err = (struct error)ERROR_INIT;
	ok(template_parse(odd, sizeof(odd) - 1, &v, &err) < 0, "an id with other characters");
	ok_error(&err, "must be alphanumeric", "is refused as CloudFormation does");
}

int main(void)
{
	test_order();
	test_situations();
	test_refused();
	test_settings();
	test_query();
	test_template();
	return tap_done();
}
