/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "factory/model/manifest.h"
#include "factory/model/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_MANIFEST struct manifest *m = manifest_new();
	struct proof *p = NULL;
	struct error err = ERROR_INIT;
	int r = proof_parse(data, size, "f", &p, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT) || (r < 0) != !p)
		abort();
	m->pcr_mask = 1u << 4 | 1u << 12;
	/* Of a disk without a digest nothing is a proof. */
	if (r == 0 && proof_check(p, m, p->secure_boot, &err) == 0)
		abort();
	proof_free(p);
	return 0;
}
