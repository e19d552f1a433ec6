/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include <stddef.h>

/*
 * Every stage after those whose artifacts it reads. Programs come before base because they touch no
 * layer: the target disk then goes from empty to base to config in one appliance session.
 */
const struct stage *const stage_registry[] = {
	&stage_builder,
	&stage_programs,
	&stage_base,
	&stage_config,
	&stage_kernel,
	&stage_erofs,
	&stage_verity,
	&stage_initrd,
	&stage_uki,
	&stage_esp,
	&stage_disk,
	&stage_measure,
	NULL,
};
