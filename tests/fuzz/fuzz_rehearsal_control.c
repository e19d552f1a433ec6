/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/buf.h"
#include "factory/base/error.h"
#include "upload/rehearsal/fault.h"
#include "upload/rehearsal/settings.h"
#include "upload/rehearsal/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_faults(const char *text, size_t size)
{
	struct fault_situation s = { .operation = "PutSnapshotBlock", .under_way = 2 };
	struct buf out = BUF_INIT(SIZE_MAX);
	struct faults faults = { .count = 0 };
	struct error err = ERROR_INIT;
	struct fault f;
	int r = faults_parse(text, size, &faults, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT) || (r < 0 && faults.count))
		abort();
	for (int i = 0; i < 3; i++)
		faults_take(&faults, &s, &f);
	for (size_t i = 0; i < faults.count; i++)
		if (faults.items[i].times && faults.items[i].hit > faults.items[i].times)
			abort();
	faults_format(&faults, &out);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_TEMPLATE struct template t = TEMPLATE_INIT;
	struct settings settings = SETTINGS_INIT;
	struct error err = ERROR_INIT;
	const char *text = (const char *)data;

	try_faults(text, size);
	if ((settings_parse(text, size, &settings, &err) < 0) != (err.kind == ERROR_INPUT))
		abort();
	err = (struct error)ERROR_INIT;
	if ((template_parse(text, size, &t, &err) < 0) != (err.kind == ERROR_INPUT))
		abort();
	return 0;
}
