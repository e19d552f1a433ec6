/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_COMMANDS_H
#define KILN_UPLOAD_COMMANDS_H

#include "../factory/base/command.h"

/* The verbs of kiln-upload; each sets .program to this. */
#define UPLOAD_PROGRAM "kiln-upload"

/* What every verb takes, as rows of its table for a struct aws_options (aws.h), and as lines of its help. */
#define AWS_ARGUMENTS(options) \
	{ .name = "region", .kind = ARGUMENT_TEXT, .target = &(options).region }, \
	{ .name = "profile", .kind = ARGUMENT_TEXT, .target = &(options).profile }
#define AWS_ARGUMENTS_HELP \
	"    --region REGION   in place of AWS_REGION, AWS_DEFAULT_REGION and the profile's\n" \
	"    --profile NAME    of the shared files\n"

extern const struct command command_abort;
extern const struct command command_deploy;
extern const struct command command_deregister;
extern const struct command command_identity;
extern const struct command command_list;
extern const struct command command_prune;
extern const struct command command_upload;

#endif
