/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "../factory/base/buf.h"
#include "../factory/base/bytes.h"
#include "../factory/base/error.h"
#include "tpm_proxy.h"
#include "tpm_wire.h"

#define COMMAND_MAX 128
#define PCR_BYTES (PCR_COUNT / 8)

/* A bit a PCR, as in TPMS_PCR_SELECTION. */
typedef uint32_t pcr_set;

struct counter {
	bool known;
	UINT32 value;
};

static int mu_error(struct error *err, TSS2_RC rc, const char *what)
{
	return error_outside(err, "tpm2-tss cannot %s TPM2_PCR_Read (0x%x)", what, rc);
}

static int make_command(enum digest_alg alg, pcr_set set, uint8_t data[static COMMAND_MAX],
			size_t *ret_size, struct error *err)
{
	TPML_PCR_SELECTION selection = { .count = 1 };
	size_t end = TPM_HEADER_SIZE, at = 0;
	TSS2_RC rc;

	selection.pcrSelections[0].hash = digest_tpm_id(alg);
	selection.pcrSelections[0].sizeofSelect = PCR_BYTES;
	for (int i = 0; i < PCR_BYTES; i++)
		selection.pcrSelections[0].pcrSelect[i] = (BYTE)(set >> (8 * i));
	/* The parameters first: the header tells their length. */
	rc = Tss2_MU_TPML_PCR_SELECTION_Marshal(&selection, data, COMMAND_MAX, &end);
	if (!rc)
		rc = Tss2_MU_TPM2_ST_Marshal(TPM2_ST_NO_SESSIONS, data, COMMAND_MAX, &at);
	if (!rc)
		rc = Tss2_MU_UINT32_Marshal((UINT32)end, data, COMMAND_MAX, &at);
	if (!rc)
		rc = Tss2_MU_TPM2_CC_Marshal(TPM2_CC_PCR_Read, data, COMMAND_MAX, &at);
	if (rc)
		return mu_error(err, rc, "write");
	*ret_size = end;
	return 0;
}

/* Which PCRs the TPM gave values of: it may give fewer than it was asked for. */
static pcr_set selected(const TPML_PCR_SELECTION *selection, enum digest_alg alg)
{
	pcr_set set = 0;

	for (UINT32 i = 0; i < selection->count; i++) {
		const TPMS_PCR_SELECTION *s = &selection->pcrSelections[i];

		if (s->hash != digest_tpm_id(alg))
			continue;
		for (int byte = 0; byte < s->sizeofSelect && byte < PCR_BYTES; byte++)
			set |= (pcr_set)s->pcrSelect[byte] << (8 * byte);
	}
	return set;
}

static int store_values(const TPML_DIGEST *values, enum digest_alg alg, pcr_set set,
			struct digest ret[static PCR_COUNT][DIGEST_ALGS], struct error *err)
{
	UINT32 next = 0;

	for (int pcr = 0; pcr < PCR_COUNT; pcr++) {
		if (!(set & (pcr_set)1 << pcr))
			continue;
		if (next >= values->count || values->digests[next].size != digest_size(alg))
			return error_outside(err, "the TPM's list of PCR values is malformed");
		ret[pcr][alg].alg = alg;
		memcpy(ret[pcr][alg].bytes, values->digests[next].buffer, digest_size(alg));
		next++;
	}
	return 0;
}

static int read_response(const struct buf *response, enum digest_alg alg, struct counter *counter,
			 struct digest ret[static PCR_COUNT][DIGEST_ALGS], pcr_set *ret_set,
			 struct error *err)
{
	TPML_PCR_SELECTION selection = { 0 };
	TPML_DIGEST values = { 0 };
	size_t at = TPM_HEADER_SIZE;
	UINT32 updates = 0, code = read_be32(response->data + 6);
	pcr_set set;
	TSS2_RC rc;

	if (code)
		return error_outside(err, "the TPM refused TPM2_PCR_Read with 0x%x", code);
	rc = Tss2_MU_UINT32_Unmarshal(response->data, response->len, &at, &updates);
	if (!rc)
		rc = Tss2_MU_TPML_PCR_SELECTION_Unmarshal(response->data, response->len, &at,
							  &selection);
	if (!rc)
		rc = Tss2_MU_TPML_DIGEST_Unmarshal(response->data, response->len, &at, &values);
	if (rc)
		return mu_error(err, rc, "read the response to");
	set = selected(&selection, alg);
	if (!set)
		return error_outside(err, "the TPM has no %s bank", digest_name(alg));
	if (counter->known && counter->value != updates)
		return error_outside(err, "a PCR changed while the PCRs were read");
	*counter = (struct counter){ true, updates };
	*ret_set = set;
	return store_values(&values, alg, set, ret, err);
}

static int read_some(struct tpm_proxy *proxy, enum digest_alg alg, pcr_set wanted,
		     struct counter *counter, struct digest ret[static PCR_COUNT][DIGEST_ALGS],
		     pcr_set *ret_set, struct error *err)
{
	CLEANUP_BUF struct buf response = BUF_INIT(TPM_FRAME_MAX);
	uint8_t command[COMMAND_MAX];
	size_t size = 0;
	int r;

	r = make_command(alg, wanted, command, &size, err);
	if (r == 0)
		r = tpm_proxy_command(proxy, command, size, &response, err);
	if (r == 0)
		r = read_response(&response, alg, counter, ret, ret_set, err);
	return r;
}

int verify_read_pcrs(struct tpm_proxy *proxy, struct digest ret[static PCR_COUNT][DIGEST_ALGS],
		     struct error *err)
{
	struct digest values[PCR_COUNT][DIGEST_ALGS] = { 0 };
	struct counter counter = { 0 };

	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		pcr_set left = ((pcr_set)1 << PCR_COUNT) - 1, got = 0;

		/* TPML_DIGEST holds eight: the TPM takes the lowest of those asked for. */
		for (; left; left &= ~got) {
			if (read_some(proxy, (enum digest_alg)alg, left, &counter, values, &got,
				      err) < 0)
				return error_wrap(err, "reading the PCRs");
			if (!(left & got))
				return error_outside(err, "the TPM does not answer for all PCRs");
		}
	}
	memcpy(ret, values, sizeof(values));
	return 0;
}
