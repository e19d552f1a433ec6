/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_BANNED_H
#define KILN_BASE_BANNED_H

/*
 * Calls that have a better way here; the Makefile includes this file before every source, so using
 * one is a compile error. strcpy and friends: string_printf, buf. system, popen: base/process.
 * time, rand: the plan (two builds of one lock are the same bytes). atoi: strtoul with its checks.
 *
 * Macros with arguments and not `#pragma GCC poison`: foreign headers name their parameters so
 * ("EVP_RAND *rand"), and a poisoned word may not even be that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#define strcpy(...) strcpy_is_banned
#undef strcat
#define strcat(...) strcat_is_banned
#undef strncpy
#define strncpy(...) strncpy_is_banned
#undef strncat
#define strncat(...) strncat_is_banned
#undef sprintf
#define sprintf(...) sprintf_is_banned
#undef vsprintf
#define vsprintf(...) vsprintf_is_banned
#undef gets
#define gets(...) gets_is_banned

#undef system
#define system(...) system_is_banned
#undef popen
#define popen(...) popen_is_banned
#undef mktemp
#define mktemp(...) mktemp_is_banned
#undef tmpnam
#define tmpnam(...) tmpnam_is_banned
#undef tempnam
#define tempnam(...) tempnam_is_banned

#undef rand
#define rand(...) rand_is_banned
#undef srand
#define srand(...) srand_is_banned
#undef random
#define random(...) random_is_banned
#undef srandom
#define srandom(...) srandom_is_banned
#undef drand48
#define drand48(...) drand48_is_banned

#undef atoi
#define atoi(...) atoi_is_banned
#undef atol
#define atol(...) atol_is_banned
#undef atoll
#define atoll(...) atoll_is_banned
#undef atof
#define atof(...) atof_is_banned

#undef strtok
#define strtok(...) strtok_is_banned
#undef gmtime
#define gmtime(...) gmtime_is_banned
#undef localtime
#define localtime(...) localtime_is_banned
#undef ctime
#define ctime(...) ctime_is_banned
#undef asctime
#define asctime(...) asctime_is_banned

#endif
