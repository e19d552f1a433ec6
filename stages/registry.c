/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include <stddef.h>

/*
 * Every stage after those whose artifacts it reads. The appliance runs for base and config alone; what
 * needs none comes before, so that it is not kept waiting.
 */
const struct stage *const stage_registry[] = {
	&stage_tools,
	&stage_builder,
	&stage_programs,
	&stage_unpack,
	&stage_base,
	&stage_config,
	&stage_tree,
	&stage_kernel,
	&stage_erofs,
	&stage_verity,
	&stage_initrd,
	&stage_uki,
	&stage_sign,
	&stage_esp,
	&stage_disk,
	&stage_measure,
	NULL,
};
