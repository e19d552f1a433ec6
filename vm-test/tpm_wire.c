/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm_wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../factory/base/bytes.h"
#include "../factory/base/cleanup.h"
#include "../factory/format/pcr.h"

#define TPM_RH_NULL 0x40000007

#define TPM_CC_PCR_EVENT 0x13C
#define TPM_CC_PCR_RESET 0x13D
#define TPM_CC_STARTUP 0x144
#define TPM_CC_PCR_EXTEND 0x182
#define TPM_CC_EVENT_SEQUENCE_COMPLETE 0x185

#define TPM_SU_CLEAR 0

/* An unread rest of a frame. A read past the end gives zeros and sets `bad`, so that a parser can
 * read in a row and check once. */
struct cursor {
	const uint8_t *data;
	size_t size;
	bool bad;
};

static const uint8_t *take(struct cursor *c, size_t size)
{
	static const uint8_t zeros[4];
	const uint8_t *at = c->data;

	if (size > c->size) {
		c->bad = true;
		c->size = 0;
		return zeros;
	}
	c->data += size;
	c->size -= size;
	return at;
}

static uint16_t take_u16(struct cursor *c)
{
	return read_be16(take(c, 2));
}

static uint32_t take_u32(struct cursor *c)
{
	return read_be32(take(c, 4));
}

/* Part 2, 9.2 and the algorithm registry: every digest that an extend may carry, so that those of
 * banks Kiln does not follow can be stepped over. */
static size_t tpm_digest_size(uint16_t id)
{
	switch (id) {
	case 0x0004: /* SHA-1 */
		return 20;
	case 0x000B: /* SHA-256 */
	case 0x0012: /* SM3-256 */
	case 0x0027: /* SHA3-256 */
		return 32;
	case 0x000C: /* SHA-384 */
	case 0x0028: /* SHA3-384 */
		return 48;
	case 0x000D: /* SHA-512 */
	case 0x0029: /* SHA3-512 */
		return 64;
	}
	return 0;
}

static void event_begin(struct pcr_event *e, unsigned int pcr)
{
	*e = (struct pcr_event){ .pcr = pcr };
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		e->digests[alg].alg = (enum digest_alg)alg;
		e->absent[alg] = true;
	}
}

static void event_finish(struct pcr_log *log, const struct pcr_event *e)
{
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		if (!e->absent[alg]) {
			pcr_log_add(log, e);
			return;
		}
	}
}

/* TPML_DIGEST_VALUES. The same bank may be named twice and is then extended twice: two events. */
static int record_digests(struct pcr_log *log, unsigned int pcr, struct cursor *c)
{
	struct pcr_event event;
	uint32_t count = take_u32(c);

	event_begin(&event, pcr);
	for (uint32_t i = 0; i < count && !c->bad; i++) {
		uint16_t id = take_u16(c);
		size_t size = tpm_digest_size(id);
		enum digest_alg alg;
		const uint8_t *bytes;

		if (!size || size > c->size)
			return -EBADMSG;
		bytes = take(c, size);
		if (digest_from_tpm_id(id, &alg) < 0)
			continue;
		if (!event.absent[alg]) {
			event_finish(log, &event);
			event_begin(&event, pcr);
		}
		event.absent[alg] = false;
		memcpy(event.digests[alg].bytes, bytes, size);
	}
	if (c->bad)
		return -EBADMSG;
	event_finish(log, &event);
	return 0;
}

/* The PCR a command names first; TPM_RH_NULL is allowed where a PCR is, and extends nothing. */
static int take_pcr(struct cursor *command, unsigned int *ret)
{
	uint32_t handle = take_u32(command);

	if (command->bad || (handle >= PCR_COUNT && handle != TPM_RH_NULL))
		return -EBADMSG;
	*ret = handle;
	return 0;
}

static int record_extend(struct pcr_log *log, struct cursor *command, struct cursor *response)
{
	unsigned int pcr;

	(void)response; /* carries nothing but the result */
	if (take_pcr(command, &pcr) < 0)
		return -EBADMSG;
	if (pcr == TPM_RH_NULL)
		return 0;
	take(command, take_u32(command)); /* authorization area */
	return record_digests(log, pcr, command);
}

/* TPM2_PCR_Event and TPM2_EventSequenceComplete: the TPM hashes, and answers with the digests. */
static int record_event(struct pcr_log *log, struct cursor *command, struct cursor *response)
{
	unsigned int pcr;

	if (take_pcr(command, &pcr) < 0)
		return -EBADMSG;
	if (pcr == TPM_RH_NULL)
		return 0;
	take_u32(response); /* parameter size: the command has sessions, so its response has too */
	return record_digests(log, pcr, response);
}

static int record_reset(struct pcr_log *log, struct cursor *command, struct cursor *response)
{
	unsigned int pcr;
	size_t kept = 0;

	(void)response;
	if (take_pcr(command, &pcr) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < log->count; i++) {
		if (log->events[i].pcr != pcr)
			log->events[kept++] = log->events[i];
	}
	log->count = kept;
	return 0;
}

static int record_startup(struct pcr_log *log, struct cursor *command, struct cursor *response)
{
	uint16_t type = take_u16(command);

	(void)response;
	if (command->bad)
		return -EBADMSG;
	/* After Startup(STATE), a resume, the PCRs go on from where they were. */
	if (type == TPM_SU_CLEAR)
		pcr_log_free(log);
	return 0;
}

/* The commands that change PCRs. A cursor stands behind the header: at the handles in a command,
 * at the parameters (none of these responses has a handle) in a response. */
static const struct recorder {
	uint32_t code;
	int (*record)(struct pcr_log *log, struct cursor *command, struct cursor *response);
} recorders[] = {
	{ TPM_CC_PCR_EVENT, record_event },
	{ TPM_CC_PCR_RESET, record_reset },
	{ TPM_CC_STARTUP, record_startup },
	{ TPM_CC_PCR_EXTEND, record_extend },
	{ TPM_CC_EVENT_SEQUENCE_COMPLETE, record_event },
};

int tpm_record(struct pcr_log *log, const uint8_t *command, size_t command_size,
	       const uint8_t *response, size_t response_size)
{
	struct cursor c, r;
	uint32_t code;

	if (command_size < TPM_HEADER_SIZE || response_size < TPM_HEADER_SIZE)
		return -EBADMSG;
	if (read_be32(response + 6) != TPM_RC_SUCCESS)
		return 0;
	c = (struct cursor){ command + TPM_HEADER_SIZE, command_size - TPM_HEADER_SIZE, false };
	r = (struct cursor){ response + TPM_HEADER_SIZE, response_size - TPM_HEADER_SIZE, false };
	code = read_be32(command + 6);
	for (size_t i = 0; i < ARRAY_SIZE(recorders); i++) {
		if (recorders[i].code == code)
			return recorders[i].record(log, &c, &r);
	}
	return 0;
}

ssize_t tpm_frame_size(const uint8_t *data, size_t have)
{
	uint32_t size;

	if (have < TPM_HEADER_SIZE)
		return 0;
	size = read_be32(data + 2);
	if (size < TPM_HEADER_SIZE || size > TPM_FRAME_MAX)
		return -EBADMSG;
	return (ssize_t)size;
}

/* Bytes after the command word, without a variable tail. QEMU sends the whole union member, so a
 * one-byte locality takes four. The HASH requests would extend PCRs beside the data connection;
 * QEMU has no dynamic launch and never sends them, so they are refused rather than missed. */
static int control_body_size(uint32_t command)
{
	switch (command) {
	case TPM_CONTROL_GET_CAPABILITY:
	case TPM_CONTROL_SHUTDOWN:
	case TPM_CONTROL_GET_ESTABLISHED:
	case TPM_CONTROL_CANCEL:
	case TPM_CONTROL_STORE_VOLATILE:
	case TPM_CONTROL_STOP:
	case TPM_CONTROL_GET_CONFIG:
	case TPM_CONTROL_SET_DATAFD:
		return 0;
	case TPM_CONTROL_INIT:
	case TPM_CONTROL_SET_LOCALITY:
	case TPM_CONTROL_RESET_ESTABLISHED:
	case TPM_CONTROL_SET_BUFFERSIZE:
	case TPM_CONTROL_LOCK_STORAGE:
		return 4;
	case TPM_CONTROL_GET_STATEBLOB:
	case TPM_CONTROL_SET_STATEBLOB:
		return 12;
	case TPM_CONTROL_GET_INFO:
		return 16;
	}
	return -1;
}

ssize_t tpm_control_size(const uint8_t *data, size_t have)
{
	uint64_t size;
	uint32_t command;
	int body;

	if (have < 4)
		return 0;
	command = read_be32(data);
	body = control_body_size(command);
	if (body < 0)
		return -EBADMSG;
	size = 4 + (uint64_t)body;
	if (command == TPM_CONTROL_SET_STATEBLOB) {
		/* Flags, type, and the length of the blob that follows. */
		if (have < size)
			return 0;
		size += read_be32(data + size - 4);
	}
	return size > TPM_CONTROL_MAX ? -EBADMSG : (ssize_t)size;
}
