/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_PUBLISH_H
#define KILN_FACTORY_PUBLISH_H

struct artifacts;
struct error;

/* The artifacts that make up a build's results, NULL-terminated. */
extern const char *const publish_artifacts[];

/*
 * Puts the results into `directory`, which exists: RESULT.raw, RESULT.packages, pcr_measurements.json,
 * manifest.json. All are copied beside their places first, then renamed; what was there of an earlier
 * build goes before the first and the manifest comes last, so that no moment shows a manifest beside
 * a disk it does not describe.
 */
int publish(const struct artifacts *artifacts, const char *directory, const char *result,
	    struct error *err);

#endif
