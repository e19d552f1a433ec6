/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/format/pcr.h"
#include "tests/unit/tap.h"
#include "vm-test/tpm_wire.h"

/* Frames are written as hex pieces, so that a case reads like the specification's tables. */
struct bytes {
	uint8_t data[512];
	size_t size;
};

static void add_hex(struct bytes *b, const char *hex)
{
	for (; hex[0] && hex[1]; hex += 2) {
		char pair[3] = { hex[0], hex[1], '\0' };

		b->data[b->size++] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

static void add_fill(struct bytes *b, uint8_t byte, size_t size)
{
	memset(b->data + b->size, byte, size);
	b->size += size;
}

static void frame_begin(struct bytes *b, const char *tag, const char *code)
{
	b->size = 0;
	add_hex(b, tag);
	add_hex(b, "00000000");
	add_hex(b, code);
}

static void frame_end(struct bytes *b)
{
	write_be32(b->data + 2, (uint32_t)b->size);
}

static const char password_session[] = "00000009400000090000010000";

static void extend_begin(struct bytes *b, const char *pcr, const char *count)
{
	frame_begin(b, "8002", "00000182");
	add_hex(b, pcr);
	add_hex(b, password_session);
	add_hex(b, count);
}

static void success(struct bytes *b)
{
	frame_begin(b, "8002", "00000000");
	add_hex(b, "000000000000010000");
	frame_end(b);
}

static int record(struct pcr_log *log, const struct bytes *command, const struct bytes *response)
{
	return tpm_record(log, command->data, command->size, response->data, response->size);
}

static void test_extend(void)
{
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct bytes command, response;

	/* SHA-1, SHA-256, SHA-384 and SHA-512, as firmware with all of them sends. */
	extend_begin(&command, "00000004", "00000004");
	add_hex(&command, "0004");
	add_fill(&command, 0x11, 20);
	add_hex(&command, "000b");
	add_fill(&command, 0x22, 32);
	add_hex(&command, "000c");
	add_fill(&command, 0x33, 48);
	add_hex(&command, "000d");
	add_fill(&command, 0x44, 64);
	frame_end(&command);
	success(&response);

	ok_int(record(&log, &command, &response), 0, "an extend in four banks is read");
	need(log.count == 1, "and is one event");
	ok_int(log.events[0].pcr, 4, "of PCR 4");
	ok_int(log.events[0].digests[DIGEST_SHA256].bytes[31], 0x22, "with the SHA-256 digest");
	ok_int(log.events[0].digests[DIGEST_SHA384].bytes[47], 0x33, "and the SHA-384 digest");
	ok(!log.events[0].absent[DIGEST_SHA256] && !log.events[0].absent[DIGEST_SHA384],
	   "neither bank is absent");

	write_be32(response.data + 6, 0x907);
	ok(record(&log, &command, &response) == 0 && log.count == 1,
	   "an extend the TPM refused is not recorded");

	success(&response);
	for (size_t size = TPM_HEADER_SIZE; size < command.size; size++) {
		if (tpm_record(&log, command.data, size, response.data, response.size) == 0) {
			ok(false, "cut to %zu bytes it is refused", size);
			return;
		}
	}
	ok(log.count == 1, "cut anywhere it is refused and not recorded");
}

static void test_extend_banks(void)
{
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct bytes command, response;

	success(&response);
	extend_begin(&command, "0000000b", "00000001");
	add_hex(&command, "000c");
	add_fill(&command, 0x33, 48);
	frame_end(&command);
	ok_int(record(&log, &command, &response), 0, "an extend in one bank is read");
	ok(log.count == 1 && log.events[0].absent[DIGEST_SHA256] &&
	   !log.events[0].absent[DIGEST_SHA384], "the other bank is absent");

	extend_begin(&command, "0000000b", "00000002");
	add_hex(&command, "000b");
	add_fill(&command, 0x01, 32);
	add_hex(&command, "000b");
	add_fill(&command, 0x02, 32);
	frame_end(&command);
	ok(record(&log, &command, &response) == 0 && log.count == 3 &&
	   log.events[1].digests[DIGEST_SHA256].bytes[0] == 1 &&
	   log.events[2].digests[DIGEST_SHA256].bytes[0] == 2,
	   "one bank named twice is extended twice");

	extend_begin(&command, "0000000b", "00000001");
	add_hex(&command, "0004");
	add_fill(&command, 0x11, 20);
	frame_end(&command);
	ok(record(&log, &command, &response) == 0 && log.count == 3,
	   "an extend in no bank that counts is no event");

	extend_begin(&command, "40000007", "00000001");
	ok(record(&log, &command, &response) == 0 && log.count == 3, "TPM_RH_NULL extends nothing");

	extend_begin(&command, "00000018", "00000000");
	ok_int(record(&log, &command, &response), -EBADMSG, "there is no PCR 24");
	extend_begin(&command, "00000001", "00000001");
	add_hex(&command, "7fff");
	add_fill(&command, 0, 64);
	ok_int(record(&log, &command, &response), -EBADMSG, "an unknown algorithm is refused");
	extend_begin(&command, "00000001", "ffffffff");
	ok_int(record(&log, &command, &response), -EBADMSG, "a count beyond the frame is refused");
}

static void add_results(struct bytes *response)
{
	frame_begin(response, "8002", "00000000");
	add_hex(response, "00000058" "00000002" "000b");
	add_fill(response, 0x55, 32);
	add_hex(response, "000c");
	add_fill(response, 0x66, 48);
	add_hex(response, "0000010000");
	frame_end(response);
}

static void test_event(void)
{
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct bytes command, response;

	add_results(&response);
	frame_begin(&command, "8002", "0000013c");
	add_hex(&command, "00000007");
	add_hex(&command, password_session);
	add_hex(&command, "0003616263");
	frame_end(&command);
	ok_int(record(&log, &command, &response), 0, "TPM2_PCR_Event is read");
	ok(log.count == 1 && log.events[0].pcr == 7 &&
	   log.events[0].digests[DIGEST_SHA384].bytes[0] == 0x66,
	   "its digests are taken from the response");
	write_be32(command.data + 6, 0x185);
	ok(record(&log, &command, &response) == 0 && log.count == 2,
	   "so are those of TPM2_EventSequenceComplete");
	ok_int(tpm_record(&log, command.data, command.size, response.data, 40), -EBADMSG,
	       "a response that is cut is refused");
}

static void test_reset(void)
{
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct bytes command, response;

	success(&response);
	pcr_log_add_data(&log, 16, 0, "", "a", 1);
	pcr_log_add_data(&log, 4, 0, "", "b", 1);
	pcr_log_add_data(&log, 16, 0, "", "c", 1);
	frame_begin(&command, "8002", "0000013d");
	add_hex(&command, "00000010");
	add_hex(&command, password_session);
	frame_end(&command);
	ok(record(&log, &command, &response) == 0 && log.count == 1 && log.events[0].pcr == 4,
	   "TPM2_PCR_Reset takes out that PCR's events only");

	frame_begin(&command, "8001", "00000144");
	add_hex(&command, "0001");
	frame_end(&command);
	ok(record(&log, &command, &response) == 0 && log.count == 1, "Startup(STATE) keeps the log");
	command.data[11] = 0;
	write_be32(response.data + 6, 0x100);
	ok(record(&log, &command, &response) == 0 && log.count == 1,
	   "a second Startup(CLEAR), refused by the TPM, keeps it");
	success(&response);
	ok(record(&log, &command, &response) == 0 && log.count == 0, "Startup(CLEAR) empties it");
	ok_int(tpm_record(&log, command.data, 11, response.data, response.size), -EBADMSG,
	       "a Startup without its type is refused");
}

static void test_sizes(void)
{
	static const struct {
		const char *hex;
		ssize_t size;
		const char *what;
	} frames[] = {
		{ "", 0, "nothing" },
		{ "80010000000a000001", 0, "nine bytes" },
		{ "80010000000a00000181", 10, "the shortest frame" },
		{ "80010000100000000181", 4096, "the longest frame" },
		{ "80010000100100000181", -EBADMSG, "one byte longer" },
		{ "80010000000900000181", -EBADMSG, "a frame shorter than its header" },
		{ "8001ffffffff00000181", -EBADMSG, "the longest number" },
	}, requests[] = {
		{ "000000", 0, "three bytes" },
		{ "00000001", 4, "GET_CAPABILITY" },
		{ "00000002", 8, "INIT" },
		{ "00000005", 8, "SET_LOCALITY" },
		{ "00000010", 4, "SET_DATAFD" },
		{ "00000012", 20, "GET_INFO" },
		{ "0000000d0000000000000001", 0, "SET_STATEBLOB without its length" },
		{ "0000000d000000000000000100000010", 32, "SET_STATEBLOB with 16 bytes" },
		{ "0000000d0000000000000001ffffffff", -EBADMSG, "SET_STATEBLOB with 4 GiB" },
		{ "00000006", -EBADMSG, "HASH_START" },
		{ "00000000", -EBADMSG, "request 0" },
		{ "00000014", -EBADMSG, "an unknown request" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		struct bytes b = { .size = 0 };

		add_hex(&b, frames[i].hex);
		ok_int(tpm_frame_size(b.data, b.size), frames[i].size, "frame size: %s",
		       frames[i].what);
	}
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		struct bytes b = { .size = 0 };

		add_hex(&b, requests[i].hex);
		ok_int(tpm_control_size(b.data, b.size), requests[i].size, "control size: %s",
		       requests[i].what);
	}
}

int main(void)
{
	test_extend();
	test_extend_banks();
	test_event();
	test_reset();
	test_sizes();
	return tap_done();
}
