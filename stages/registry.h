/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_STAGES_REGISTRY_H
#define KILN_STAGES_REGISTRY_H

#include "../factory/model/stage.h"

/* One line a stage; the order in which they run is stage_registry[]'s (registry.c). */
extern const struct stage stage_tools;
extern const struct stage stage_builder;
extern const struct stage stage_programs;
extern const struct stage stage_unpack;
extern const struct stage stage_base;
extern const struct stage stage_config;
extern const struct stage stage_tree;
extern const struct stage stage_kernel;
extern const struct stage stage_erofs;
extern const struct stage stage_verity;
extern const struct stage stage_initrd;
extern const struct stage stage_uki;
extern const struct stage stage_sign;
extern const struct stage stage_esp;
extern const struct stage stage_disk;
extern const struct stage stage_measure;

#endif
