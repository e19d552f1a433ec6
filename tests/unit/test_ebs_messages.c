/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "upload/block_index.h"
#include "upload/ebs.h"
#include "upload/ebs_page.h"

static void test_body(void)
{
	struct tags tags = { .items = { { (char *)"Name", (char *)"mpc" } }, .count = 1 };
	struct ebs_start start = { .gib = 4, .description = "what", .token = "t0", .key = "arn:k", .tags = &tags };
	CLEANUP_BUF struct buf encrypted = BUF_INIT(SIZE_MAX), child = BUF_INIT(SIZE_MAX), same = BUF_INIT(SIZE_MAX);
	CLEANUP_FREE char *token = NULL, *parent = NULL, *token2 = NULL, *none = NULL;
	struct error err = ERROR_INIT;

	need(ebs_start_body(&start, &encrypted, &err) == 0, "a body");
	ok(strstr(buf_text(&encrypted), "\"VolumeSize\": 4") && strstr(buf_text(&encrypted), "\"KmsKeyArn\": \"arn:k\"") &&
	   strstr(buf_text(&encrypted), "\"Encrypted\": true"), "encrypted where a key is named");
	start.parent = "snap-1";
	need(ebs_start_body(&start, &child, &err) == 0 && ebs_start_body(&start, &same, &err) == 0, "bodies");
	ok(strstr(buf_text(&child), "\"ParentSnapshotId\": \"snap-1\"") && !strstr(buf_text(&child), "Encrypted"),
	   "a parent and encryption exclude each other");
	ok_str(buf_text(&child), buf_text(&same), "the same fields give the same text");
	need(ebs_start_read(buf_text(&child), &token, &parent, &err) == 0, "a body is read");
	ok(strcmp(token, "t0") == 0 && strcmp(parent, "snap-1") == 0, "its token and parent");
	need(ebs_start_read(buf_text(&encrypted), &token2, &none, &err) == 0, "another");
	ok_str(none, "", "has no parent");
	ok(ebs_start_read("{", &token2, &none, &err) < 0 && ebs_start_read("{}", &token2, &none, &err) < 0,
	   "what is none is refused");
}

static void test_answer(void)
{
	static const char *const bad[] = {
		"", "[]", "{}", "{\"SnapshotId\": 1}", "{\"SnapshotId\": \"../../x\"}", "{\"SnapshotId\": \"snap-\"}",
		"{\"SnapshotId\": \"snap-0123456789abcdef0123456789abcdef\"}", "{\"SnapshotId\": \"snap-01/../..\"}",
	};
	const char *good = "{\"SnapshotId\": \"snap-0123456789abcdef0\", \"BlockSize\": 524288, \"Status\": \"pending\"}";
	CLEANUP_FREE char *id = NULL;
	struct error err = ERROR_INIT;

	ok(ebs_start_answer(good, strlen(good), &id, &err) == 0, "an answer is read");
	ok_str(id, "snap-0123456789abcdef0", "for its id");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *none = NULL;

		ok(ebs_start_answer(bad[i], strlen(bad[i]), &none, &err) < 0 && !none, "no answer: %s", bad[i]);
	}
}

static int page(const char *text, bool changed, uint32_t from, struct ebs_page *ret)
{
	struct error err = ERROR_INIT;

	return ebs_page_parse(text, strlen(text), changed, from, ret, &err);
}

static void test_page(void)
{
	CLEANUP_EBS_PAGE struct ebs_page p = EBS_PAGE_INIT, changed = EBS_PAGE_INIT, empty = EBS_PAGE_INIT;
	static const char *const bad[] = {
		"{\"Blocks\": [{\"BlockIndex\": 5, \"BlockToken\": \"a\"}, {\"BlockIndex\": 5, \"BlockToken\": \"b\"}]}",
		"{\"Blocks\": [{\"BlockIndex\": 1, \"BlockToken\": \"a\"}]}",
		"{\"Blocks\": [{\"BlockIndex\": 134217728, \"BlockToken\": \"a\"}]}",
		"{\"Blocks\": [{\"BlockIndex\": \"7\", \"BlockToken\": \"a\"}]}",
		"{\"Blocks\": [{\"BlockIndex\": 7}]}", "{\"Blocks\": {}}", "{\"NextToken\": 1}",
	};

	ok(page("{\"Blocks\": [{\"BlockIndex\": 2, \"BlockToken\": \"a\"}, {\"BlockIndex\": 9, \"BlockToken\": \"b\"}],"
		" \"NextToken\": \"n\"}", false, 2, &p) == 0, "a page is read");
	ok(p.count == 2 && p.items[1].block == 9 && strcmp(p.items[1].token, "b") == 0, "its blocks");
	ok_str(p.next, "n", "and that another follows");
	ok(page("{\"ChangedBlocks\": [{\"BlockIndex\": 2, \"FirstBlockToken\": \"a\"}, {\"BlockIndex\": 3, \"SecondBlockToken\":"
		" \"b\"}], \"NextToken\": null}", true, 0, &changed) == 0, "a page of changes is read");
	ok(changed.count == 2 && !changed.items[0].token && changed.items[1].token && !changed.next,
	   "a block that the second snapshot has not has no token");
	ok(page("{\"NextToken\": \"n\"}", false, 0, &empty) == 0 && empty.count == 0 && empty.next, "a page may be empty");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct ebs_page none = EBS_PAGE_INIT;

		ok(page(bad[i], false, 2, &none) < 0 && none.count == 0, "no page: %s", bad[i]);
	}
}

int main(void)
{
	test_body();
	test_answer();
	test_page();
	return tap_done();
}
