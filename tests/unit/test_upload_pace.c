/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "upload/ebs.h"
#include "upload/rate.h"
#include "upload/refusal.h"
#include "upload/window.h"

static void test_window(void)
{
	struct window w;
	unsigned int rounds = 0;

	window_init(&w, 64);
	ok(window_has_room(&w, 63) && !window_has_room(&w, 64), "at first there are as many as connections");
	window_grow(&w);
	ok(!window_has_room(&w, 64), "and never more");
	window_shrink(&w, 1000);
	ok(window_has_room(&w, 31) && !window_has_room(&w, 32), "half of them after a complaint");
	window_shrink(&w, 1001);
	window_shrink(&w, 1400);
	ok(!window_has_room(&w, 32) && window_has_room(&w, 31), "complaints of one moment are one");
	window_shrink(&w, 1500);
	ok(!window_has_room(&w, 16) && window_has_room(&w, 15), "a later one halves again");
	for (unsigned int i = 0; i < 16; i++)
		window_grow(&w);
	ok(window_has_room(&w, 15) && !window_has_room(&w, 17), "a round of answers adds one");
	for (int64_t now = 2000; now < 20000; now += 500)
		window_shrink(&w, now);
	ok(window_has_room(&w, 0) && !window_has_room(&w, 1), "one is always allowed");
	for (; !window_has_room(&w, 63) && rounds < 10000; rounds++)
		window_grow(&w);
	ok(rounds > 1000 && rounds < 3000, "and it comes back to all of them, in %u answers", rounds);
}

static void test_refusal(void)
{
	ok(refusal_may_pass("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", 0), "a snapshot just started may come yet");
	ok(refusal_may_pass("ResourceNotFoundException", "", EBS_SETTLES_MS - 1), "for two minutes");
	ok(!refusal_may_pass("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", EBS_SETTLES_MS), "and then no more");
	ok(!refusal_may_pass("ResourceNotFoundException", "GRANT_NOT_FOUND", 0), "what else is not found does not come");
	ok(refusal_may_pass("ValidationException", "WRITE_REQUEST_TIMEOUT", 1u << 30), "a slow block is tried again");
	ok(!refusal_may_pass("ValidationException", "INVALID_BLOCK", 0), "a wrong one is not");
	ok(!refusal_may_pass("AccessDeniedException", "", 0), "nor what is forbidden");
	ok(!refusal_may_pass("ResourceNotFoundExceptionX", "", 0), "names are whole names");
	ok(refusal_of_checksum("ValidationException", "INVALID_BLOCK", ""), "a checksum's complaint is known");
	ok(refusal_of_checksum("ValidationException", "", "The Checksum does not match"), "by its words, too");
	ok(!refusal_of_checksum("AccessDeniedException", "", "checksum"), "others are none");
}

static void test_rate(void)
{
	struct rate r;
	char text[RATE_TEXT_SIZE];

	rate_init(&r, 100u << 20, 5000);
	rate_text(&r, 1u << 20, 5100, text);
	ok_str(text, "of 100 MiB", "at first there is no rate");
	rate_text(&r, 50u << 20, 7000, text);
	ok_str(text, "of 100 MiB, 25.0 MiB/s, 2 s left", "then there is, and what is left");
}

int main(void)
{
	test_window();
	test_refusal();
	test_rate();
	return tap_done();
}
