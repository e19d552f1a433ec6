/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_ENVIRONMENT_H
#define KILN_ROOTFS_PACKAGES_ENVIRONMENT_H

/*
 * What a program that reaches the network gets of our environment: where it finds its own programs and files,
 * and the proxies. `more` ("NAME=VALUE", or NULL) comes with it. NULL-terminated.
 */
char **network_environment(const char *more);
void network_environment_free(char **env);

#endif
