/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/arguments.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "aws.h"
#include "commands.h"

#define STS_VERSION "2011-06-15"

static int print_identity(const struct aws_options *options, struct error *err)
{
	static const struct aws_pair parameters[] = { { "Action", "GetCallerIdentity" } };
	CLEANUP_AWS struct aws *a = NULL;
	CLEANUP_XML struct xml *answer = NULL;
	const char *account, *arn;
	int r = aws_open(options, &a, err);

	if (r == 0)
		r = aws_query(a, "sts", STS_VERSION, parameters, ARRAY_SIZE(parameters), &answer, err);
	if (r < 0)
		return r;
	account = xml_text(xml_root(answer), "GetCallerIdentityResult/Account");
	arn = xml_text(xml_root(answer), "GetCallerIdentityResult/Arn");
	if (!account || !arn)
		return error_outside(err, "sts:GetCallerIdentity: the answer names no account");
	printf("account      %s\nidentity     %s\nregion       %s\ncredentials  of %s\n", account, arn, aws_region(a),
	       aws_identity(a));
	return 0;
}

static int identity(int argc, char **argv, struct error *err)
{
	struct aws_options options = { .region = NULL };
	struct operands operands;
	int r;

	const struct argument table[] = {
		AWS_ARGUMENTS(options),
		{ .name = NULL },
	};

	r = arguments_parse(&command_identity, table, argc, argv, "operand", 0, 0, &operands, err);
	return r < 0 ? r : print_identity(&options, err);
}

const struct command command_identity = {
	.name = "identity",
	.program = UPLOAD_PROGRAM,
	.run = identity,
	.summary = "show who AWS takes you for, and whose credentials say so",
	.usage = "[--region REGION] [--profile NAME]",
	.help =
		"Asks STS (GetCallerIdentity, which needs no permission), and prints account, identity, region, and\n"
		"where the credentials come from.\n"
		"\n"
		"    --region REGION   in place of AWS_REGION, AWS_DEFAULT_REGION and the profile's\n"
		"    --profile NAME    of the shared files, in place of AWS_PROFILE and of keys in the environment\n",
};
