/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_COMMANDS_H
#define KILN_UPLOAD_COMMANDS_H

#include "../factory/base/command.h"

/* The verbs of kiln-upload; each sets .program to this. */
#define UPLOAD_PROGRAM "kiln-upload"

extern const struct command command_abort;
extern const struct command command_deploy;
extern const struct command command_deregister;
extern const struct command command_identity;
extern const struct command command_list;
extern const struct command command_prune;
extern const struct command command_upload;

#endif
