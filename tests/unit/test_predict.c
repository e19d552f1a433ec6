/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/cleanup.h"
#include "tests/unit/predicted.h"

/* Values that real firmware has shown, on EC2 and in QEMU. */
#define PCR4_NO_IMAGE "70bc457e087464760a8927d6312248dc117663410914ff8b1e42fd5dc91e16f5fe3f15ca64372d3e47af8b4c53b01df9"
#define PCR7_OFF "98441c7f7625d10058c47683aec486ce311c633235eb555593a7ee791121e3578ae72d04ecef661f272d59058b77af35"
#define PCR12_ZERO "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"

static void test_no_image(void)
{
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	const struct predict_input in = { .image_count = 0 };
	struct error err = ERROR_INIT;

	ok_int(predict_boot(&in, &log, &err), 0, "no image at all is accepted");
	check_pcr(&log, 4, DIGEST_SHA384, PCR4_NO_IMAGE, "action and separator");
	check_pcr(&log, 7, DIGEST_SHA384, PCR7_OFF, "Secure Boot off, no keys");
	check_pcr(&log, 12, DIGEST_SHA384, PCR12_ZERO, "nothing measured");
	check_events(&log, -1, "7:80000001:variable SecureBoot;7:80000001:variable PK;"
		     "7:80000001:variable KEK;7:80000001:variable db;7:80000001:variable dbx;7:4:separator;"
		     "4:80000007:boot option action;4:4:separator;", "no image");
	ok_int(predict_pcr_mask(&in), 1 << 4 | 1 << 7 | 1 << 12, "PCRs spoken for");
}

static void test_whole_boot(void)
{
	CLEANUP_PREDICTED_UKI struct predicted_uki u;
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct error err = ERROR_INIT;
	const uint8_t *images[1];
	struct predict_input in = {
		.images = images, .image_count = 1, .gpt_event = (const uint8_t *)"gpt", .gpt_event_size = 3,
	};

	predicted_uki_begin(&u, IMAGE_MAGIC("257"));
	predicted_uki_write(&u);
	images[0] = u.image.data;
	in.image_sizes = &u.image.len;
	need(predict_boot(&in, &log, &err) == 0, "a boot is predicted: %s", err.message);
	check_events(&log, -1,
		     "7:80000001:variable SecureBoot;7:80000001:variable PK;7:80000001:variable KEK;"
		     "7:80000001:variable db;7:80000001:variable dbx;7:4:separator;"
		     "4:80000007:boot option action;4:4:separator;5:4:separator;5:80000006:GPT;"
		     "4:80000003:UKI;"
		     "11:d:.linux name;11:d:.linux contents;11:d:.osrel name;11:d:.osrel contents;"
		     "11:d:.cmdline name;11:d:.cmdline contents;11:d:.initrd name;11:d:.initrd contents;"
		     "11:d:.uname name;11:d:.uname contents;11:d:.sbat name;11:d:.sbat contents;"
		     "4:80000003:inner kernel (.linux);9:6:kernel command line;9:6:initrd;"
		     "5:80000007:Exit Boot Services Invocation;"
		     "5:80000007:Exit Boot Services Returned with Success;", "a whole boot");
	ok_int(predict_pcr_mask(&in), 1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 11 | 1 << 12,
	       "PCRs spoken for");
	in.gpt_event = NULL;
	ok_int(predict_pcr_mask(&in), 1 << 4 | 1 << 7 | 1 << 9 | 1 << 11 | 1 << 12, "no PCR 5 without a GPT");
	pcr_log_free(&log);
	need(predict_boot(&in, &log, &err) == 0, "without a GPT: %s", err.message);
	check_events(&log, 5, "", "no PCR 5 without a GPT");
}

/* PCR 5 by hand: the four events' data, hashed and extended one by one. */
static void test_pcr5(void)
{
	static const char *const data[] = { NULL, "gpt data", "Exit Boot Services Invocation",
					    "Exit Boot Services Returned with Success" };
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	const struct predict_input in = { .gpt_event = (const uint8_t *)data[1], .gpt_event_size = 8 };
	struct error err = ERROR_INIT;

	ok_int(strlen(data[2]), 29, "the first action's length");
	ok_int(strlen(data[3]), 40, "the second action's length");
	need(predict_boot(&in, &log, &err) == 0, "a boot is predicted: %s", err.message);
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		size_t size = digest_size((enum digest_alg)alg);
		struct digest value, sum;
		uint8_t both[96] = { 0 };

		for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
			digest_of((enum digest_alg)alg, data[i] ? data[i] : "\0\0\0",
				  data[i] ? strlen(data[i]) : 4, &sum);
			memcpy(both + size, sum.bytes, size);
			digest_of((enum digest_alg)alg, both, 2 * size, &value);
			memcpy(both, value.bytes, size);
		}
		pcr_replay(&log, 5, (enum digest_alg)alg, &sum);
		ok(digest_equal(&value, &sum), "PCR 5 %s", digest_name((enum digest_alg)alg));
	}
}

static void test_chain(void)
{
	CLEANUP_PREDICTED_UKI struct predicted_uki u;
	CLEANUP_BUF struct buf loader = BUF_INIT(65536);
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct error err = ERROR_INIT;
	const uint8_t *images[3];
	size_t sizes[3];
	struct predict_input in = { .images = images, .image_sizes = sizes, .image_count = 2 };

	predicted_uki_begin(&u, IMAGE_MAGIC("257"));
	predicted_uki_write(&u);
	image_kernel(&loader);
	images[0] = images[2] = loader.data;
	sizes[0] = sizes[2] = loader.len;
	images[1] = u.image.data;
	sizes[1] = u.image.len;
	need(predict_boot(&in, &log, &err) == 0, "a loader and a UKI: %s", err.message);
	check_events(&log, 4, "4:80000007:boot option action;4:4:separator;4:80000003:EFI application;"
		     "4:80000003:UKI;4:80000003:inner kernel (.linux);", "a loader, then a UKI");

	pcr_log_free(&log);
	in.image_count = 1;
	need(predict_boot(&in, &log, &err) == 0, "a loader alone: %s", err.message);
	check_events(&log, 11, "", "a loader alone has no UKI sections");
	ok_int(predict_pcr_mask(&in), 1 << 4 | 1 << 7 | 1 << 12, "and its PCR 9 and 11 are not spoken for");

	pcr_log_free(&log);
	in.image_count = 3;
	ok_int(predict_boot(&in, &log, &err), -EINVAL, "nothing can follow a UKI");
	ok_error(&err, "image 2: a UKI starts its own kernel", "and the message names the image");
	ok_int(log.count, 0, "and nothing is predicted");
}

static void test_refused_images(void)
{
	const struct {
		size_t offset;
		uint16_t value;
		const char *message, *what;
	} cases[] = {
		{ 0, 0x5a4e, "no \"MZ\"", "no PE image" },
		{ IMAGE_OPTIONAL + 68, 11, "no EFI application: its subsystem is 11", "a driver" },
	};
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf b = BUF_INIT(65536);
		CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;

		image_kernel(&b);
		write_le16(b.data + cases[i].offset, cases[i].value);
		pcr_log_add_data(&log, 0, EV_SEPARATOR, "there before", "", 0);
		ok_int(predicted_boot(&b, NULL, &log, &err), -EINVAL, "refused: %s", cases[i].what);
		ok_error(&err, cases[i].message, "the message says why: %s", cases[i].what);
		ok_int(log.count, 1, "the log is as it was: %s", cases[i].what);
	}
}

static void test_pe32(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(65536);
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct error err;

	image_kernel(&b);
	memmove(b.data + IMAGE_OPTIONAL + 96 + 128, b.data + IMAGE_TABLE, 40);
	write_le16(b.data + IMAGE_PE + 20, 96 + 128);
	write_le16(b.data + IMAGE_OPTIONAL, 0x10b);
	write_le32(b.data + IMAGE_OPTIONAL + 92, 16);
	ok_int(predicted_boot(&b, NULL, &log, &err), -EINVAL, "a 32-bit image is refused");
	ok_error(&err, "32-bit PE image", "and the message says so");
}

int main(void)
{
	test_no_image();
	test_whole_boot();
	test_pcr5();
	test_chain();
	test_refused_images();
	test_pe32();
	return tap_done();
}
