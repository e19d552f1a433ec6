/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_FULL_DISK_H
#define KILN_FACTORY_FULL_DISK_H

struct error;

/*
 * To be asked when something that writes below `directory` has failed: if it did for want of room, says so in front
 * of the error, with what is left there and `remedy`, what to do about it. Returns the error's own negative errno.
 */
int full_disk_explain(const char *directory, const char *remedy, struct error *err);

/* Likewise for Kiln's cache, whose remedies are the same for all who write there. */
int full_disk_explain_cache(const char *cache, struct error *err);

#endif
