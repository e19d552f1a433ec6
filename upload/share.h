/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_SHARE_H
#define KILN_UPLOAD_SHARE_H

#include <stdbool.h>

struct argument_list;
struct aws;
struct error;
struct form;

/* Who else may launch an image. */

/* ERROR_INPUT: neither an account (12 digits) nor the ARN of an organisation or of a unit of one. */
int share_check(const struct argument_list *with, struct error *err);
/* Pure: the parameters of ModifyImageAttribute. */
void share_form(const char *image, const struct argument_list *with, bool everybody, struct form *ret);

/* Lets them launch the image; accounts may also make volumes of its snapshot, which copying it takes. */
int share_image(struct aws *a, const char *image, const char *snapshot, const struct argument_list *with, bool everybody,
		struct error *err);

#endif
