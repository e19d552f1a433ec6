/* SPDX-License-Identifier: Apache-2.0 */
#include "firewall.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/declared.h"
#include "nft.h"
#include "rules.h"

#define DEPTH_MAX 16			/* nft(8): the kernel's own limit of jumps */
#define PORTS 65536

struct judgement {
	struct audit *a;
	const struct nft *nft;
	const char *path;
	uint8_t *opened[2];		/* by TCP and UDP port */
};

/* ---------------------------------------------------------------- values */

/* The values after a match, in the words of the rule or of the set it names. */
struct values {
	char **words;
	size_t at, end;
};

/* "{ a, b }", "a, b" or "a". */
static struct values values_at(const struct judgement *j, const struct nft_rule *rule, size_t i)
{
	const struct nft_name *name =
		i < rule->count && rule->words[i][0] == '@' ? nft_name_find(j->nft, rule->words[i]) : NULL;
	struct values v = { rule->words, i, i };

	if (name)
		return (struct values) { name->words, 0, name->count };
	if (i < rule->count && strcmp(rule->words[i], "{") == 0) {
		while (v.end < rule->count && strcmp(rule->words[v.end], "}") != 0)
			v.end++;
	} else {
		do
			v.end++;
		while (v.end + 1 < rule->count && strcmp(rule->words[v.end], ",") == 0 && ++v.end);
	}
	if (v.end > rule->count)
		v.end = rule->count;
	return v;
}

static const char *next_value(struct values *v)
{
	static const char *const between[] = { "{", "}", ",", NULL };

	while (v->at < v->end) {
		const char *word = v->words[v->at++];

		if (!audit_among(word, between))
			return word;
	}
	return NULL;
}

/* At least one, and each of the list. */
static bool all_among(struct values v, const char *const *list)
{
	const char *word = next_value(&v);

	if (!word)
		return false;
	for (; word; word = next_value(&v))
		if (!audit_among(word, list))
			return false;
	return true;
}

/* "3000" or "3000-3010". */
static bool read_range(const char *word, unsigned int *ret_first, unsigned int *ret_last)
{
	char *end;
	unsigned long first = strtoul(word, &end, 10), last = first;

	if (word[0] < '0' || word[0] > '9')
		return false;
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		last = strtoul(end + 1, &end, 10);
	if (*end || first > last || last >= PORTS)
		return false;
	*ret_first = (unsigned int)first;
	*ret_last = (unsigned int)last;
	return true;
}

/* An answer to a DHCP client, RFC 2131 and RFC 8415. */
static bool is_allowed_port(const struct judgement *j, unsigned int port, bool udp)
{
	return declared_has_port(j->a->in->declared, port, udp) || (udp && (port == 68 || port == 546));
}

static bool all_ports_allowed(const struct judgement *j, struct values v, bool udp)
{
	const char *word;
	unsigned int first, last;
	bool any = false;

	while ((word = next_value(&v))) {
		if (!read_range(word, &first, &last))
			return false;
		for (unsigned int port = first; port <= last; port++)
			if (!is_allowed_port(j, port, udp))
				return false;
		any = true;
	}
	return any;
}

static void open_ports(const struct judgement *j, struct values v, bool udp)
{
	const char *word;
	unsigned int first, last;

	while ((word = next_value(&v)))
		if (read_range(word, &first, &last))
			for (unsigned int port = first; port <= last; port++)
				j->opened[udp][port] = 1;
}

/* ---------------------------------------------------------------- matches */

static const char *const loopback[] = { "lo", "\"lo\"", NULL };
static const char *const answers[] = { "established", "related", NULL };
static const char *const icmp[] = { "icmp", "icmpv6", "ipv6-icmp", "1", "58", NULL };

/* A match of two words and the values that make its packets ones that may come in. */
static const struct harmless {
	const char *first, *second;	/* second NULL: it has one word */
	const char *const *values;
} harmless[] = {
	{ "iif", NULL, loopback },
	{ "iifname", NULL, loopback },
	{ "ct", "state", answers },
	{ "meta", "l4proto", icmp },
	{ "ip", "protocol", icmp },
	{ "ip6", "nexthdr", icmp },
};

static bool word_is(const struct nft_rule *rule, size_t i, const char *word)
{
	return i < rule->count && strcmp(rule->words[i], word) == 0;
}

static bool is_harmless(const struct judgement *j, const struct nft_rule *rule, size_t i)
{
	for (size_t k = 0; k < ARRAY_SIZE(harmless); k++) {
		const struct harmless *h = &harmless[k];
		const size_t value = i + 1 + (h->second != NULL);

		if (word_is(rule, i, h->first) && (!h->second || word_is(rule, i + 1, h->second)) &&
		    all_among(values_at(j, rule, value), h->values))
			return true;
	}
	return (word_is(rule, i, "icmp") || word_is(rule, i, "icmpv6")) && word_is(rule, i + 1, "type");
}

static bool names_port(const struct nft_rule *rule, size_t i)
{
	return (word_is(rule, i, "udp") || word_is(rule, i, "tcp")) && word_is(rule, i + 1, "dport");
}

static bool is_declared_port(const struct judgement *j, const struct nft_rule *rule, size_t i)
{
	return names_port(rule, i) && all_ports_allowed(j, values_at(j, rule, i + 2), word_is(rule, i, "udp"));
}

static void open_declared(const struct judgement *j, const struct nft_rule *rule)
{
	for (size_t i = 0; i < rule->count; i++)
		if (names_port(rule, i))
			open_ports(j, values_at(j, rule, i + 2), word_is(rule, i, "udp"));
}

/* All matches of a rule must hold, so one that lets in only what may come in is enough. */
static bool is_restricted(const struct judgement *j, const struct nft_rule *rule)
{
	for (size_t i = 0; i < rule->count; i++)
		if (is_harmless(j, rule, i) || is_declared_port(j, rule, i))
			return true;
	return false;
}

/* ---------------------------------------------------------------- rules */

static void refuse(const struct judgement *j, const struct nft_rule *rule, const char *why)
{
	CLEANUP_FREE char *text = nft_rule_text(rule);

	audit_find(j->a, j->path, rule->line, "\"%.300s\" %s", text, why);
}

static void judge_chain(const struct judgement *j, const struct nft_chain *c, bool restricted, unsigned int depth);

static void judge_jump(const struct judgement *j, const struct nft_chain *c, const struct nft_rule *rule,
		       const char *name, bool restricted, unsigned int depth)
{
	const struct nft_chain *target = nft_chain_find(j->nft, c->family, c->table, name);

	if (!target || depth >= DEPTH_MAX)
		refuse(j, rule, "goes on in a chain that cannot be followed");
	else
		judge_chain(j, target, restricted, depth + 1);
}

/* The pair of a map that begins at `i`, as a rule of its own: the match, its key, the verdict. Where it ends. */
static size_t take_pair(const struct nft_rule *rule, size_t vmap, size_t i, struct nft_rule *ret)
{
	for (size_t k = 0; k < vmap; k++)
		nft_rule_add(ret, rule->words[k]);
	for (; i < rule->count && !word_is(rule, i, ",") && !word_is(rule, i, "}"); i++) {
		const char *word = rule->words[i];
		const size_t size = strlen(word);

		/* The colon stands alone or behind the key. */
		if (strcmp(word, ":") == 0)
			continue;
		nft_rule_add(ret, word);
		if (size > 1 && word[size - 1] == ':')
			ret->words[ret->count - 1][size - 1] = '\0';
	}
	return i;
}

static void judge_rule(const struct judgement *j, const struct nft_chain *c, const struct nft_rule *rule,
		       bool restricted, unsigned int depth);

/* "MATCH vmap { KEY : VERDICT, ... }" */
static void judge_map(const struct judgement *j, const struct nft_chain *c, const struct nft_rule *rule, size_t vmap,
		      bool restricted, unsigned int depth)
{
	size_t i = vmap + 2;

	if (!word_is(rule, vmap + 1, "{")) {
		refuse(j, rule, "asks a map that cannot be followed");
		return;
	}
	while (i < rule->count && !word_is(rule, i - 1, "}")) {
		struct nft_rule pair = { .line = rule->line };

		i = take_pair(rule, vmap, i, &pair) + 1;
		judge_rule(j, c, &pair, restricted, depth);
		nft_rule_clear(&pair);
	}
}

/* Drops or rejects whatever has come so far: nothing but counting and logging stands before it. */
static bool is_last(const struct nft_rule *rule)
{
	size_t i = 0;

	if (word_is(rule, i, "counter"))
		i++;
	if (word_is(rule, i, "log"))
		i++;
	while (word_is(rule, i, "prefix") || word_is(rule, i, "level"))
		i += 2;
	return word_is(rule, i, "drop") || word_is(rule, i, "reject");
}

static size_t find_word(const struct nft_rule *rule, const char *word)
{
	size_t i = 0;

	while (i < rule->count && !word_is(rule, i, word))
		i++;
	return i;
}

static void judge_verdict(const struct judgement *j, const struct nft_chain *c, const struct nft_rule *rule, size_t i,
			  bool restricted, unsigned int depth)
{
	static const char *const elsewhere[] = { "queue", "dnat", "redirect", "tproxy", "dup", "fwd", NULL };
	const bool jumps = i + 1 < rule->count && (word_is(rule, i, "jump") || word_is(rule, i, "goto"));

	if (restricted && (jumps || word_is(rule, i, "accept")))
		open_declared(j, rule);
	if (jumps)
		judge_jump(j, c, rule, rule->words[i + 1], restricted, depth);
	else if (word_is(rule, i, "accept") && !restricted)
		refuse(j, rule, "lets in what is not declared");
	else if (audit_among(rule->words[i], elsewhere) && !restricted)
		refuse(j, rule, "sends packets where the audit cannot follow");
}

static void judge_rule(const struct judgement *j, const struct nft_chain *c, const struct nft_rule *rule,
		       bool restricted, unsigned int depth)
{
	const size_t vmap = find_word(rule, "vmap");

	if (vmap < rule->count) {
		judge_map(j, c, rule, vmap, restricted, depth);
		return;
	}
	restricted = restricted || is_restricted(j, rule);
	for (size_t i = 0; i < rule->count; i++)
		judge_verdict(j, c, rule, i, restricted, depth);
}

static void judge_chain(const struct judgement *j, const struct nft_chain *c, bool restricted, unsigned int depth)
{
	for (size_t i = 0; i < c->rule_count && !is_last(&c->rules[i]); i++)
		judge_rule(j, c, &c->rules[i], restricted, depth);
}

/* ---------------------------------------------------------------- the whole */

static bool drops(const struct nft_chain *c)
{
	if (strcmp(c->policy, "drop") == 0)
		return true;
	for (size_t i = 0; i < c->rule_count; i++)
		if (is_last(&c->rules[i]))
			return true;
	return false;
}

/* A packet must be let through by every chain at the hook, so the first that drops what is left decides. */
static const struct nft_chain *find_input(const struct nft *nft, const char *family)
{
	for (size_t i = 0; i < nft->chain_count; i++) {
		const struct nft_chain *c = &nft->chains[i];

		if (strcmp(c->hook, "input") == 0 && strcmp(c->type, "filter") == 0 && drops(c) &&
		    (strcmp(c->family, family) == 0 || strcmp(c->family, "inet") == 0))
			return c;
	}
	return NULL;
}

static void judge_others(const struct judgement *j)
{
	for (size_t i = 0; i < j->nft->problem_count; i++)
		audit_find(j->a, j->path, j->nft->problems[i].line, "%s", j->nft->problems[i].text);
	for (size_t i = 0; i < j->nft->chain_count; i++) {
		const struct nft_chain *c = &j->nft->chains[i];

		if (strcmp(c->type, "nat") == 0 && strcmp(c->hook, "prerouting") == 0 && c->rule_count > 0)
			audit_find(j->a, j->path, c->line,
				   "chain %s gives packets other ports before the firewall sees them", c->name);
	}
}

static void judge_declared(const struct judgement *j)
{
	const struct declared *d = j->a->in->declared;

	for (size_t i = 0; i < d->port_count; i++)
		if (!j->opened[d->ports[i].udp][d->ports[i].number])
			audit_find(j->a, j->path, 0, "%s port %u is declared, and no rule lets it in",
				   d->ports[i].udp ? "UDP" : "TCP", d->ports[i].number);
}

void firewall_judge(struct audit *a, const struct nft *nft, const char *path)
{
	CLEANUP_FREE uint8_t *tcp = calloc(PORTS, 1), *udp = calloc(PORTS, 1);
	const struct judgement j = { a, nft, path, { tcp, udp } };
	const struct nft_chain *four = find_input(nft, "ip"), *six = find_input(nft, "ip6");

	if (!tcp || !udp)
		error_no_memory();
	judge_others(&j);
	if (!four || !six)
		audit_find(a, path, 0,
			   "no chain drops what it does not let in from %s: \"type filter hook input priority filter; policy drop;\"",
			   !four && !six ? "the network" : four ? "IPv6" : "IPv4");
	if (four)
		judge_chain(&j, four, false, 0);
	if (six && six != four)
		judge_chain(&j, six, false, 0);
	if (four || six)
		judge_declared(&j);
	audit_seen(a, "/%s drops everything but %zu declared port%s, answers, loopback, ICMP and DHCP's answers", path,
		   a->in->declared->port_count, a->in->declared->port_count == 1 ? "" : "s");
}
