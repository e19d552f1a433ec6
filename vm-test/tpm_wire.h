/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_TPM_WIRE_H
#define KILN_VM_TEST_TPM_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pcr_log;

/*
 * What goes over the two connections between QEMU's tpm-emulator and swtpm, as pure functions over
 * bytes: TPM commands and responses (TPM 2.0 Library Specification, Parts 2 and 3), and swtpm's
 * control requests (swtpm_ioctls.h). Everything is big-endian. Fuzzed.
 */

#define TPM_HEADER_SIZE 10
/* libtpms' TPM2_PT_MAX_COMMAND_SIZE and _RESPONSE_SIZE. */
#define TPM_FRAME_MAX 4096

#define TPM_RC_SUCCESS 0
#define TPM_RC_RETRY 0x922

/* The whole frame's length, told by its header: 0 while the header is incomplete, -EBADMSG when
 * it is shorter than a header or longer than TPM_FRAME_MAX. */
ssize_t tpm_frame_size(const uint8_t *data, size_t have);

/*
 * Notes in `log` what one command, having got this response, did to the PCRs. Events get no label
 * and no type: the TPM is told neither. A failed command does nothing; TPM2_Startup(CLEAR) empties
 * the log, since the machine has begun anew; TPM2_PCR_Reset takes that PCR's events out. -EBADMSG:
 * the TPM took a command that cannot be read here, so the log would no longer tell the truth.
 */
int tpm_record(struct pcr_log *log, const uint8_t *command, size_t command_size,
	       const uint8_t *response, size_t response_size);

enum tpm_control {
	TPM_CONTROL_GET_CAPABILITY = 0x01,
	TPM_CONTROL_INIT,
	TPM_CONTROL_SHUTDOWN,
	TPM_CONTROL_GET_ESTABLISHED,
	TPM_CONTROL_SET_LOCALITY,
	TPM_CONTROL_HASH_START,
	TPM_CONTROL_HASH_DATA,
	TPM_CONTROL_HASH_END,
	TPM_CONTROL_CANCEL,
	TPM_CONTROL_STORE_VOLATILE,
	TPM_CONTROL_RESET_ESTABLISHED,
	TPM_CONTROL_GET_STATEBLOB,
	TPM_CONTROL_SET_STATEBLOB,
	TPM_CONTROL_STOP,
	TPM_CONTROL_GET_CONFIG,
	TPM_CONTROL_SET_DATAFD,
	TPM_CONTROL_SET_BUFFERSIZE,
	TPM_CONTROL_GET_INFO,
	TPM_CONTROL_LOCK_STORAGE,
};

#define TPM_CONTROL_MAX 8192

/* The whole control request's length: 0 while that cannot be told yet, -EBADMSG for an unknown
 * request or one longer than TPM_CONTROL_MAX (QEMU sends state blobs only when migrating). */
ssize_t tpm_control_size(const uint8_t *data, size_t have);

#endif
