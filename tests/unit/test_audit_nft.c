/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/audit_tree.h"

#include "rootfs/audit/nft.h"

static struct scratch dir = SCRATCH_INIT;
static const char *const nothing[] = { NULL };

/* Of a table's contents, in which TCP 3000 and UDP 5000 are declared: what is said of it, or NULL when it holds. */
struct ruleset {
	const char *about, *text, *said;
};

#define INPUT "type filter hook input priority filter; policy drop;\\n"
#define DECLARED "tcp dport 3000 accept\\nudp dport 5000 accept\\n"
#define CHAIN(rules) "table inet f {\\nchain input {\\n" INPUT DECLARED rules "\\n}\\n}\\n"

static const struct ruleset rulesets[] = {
	{ "nothing but the declared ports", CHAIN(""), NULL },
	{ "no ruleset", "", "no chain drops what it does not let in from the network" },
	{ "a set of declared ports", "table inet f {\\nchain i {\\n" INPUT "tcp dport { 3000, 3000-3000 } accept; udp dport 5000 accept\\n}\\n}\\n", NULL },
	{ "one port too many in a set", CHAIN("tcp dport { 3000, 22 } accept"), "lets in what is not declared" },
	{ "a range", CHAIN("tcp dport 3000-3010 accept"), "lets in what is not declared" },
	{ "everything", CHAIN("accept"), "lets in what is not declared" },
	{ "everything but one port", CHAIN("tcp dport != 22 accept"), "lets in what is not declared" },
	{ "a port by its name", CHAIN("tcp dport ssh accept"), "lets in what is not declared" },
	{ "a port in the other protocol", CHAIN("udp dport 3000 accept"), "lets in what is not declared" },
	{ "a source that is trusted", CHAIN("ip saddr 10.0.0.0/8 accept"), "lets in what is not declared" },
	{ "a source that may reach a declared port", CHAIN("ip saddr 10.0.0.0/8 tcp dport 3000 accept"), NULL },
	{ "a rule with a counter, a log and a comment", CHAIN("tcp dport 22 counter log prefix \"accept } \" accept comment \"x\""),
	  "lets in what is not declared" },
	{ "an accept in a log's prefix", CHAIN("tcp dport 22 log prefix \"accept\" drop"), NULL },
	{ "new connections by their state", CHAIN("ct state { established, related, new } accept"), "lets in what is not declared" },
	{ "answers", CHAIN("ct state related,established accept"), NULL },
	{ "answers by a map", CHAIN("ct state vmap { established : accept, related: accept, invalid : drop }"), NULL },
	{ "new connections by a map", CHAIN("ct state vmap { established : accept, new : accept }"), "lets in what is not declared" },
	{ "a port by a map", CHAIN("tcp dport vmap { 3000 : accept, 22 : accept }"), "\"tcp dport 22 accept\" lets in" },
	{ "a map that has a name", CHAIN("tcp dport vmap @ports"), "asks a map that cannot be followed" },
	{ "loopback, quoted", CHAIN("iifname \"lo\" accept"), NULL },
	{ "another interface", CHAIN("iifname \"eth0\" accept"), "lets in what is not declared" },
	{ "ICMP", CHAIN("ip protocol icmp accept\\nicmpv6 type { echo-request } accept"), NULL },
	{ "the DHCP server's port is no restriction", CHAIN("udp sport 67 accept"), "lets in what is not declared" },
	{ "a definition", "define P = { 3000, 22 }\\n" CHAIN("tcp dport $P accept"), "lets in what is not declared" },
	{ "a good definition", "define P = 3000\\n" CHAIN("tcp dport $P accept"), NULL },
	{ "a set by its name", "table inet f {\\nset s { type inet_service; elements = { 3000 } }\\nchain i {\\n" INPUT
	  "tcp dport @s accept; udp dport 5000 accept\\n}\\n}\\n", NULL },
	{ "a set that grows", "table inet f {\\nset s { type inet_service; flags dynamic; }\\nchain i {\\n" INPUT DECLARED
	  "tcp dport @s accept\\n}\\n}\\n", "lets in what is not declared" },
	{ "a chain that is jumped to", "table inet f {\\nchain more {\\ntcp dport 22 accept\\n}\\nchain i {\\n" INPUT DECLARED
	  "jump more\\n}\\n}\\n", "\"tcp dport 22 accept\"" },
	{ "a chain that only declared ports jump to", "table inet f {\\nchain more {\\naccept\\n}\\nchain i {\\n" INPUT
	  "tcp dport 3000 jump more\\nudp dport 5000 goto more\\n}\\n}\\n", NULL },
	{ "chains that jump to each other", "table inet f {\\nchain a {\\njump b\\n}\\nchain b {\\njump a\\n}\\nchain i {\\n" INPUT DECLARED
	  "jump a\\n}\\n}\\n", "cannot be followed" },
	{ "a last rule that drops instead of a policy", "table inet f {\\nchain i {\\ntype filter hook input priority 0;\\n" DECLARED
	  "counter drop\\n}\\n}\\n", NULL },
	{ "a last rule that drops only some", "table inet f {\\nchain i {\\ntype filter hook input priority 0;\\n" DECLARED
	  "counter tcp dport 22 drop\\n}\\n}\\n", "no chain drops" },
	{ "IPv4 alone", "table ip f {\\nchain i {\\n" INPUT DECLARED "}\\n}\\n", "no chain drops what it does not let in from IPv6" },
	{ "both, in a table each", "table ip f {\\nchain i {\\n" INPUT DECLARED "}\\n}\\ntable ip6 f {\\nchain i {\\n" INPUT DECLARED "}\\n}\\n", NULL },
	{ "a hole in one of them", "table ip f {\\nchain i {\\n" INPUT DECLARED "}\\n}\\ntable ip6 f {\\nchain i {\\n" INPUT DECLARED "accept\\n}\\n}\\n",
	  "lets in what is not declared" },
	{ "a declared port that is closed", "table inet f {\\nchain i {\\n" INPUT "tcp dport 3000 accept\\n}\\n}\\n", "UDP port 5000 is declared" },
	{ "a declared port that is dropped", "table inet f {\\nchain i {\\n" INPUT "tcp dport 3000 accept\\nudp dport 5000 drop\\n}\\n}\\n",
	  "UDP port 5000 is declared" },
	{ "another file", "include \"/etc/nftables.d/*.nft\"\\n" CHAIN(""), "\"include\" cannot be judged" },
	{ "a rule added later", CHAIN("") "add rule inet f input tcp dport 22 accept\\n", "\"add\" cannot be judged" },
	{ "a flush at the end", "" CHAIN("") "flush ruleset\\n", "flush first" },
	{ "a dormant table", "table inet f {\\nflags dormant\\nchain i {\\n" INPUT DECLARED "}\\n}\\n", "is dormant" },
	{ "another port made a declared one", CHAIN("") "table ip n {\\nchain p {\\ntype nat hook prerouting priority -100;\\n"
	  "tcp dport 22 redirect to :3000\\n}\\n}\\n", "gives packets other ports" },
	{ "a queue", CHAIN("tcp dport 22 queue num 0"), "cannot follow" },
	{ "comments and lines that go on", CHAIN("# tcp dport 22 accept\\niif \\\\n lo accept"), NULL },
};

static void judge(const struct ruleset *c)
{
	CLEANUP_FREE char *line = string_printf("f 0644 0:0 etc/nftables.conf %s\n", c->text);
	CLEANUP_DECLARED struct declared d = { .ports = NULL };
	CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL };
	CLEANUP_TREE struct tree *tree = audit_tree_make(dir.path, line);
	const struct audit_input input = {
		.tree = tree, .declared = &d, .cmdline = AUDIT_CLEAN_CMDLINE, .esp = nothing, .partitions = nothing, .initrd = nothing,
	};
	const struct audit_result *result;
	struct error err = ERROR_INIT;
	bool said = false;

	declared_add_port(&d, 3000, false);
	declared_add_port(&d, 5000, true);
	need(audit_run(&input, &report, &err) == 0, "%s", err.message);
	result = audit_result_of(&report, "network.firewall");
	for (size_t i = 0; i < result->count && c->said; i++)
		said = said || strstr(result->findings[i].text, c->said);
	if (!ok(c->said ? said : result->count == 0, "%s: %s", c->about, c->said ? "refused" : "holds"))
		for (size_t i = 0; i < result->count; i++)
			printf("# %u: %s\n", result->findings[i].line, result->findings[i].text);
}

static void test_lines(void)
{
	static const char text[] = "table ip t {\n\tchain c { # x\n\t\taccept; drop\n\t\ttcp dport {\n 1,\n 2 } accept\n\t}\n}\n";
	CLEANUP_NFT struct nft nft = { .chains = NULL };
	CLEANUP_FREE char *rule = NULL;

	nft_parse(text_of(text), &nft);
	need(nft.chain_count == 1 && nft.chains[0].rule_count == 3, "three rules of one chain");
	ok_int(nft.chains[0].rules[0].line, 3, "a rule knows its line");
	ok_int(nft.chains[0].rules[1].line, 3, "two may share it");
	ok_int(nft.chains[0].rules[2].line, 4, "and one over several begins where it does");
	rule = nft_rule_text(&nft.chains[0].rules[2]);
	ok_str(rule, "tcp dport { 1 , 2 } accept", "its words");
	ok_int(nft.problem_count, 0, "without problems");
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "%s", err.message);
	for (size_t i = 0; i < sizeof(rulesets) / sizeof(rulesets[0]); i++)
		judge(&rulesets[i]);
	test_lines();
	io_scratch_free(&dir);
	return tap_done();
}
