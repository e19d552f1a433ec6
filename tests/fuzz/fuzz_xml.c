/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "factory/base/error.h"
#include "upload/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Answers of EC2, STS and CloudFormation. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct xml *x = NULL;
	int r = xml_parse(data, size, "answer", &x, &err);

	if ((r < 0) != (err.kind == ERROR_OUTSIDE) || (r == 0) != (x != NULL))
		abort();
	if (r == 0) {
		const struct xml_node *item = xml_find(xml_root(x), "snapshotSet/item");

		for (; item; item = xml_next(item))
			if (!xml_name(item) || !xml_text(item, NULL))
				abort();
		(void)xml_text(xml_root(x), "AssumeRoleResult/Credentials/AccessKeyId");
	}
	xml_free(x);
	return 0;
}
