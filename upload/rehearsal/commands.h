/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_COMMANDS_H
#define KILN_REHEARSAL_COMMANDS_H

#include "../../factory/base/command.h"

#define REHEARSAL_PROGRAM "kiln-rehearsal"

extern const struct command command_serve;
extern const struct command command_export;

#endif
