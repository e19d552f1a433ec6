/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/bytes.h"
#include "factory/format/pcr.h"
#include "vm-test/tpm_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two bytes say how long the command is; the response is the rest. */
static void fuzz_record(const uint8_t *data, size_t size)
{
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	size_t command_size = read_le16(data), response_size;
	uint8_t *command, *response;

	size -= 2;
	if (command_size > size)
		command_size = size;
	response_size = size - command_size;
	/* Each in memory of exactly its size, so that the sanitizer sees every read past it. */
	command = malloc(command_size + 1);
	response = malloc(response_size + 1);
	if (!command || !response)
		abort();
	memcpy(command + 1, data + 2, command_size);
	memcpy(response + 1, data + 2 + command_size, response_size);
	pcr_log_add_data(&log, 16, 0, "", "x", 1);
	(void)tpm_record(&log, command + 1, command_size, response + 1, response_size);
	for (size_t i = 0; i < log.count; i++) {
		if (log.events[i].pcr >= PCR_COUNT || (log.events[i].absent[DIGEST_SHA256] &&
						       log.events[i].absent[DIGEST_SHA384]))
			abort();
	}
	free(command);
	free(response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ssize_t n = tpm_frame_size(data, size);

	if (n > 0 && (n < TPM_HEADER_SIZE || n > TPM_FRAME_MAX))
		abort();
	n = tpm_control_size(data, size);
	if (n > 0 && (n < 4 || n > TPM_CONTROL_MAX))
		abort();
	if (size >= 2)
		fuzz_record(data, size);
	return 0;
}
