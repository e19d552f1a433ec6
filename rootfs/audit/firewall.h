/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_AUDIT_FIREWALL_H
#define KILN_AUDIT_FIREWALL_H

struct audit;
struct nft;

/*
 * Does the ruleset let in the declared ports and, besides those, only answers, loopback, ICMP and DHCP's answers?
 * What of it does not is found at `path`.
 */
void firewall_judge(struct audit *a, const struct nft *nft, const char *path);

#endif
