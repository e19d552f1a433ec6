/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "factory/format/pcr.h"
#include "tests/unit/tap.h"

/* Values of the TCG profile's fixed events, as real firmware has logged and extended them. */
#define SEPARATOR "394341b7182cd227c5c6b07ef8000cdfd86136c4292b8e576573ad7ed9ae41019f5818b4b971c9effc60e1ad9f1289f0"
#define ACTION "77a0dab2312b4e1e57a84d865a21e5b2ee8d677a21012ada819d0a98988078d3d740f6346bfe0abaa938ca20439a8d71"
#define PCR_SEPARATOR "518923b0f955d08da077c96aaba522b9decede61c599cea6c41889cfbea4ae4d50529d96fe4d1afdafb65e7f95bf23c4"
#define PCR_ACTION_SEPARATOR "70bc457e087464760a8927d6312248dc117663410914ff8b1e42fd5dc91e16f5fe3f15ca64372d3e47af8b4c53b01df9"
#define PCR12_FOO "e07f5e9a02cdd7bf2cab1d04cc47336a1b05c1d1fee7cdbae52abe7ff6ce6a5e146d1ef29921788a4b8dba43c804807f"
/* In the SHA-256 bank, of coreutils: (32 zeros, sha256 of 4 zeros) | sha256sum */
#define PCR_SEPARATOR_SHA256 "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969"

static void check_value(const struct pcr_log *log, unsigned int pcr, enum digest_alg alg,
			const char *expected, const char *what)
{
	char hex[2 * DIGEST_MAX + 1];
	struct digest value;

	pcr_replay(log, pcr, alg, &value);
	digest_hex(&value, hex);
	ok_str(hex, expected, "%s, %s", what, digest_name(alg));
}

static void check_event(const struct pcr_log *log, size_t index, const char *expected, const char *what)
{
	char hex[2 * DIGEST_MAX + 1];

	digest_hex(&log->events[index].digests[DIGEST_SHA384], hex);
	ok_str(hex, expected, "digest of %s", what);
}

static void test_vectors(void)
{
	static const char zeros[4], action[] = "Calling EFI Application from Boot Option";
	static const uint8_t foo[] = "f\0o\0o\0=\0" "1\0\0";
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;

	pcr_log_add_data(&log, 2, EV_SEPARATOR, "separator", zeros, sizeof(zeros));
	pcr_log_add_data(&log, 4, EV_EFI_ACTION, "boot option action", action, sizeof(action) - 1);
	pcr_log_add_data(&log, 4, EV_SEPARATOR, "separator", zeros, sizeof(zeros));
	pcr_log_add_data(&log, 12, EV_IPL, "foo=1", foo, sizeof(foo));
	check_event(&log, 0, SEPARATOR, "the separator");
	check_event(&log, 1, ACTION, "the boot option action");
	check_value(&log, 2, DIGEST_SHA384, PCR_SEPARATOR, "PCR with a separator only");
	check_value(&log, 2, DIGEST_SHA256, PCR_SEPARATOR_SHA256, "PCR with a separator only");
	check_value(&log, 4, DIGEST_SHA384, PCR_ACTION_SEPARATOR, "PCR 4 before the first image");
	check_value(&log, 12, DIGEST_SHA384, PCR12_FOO, "PCR 12 after one command line");
}

static void test_reset(void)
{
	const struct {
		unsigned int pcr;
		uint8_t byte;
	} cases[] = { { 0, 0 }, { 16, 0 }, { 17, 0xff }, { 22, 0xff }, { 23, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int alg = 0; alg < DIGEST_ALGS; alg++) {
			struct digest d;
			bool same = true;

			pcr_reset(cases[i].pcr, (enum digest_alg)alg, &d);
			for (size_t j = 0; j < digest_size(d.alg); j++)
				same = same && d.bytes[j] == cases[i].byte;
			ok(same && d.alg == (enum digest_alg)alg, "PCR %u starts as %02x, %s",
			   cases[i].pcr, cases[i].byte, digest_name(d.alg));
		}
}

static void test_vector_is_one_whole(void)
{
	struct iovec pieces[] = { { (void *)"ab", 2 }, { (void *)"", 0 }, { (void *)"c", 1 } };
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;

	pcr_log_add_vector(&log, 1, EV_IPL, "in pieces", pieces, ARRAY_SIZE(pieces));
	pcr_log_add_data(&log, 1, EV_IPL, "whole", "abc", 3);
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		ok(digest_equal(&log.events[0].digests[alg], &log.events[1].digests[alg]),
		   "pieces hash as the whole, %s", digest_name((enum digest_alg)alg));
}

/* Later ones keep their places, and survive what their bytes were kept in. */
static void test_later(void)
{
	struct iovec pieces[] = { { (void *)"ab", 2 }, { NULL, 1 } };
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT, unsettled = PCR_LOG_INIT;
	CLEANUP_BUF struct buf bytes = BUF_INIT(100);

	need(buf_add_string(&bytes, "c") == 0, "memory");
	pieces[1].iov_base = bytes.data;
	pcr_log_add_later(&log, 4, EV_IPL, "later", pieces, ARRAY_SIZE(pieces));
	pcr_log_keep(&log, &bytes);
	ok(!bytes.data && bytes.max == 100, "the log has taken the bytes over");
	for (int i = 0; i < 100; i++)
		pcr_log_add_data(&log, 4, EV_IPL, "at once", "abc", 3);
	memset(pieces, 0, sizeof(pieces));
	pcr_log_settle(&log);
	ok_int(log.count, 101, "each event is there once");
	ok_str(log.events[0].label, "later", "the later one in its place");
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		ok(digest_equal(&log.events[0].digests[alg], &log.events[100].digests[alg]),
		   "with the same digest, %s", digest_name((enum digest_alg)alg));
	pcr_log_settle(&log);
	ok_int(log.count, 101, "settling twice changes nothing");
	pcr_log_add_later(&unsettled, 4, EV_IPL, "never settled", pieces, 0);
}

static void test_log(void)
{
	char long_label[200];
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct pcr_event event;
	struct digest before, after;

	memset(long_label, 'x', sizeof(long_label) - 1);
	long_label[sizeof(long_label) - 1] = '\0';
	for (unsigned int i = 0; i < 100; i++)
		pcr_log_add_data(&log, i % PCR_COUNT, EV_IPL, long_label, &i, sizeof(i));
	ok_int(log.count, 100, "the log grows");
	ok_int(strlen(log.events[99].label), sizeof(event.label) - 1, "a long label is cut");

	event = log.events[0];
	event.absent[DIGEST_SHA256] = true;
	pcr_replay(&log, 0, DIGEST_SHA256, &before);
	pcr_log_add(&log, &event);
	pcr_replay(&log, 0, DIGEST_SHA256, &after);
	ok(digest_equal(&before, &after), "a bank left out is passed over");
	pcr_replay(&log, 0, DIGEST_SHA384, &after);
	ok(!digest_equal(&before, &after), "the other bank is not");

	pcr_log_free(&log);
	ok(log.count == 0 && !log.events, "a freed log is empty");
	pcr_log_free(&log);
	pcr_replay(&log, 9, DIGEST_SHA384, &after);
	pcr_reset(9, DIGEST_SHA384, &before);
	ok(digest_equal(&before, &after), "an empty log leaves the reset value");
}

int main(void)
{
	test_vectors();
	test_reset();
	test_vector_is_one_whole();
	test_later();
	test_log();
	return tap_done();
}
