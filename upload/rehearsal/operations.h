/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_OPERATIONS_H
#define KILN_REHEARSAL_OPERATIONS_H

#include "call.h"

/* One table a file; each ends with a NULL name. */
extern const struct operation ebs_operations[];
extern const struct operation ec2_snapshot_operations[];
extern const struct operation ec2_image_operations[];
extern const struct operation ec2_copy_operations[];
extern const struct operation ec2_attribute_operations[];
extern const struct operation sts_operations[];
extern const struct operation cloudformation_operations[];
extern const struct operation place_operations[];
extern const struct operation control_operations[];

#endif
