/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_COMMANDS_H
#define KILN_FACTORY_COMMANDS_H

#include "base/command.h"

/* The verbs of kiln. */
extern const struct command command_doctor;
extern const struct command command_fetch;
extern const struct command command_build;
extern const struct command command_measure;
extern const struct command command_inspect;
extern const struct command command_compare;
extern const struct command command_audit;
extern const struct command command_test;
extern const struct command command_tamper;
extern const struct command command_policy;
extern const struct command command_run;
extern const struct command command_store;
extern const struct command command_keys;
extern const struct command command_sign;
extern const struct command command_upload;

#endif
