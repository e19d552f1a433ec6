/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/format/predict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One X.509 entry, so that Secure Boot is on and signatures are looked at. */
static const uint8_t keys_esl[28 + 16 + 4] = {
	0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72,
	sizeof(keys_esl), 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, [44] = 'c', 'e', 'r', 't',
};

static void sections_lie_inside(const struct pe *pe)
{
	for (unsigned int i = 0; i < pe->section_count; i++) {
		const uint8_t *bytes;
		size_t size;

		pe_section_bytes(pe, &pe->sections[i], &bytes, &size);
		if (bytes < pe->data || size > pe->size - (size_t)(bytes - pe->data))
			abort();
		if (!pe_find(pe, pe->sections[i].name))
			abort();
	}
}

static void predict(const uint8_t *data, size_t size, const struct predict_keys *keys)
{
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	const struct predict_input in = {
		.images = &data, .image_sizes = &size, .image_count = 1, .keys = keys,
	};
	struct error err = ERROR_INIT;
	uint32_t mask = predict_pcr_mask(&in);
	int r = predict_boot(&in, &log, &err);

	if ((r < 0) != (err.kind != ERROR_NONE) || (r < 0 && log.count > 0))
		abort();
	for (size_t i = 0; i < log.count; i++)
		if (!(mask & 1u << log.events[i].pcr))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct predict_keys keys = { .pk = keys_esl, .db = keys_esl, .pk_size = sizeof(keys_esl),
					   .db_size = sizeof(keys_esl) };
	struct error err = ERROR_INIT;
	struct digest digest;
	struct pe pe;

	if (pe_parse(data, size, &pe, &err) == 0) {
		sections_lie_inside(&pe);
		for (int alg = 0; alg < DIGEST_ALGS; alg++)
			(void)pe_authenticode(&pe, (enum digest_alg)alg, &digest, &err);
	}
	predict(data, size, NULL);
	predict(data, size, &keys);
	return 0;
}
