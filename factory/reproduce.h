/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_REPRODUCE_H
#define KILN_FACTORY_REPRODUCE_H

struct error;
struct pipeline_options;
struct pipeline_result;

/*
 * Builds once more what pipeline_build() has just built, from the same store but with nothing else of the
 * cache, and under other circumstances as far as this process can change them: another cache and output
 * directory, umask, time zone, locale, and half the processors. Then holds the two against each other.
 *
 * ERROR_VERDICT when they differ; the message names the first difference, and the second build's results
 * stay in OUTPUT/NAME.second. When they are the same nothing of the second build stays.
 */
int reproduce(const struct pipeline_options *options, const struct pipeline_result *first,
	      struct error *err);

#endif
