/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_TREE_ATTRIBUTE_H
#define KILN_ROOTFS_TREE_ATTRIBUTE_H

#include <stddef.h>

/* An extended attribute of a name in a tree. */
struct tree_attribute {
	char *name;
	void *value;
	size_t size;
};

#endif
