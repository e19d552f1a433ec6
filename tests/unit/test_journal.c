/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "upload/journal.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define HEAD "kiln-upload\t1\ndisk\ta.raw\t" SHA "\nrequest\t{}\n"
#define BEGUN HEAD "snapshot\tsnap-1\n"

static int parse(const char *text, struct journal_state *ret, size_t *ret_valid, struct error *err)
{
	return journal_parse(text, strlen(text), "j", ret, ret_valid, err);
}

static void test_parse(void)
{
	CLEANUP_JOURNAL_STATE struct journal_state s = JOURNAL_STATE_INIT;
	struct error err = ERROR_INIT;
	size_t valid = 0;
	const char *text = BEGUN "block\t7\t" SHA "\nblock\t2\t" SHA "\nblock\t7\t" SHA
				 "\ncomplete\nimage\tami-1\n";

	need(parse(text, &s, &valid, &err) == 0, "a whole journal is read");
	ok_int(valid, strlen(text), "to its end");
	ok_str(s.disk, "a.raw", "the disk");
	ok_str(s.data_sha256, SHA, "its digest");
	ok_str(s.request, "{}", "the request");
	ok_str(s.snapshot, "snap-1", "the snapshot");
	ok(s.sent.count == 2 && s.sent.entries[0].block == 2 && s.sent.entries[1].block == 7,
	   "the blocks in order, each once");
	ok(s.complete, "complete");
	ok_str(s.image, "ami-1", "the image");
}

/* What a kill or a full disk leaves. */
static void test_torn(void)
{
	static const char *const tails[] = {
		"block\t9\t" SHA, "block\t9\t0123\n", "blo", "block\t9\n", "block\t-1\t" SHA "\n",
		"block\t4294967295\t" SHA "\n", "garbage\n", "image\tami-1\n", "\n", "complete",
	};

	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		CLEANUP_JOURNAL_STATE struct journal_state s = JOURNAL_STATE_INIT;
		CLEANUP_FREE char *text = string_printf(BEGUN "block\t1\t" SHA "\n%s", tails[i]);
		struct error err = ERROR_INIT;
		size_t valid = 0;

		ok(parse(text, &s, &valid, &err) == 0 && valid == strlen(text) - strlen(tails[i]) && s.sent.count == 1 &&
		   !s.complete && !s.image,
		   "what is no whole line of a journal ends it: %.12s", tails[i]);
	}
}

static void test_two_digests(void)
{
	CLEANUP_JOURNAL_STATE struct journal_state s = JOURNAL_STATE_INIT;
	struct error err = ERROR_INIT;
	size_t valid = 0;

	need(parse(BEGUN "block\t1\t" SHA "\nblock\t1\t" OTHER "\nblock\t2\t" SHA "\n", &s, &valid, &err) == 0, "read");
	ok(s.sent.count == 1 && s.sent.entries[0].block == 2, "a block with two digests counts as not sent");
}

static void test_head(void)
{
	static const char *const texts[] = {
		"", "kiln-upload\t1\n", "kiln-upload\t2\ndisk\ta\t" SHA "\nrequest\t{}\n", "disk\ta\t" SHA "\n",
		"kiln-upload\t1\ndisk\ta\tshort\nrequest\t{}\n", "kiln-upload\t1\ndisk\ta\t" SHA "\nrequest\t{}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP_JOURNAL_STATE struct journal_state s = JOURNAL_STATE_INIT;
		struct error err = ERROR_INIT;
		size_t valid = 0;

		ok(parse(texts[i], &s, &valid, &err) < 0 && !s.disk, "without its whole head it is no journal");
		ok_error(&err, "is not the journal of an upload", "which the error says");
	}
}

static char *make_directory(void)
{
	char *path = string_copy("/tmp/kiln-journal-XXXXXX");

	need(mkdtemp(path), "a directory");
	return path;
}

static struct journal *open_in(const char *directory)
{
	struct journal *j = NULL;
	struct error err = ERROR_INIT;

	need(journal_open(directory, "us-east-1", &j, &err) == 0, "the journal opens: %s", err.message);
	return j;
}

static void test_file(const char *directory)
{
	uint8_t digest[BLOCK_DIGEST_SIZE] = { 1, 2, 3 };
	struct journal *j = open_in(directory), *second = NULL;
	struct error err = ERROR_INIT;

	ok(!journal_state(j)->disk, "at first nothing has begun");
	ok(journal_open(directory, "us-east-1", &second, &err) < 0, "nobody else opens it meanwhile");
	ok_error(&err, "another process is at work on this upload", "and is told why");
	ok(journal_open(directory, "eu-north-1", &second, &err) == 0, "another region has another");
	journal_free(second);

	err = (struct error)ERROR_INIT;
	need(journal_begin(j, "a.raw", SHA, "{\n\"x\": 1}", &err) == 0 && journal_snapshot(j, "snap-1", &err) == 0 &&
	     journal_block(j, 5, digest, &err) == 0, "things are noted");
	journal_free(j);
	j = open_in(directory);
	ok_str(journal_state(j)->request, "{\n\"x\": 1}", "the next process reads the request to the letter");
	ok_int(journal_state(j)->sent.count, 1, "and what was sent");

	need(truncate(journal_path(j), 0) == 0, "a journal is lost under us");
	need(journal_begin(j, "a.raw", SHA, "{}", &err) == 0 && journal_snapshot(j, "snap-2", &err) == 0 &&
	     journal_block(j, 6, digest, &err) == 0 && journal_forget_blocks(j, &err) == 0 &&
	     journal_complete(j, &err) == 0 && journal_image(j, "ami-1", &err) == 0, "more is noted");
	ok(journal_state(j)->complete && strcmp(journal_state(j)->image, "ami-1") == 0, "the state has it, too");
	journal_free(j);
	j = open_in(directory);
	ok(journal_state(j)->sent.count == 0 && strcmp(journal_state(j)->snapshot, "snap-2") == 0,
	   "forgotten blocks are gone, and the snapshot is not");
	ok_str(journal_state(j)->image, "ami-1", "what came later is there");
	need(journal_remove(j, &err) == 0, "removed");
	journal_free(j);
	j = open_in(directory);
	ok(!journal_state(j)->disk, "it is as if nothing had been");
	journal_free(j);
}

/* A limit on the file's size ends a write as a full disk does. */
static void test_full(const char *directory)
{
	uint8_t digest[BLOCK_DIGEST_SIZE] = { 1 };
	struct rlimit before, limit;
	struct journal *j = open_in(directory);
	struct error err = ERROR_INIT;
	struct stat st;
	int r = 0;

	need(journal_begin(j, "a.raw", SHA, "{}", &err) == 0 && journal_snapshot(j, "snap-1", &err) == 0 &&
	     stat(journal_path(j), &st) == 0 && getrlimit(RLIMIT_FSIZE, &before) == 0, "begun");
	signal(SIGXFSZ, SIG_IGN);
	limit = (struct rlimit){ .rlim_cur = (rlim_t)st.st_size + 100, .rlim_max = before.rlim_max };
	need(setrlimit(RLIMIT_FSIZE, &limit) == 0, "a limit");
	for (uint32_t i = 0; r == 0 && i < 10; i++)
		r = journal_block(j, i, digest, &err);
	ok(r < 0, "when there is no room a block is not noted");
	ok_error(&err, "the upload stops, for what was sent cannot be noted", "in one sentence");
	ok_int(err.kind, ERROR_OUTSIDE, "that is nobody's input");
	need(setrlimit(RLIMIT_FSIZE, &before) == 0, "room again");
	journal_free(j);
	j = open_in(directory);
	ok_int(journal_state(j)->sent.count, 1, "the block that was noted is there, half a line is not");
	ok(stat(journal_path(j), &st) == 0 && st.st_size == (off_t)strlen(BEGUN) + 6 + 2 + 64 + 1,
	   "and the file ends with it");
	journal_free(j);
}

int main(void)
{
	CLEANUP_FREE char *directory = make_directory();
	struct error err = ERROR_INIT;

	test_parse();
	test_torn();
	test_two_digests();
	test_head();
	test_file(directory);
	test_full(directory);
	(void)io_remove_tree(directory, &err);
	return tap_done();
}
