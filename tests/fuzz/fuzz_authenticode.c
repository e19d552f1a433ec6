/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/base/pkcs7.h"
#include "factory/format/authenticode.h"
#include "factory/format/signed_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_blob(const uint8_t *data, size_t size)
{
	CLEANUP_PKCS7 struct pkcs7 *p = pkcs7_open(data, size);
	struct error err = ERROR_INIT;
	struct signed_data s;
	struct digest digest;
	const uint8_t *content = NULL;
	size_t content_size = 0, used = 0;
	int r = signed_data_parse(data, size, &s, &used, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT) || (r == 0 && used > size))
		abort();
	err = (struct error)ERROR_INIT;
	if (r == 0)
		(void)authenticode_content_digest(s.content, &digest, &err);
	if (!p)
		return;
	if (pkcs7_content(p, &content, &content_size) && content_size > size)
		abort();
	(void)pkcs7_verifies(p, content ? content : data, content_size, data, size);
	(void)pkcs7_leads_to(p, data, size);
}

/* The input is a PE image, whose signatures are looked at, or else a signature itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf stripped = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;
	struct der blob;
	struct pe pe;
	size_t at = 0;

	if (pe_parse(data, size, &pe, &err) < 0) {
		try_blob(data, size);
		return 0;
	}
	while (authenticode_next(&pe, &at, &blob)) {
		if (blob.data < data || blob.size > size || blob.data + blob.size > data + size)
			abort();
		try_blob(blob.data, blob.size);
	}
	err = (struct error)ERROR_INIT;
	if (authenticode_strip(&pe, &stripped, &err) == 0 && stripped.len % 8 != 0)
		abort();
	return 0;
}
