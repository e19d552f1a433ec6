/* SPDX-License-Identifier: Apache-2.0 */
#include "share.h"

#include <string.h>

#include "../factory/base/arguments.h"
#include "../factory/base/error.h"
#include "ec2.h"
#include "form.h"

#define ACCOUNT_DIGITS 12

static bool is_account(const char *text)
{
	return strlen(text) == ACCOUNT_DIGITS && strspn(text, "0123456789") == ACCOUNT_DIGITS;
}

/* "arn:aws:organizations::123456789012:organization/o-..." and ":ou/o-.../ou-..." */
static const char *kind_of(const char *text)
{
	bool organizations = strncmp(text, "arn:", 4) == 0 && strstr(text, ":organizations:");

	if (is_account(text))
		return "UserId";
	if (organizations && strstr(text, ":organization/o-"))
		return "OrganizationArn";
	if (organizations && strstr(text, ":ou/o-"))
		return "OrganizationalUnitArn";
	return NULL;
}

int share_check(const struct argument_list *with, struct error *err)
{
	for (unsigned int i = 0; i < with->count; i++)
		if (!kind_of(with->items[i]))
			return error_input(err, "--share %s: neither an account of 12 digits nor the ARN of an organisation or a unit of one",
					   with->items[i]);
	return 0;
}

void share_form(const char *image, const struct argument_list *with, bool everybody, struct form *ret)
{
	unsigned int n = 0;

	form_add(ret, image, "ImageId");
	for (unsigned int i = 0; i < with->count; i++)
		form_add(ret, with->items[i], "LaunchPermission.Add.%u.%s", ++n, kind_of(with->items[i]));
	if (everybody)
		form_add(ret, "all", "LaunchPermission.Add.%u.Group", ++n);
}

static int share_snapshot(struct aws *a, const char *snapshot, const struct argument_list *with, struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;
	unsigned int n = 0;

	form_add(&form, snapshot, "SnapshotId");
	form_add(&form, "createVolumePermission", "Attribute");
	form_add(&form, "add", "OperationType");
	for (unsigned int i = 0; i < with->count; i++)
		if (is_account(with->items[i]))
			form_add(&form, with->items[i], "UserId.%u", ++n);
	return n ? ec2_call(a, "ModifySnapshotAttribute", &form, NULL, err) : 0;
}

int share_image(struct aws *a, const char *image, const char *snapshot, const struct argument_list *with, bool everybody,
		struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;
	int r;

	if (with->count == 0 && !everybody)
		return 0;
	share_form(image, with, everybody, &form);
	r = ec2_call(a, "ModifyImageAttribute", &form, NULL, err);
	return r < 0 ? r : share_snapshot(a, snapshot, with, err);
}
