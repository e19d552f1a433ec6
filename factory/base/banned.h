/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_BANNED_H
#define KILN_BASE_BANNED_H

/*
 * Calls that have a better way here; the Makefile includes this file before every source, so using
 * one is a compile error. strcpy and friends: string_printf, buf. system, popen: base/process.
 * time, rand: the plan (two builds of one lock are the same bytes). atoi: strtoul with its checks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets
#pragma GCC poison system popen mktemp tmpnam tempnam
#pragma GCC poison rand srand random srandom drand48
#pragma GCC poison atoi atol atoll atof
#pragma GCC poison strtok gmtime localtime ctime asctime

#endif
