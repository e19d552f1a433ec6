/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_AUDIT_NFT_H
#define KILN_AUDIT_NFT_H

#include <stdbool.h>
#include <stddef.h>

#include "../packages/stanza.h"

/*
 * Rulesets as `nft -f` reads them, nft(8): tables written out with chains of rules in them, definitions, and sets
 * with their elements. What else changes which packets come in is noted as a problem. Fuzzed.
 */

struct nft_rule {
	unsigned int line;
	char **words;			/* '{', '}' and ',' are words; text in quotation marks keeps them; "$name" is expanded */
	size_t count;
};

struct nft_chain {
	char *family, *table, *name;
	char *hook;			/* "input"; "" for chains that others jump to */
	char *type, *policy;		/* "filter", "drop"; "" when not said */
	unsigned int line;
	struct nft_rule *rules;
	size_t rule_count;
};

/* "$NAME" and "@NAME": the words that it stands for. */
struct nft_name {
	char *name;
	char **words;
	size_t count;
};

struct nft_problem {
	unsigned int line;
	char *text;
};

struct nft {
	struct nft_chain *chains;
	size_t chain_count;
	struct nft_name *names;
	size_t name_count;
	struct nft_problem *problems;
	size_t problem_count;
};

void nft_parse(struct text text, struct nft *ret);
void nft_clear(struct nft *nft);
#define CLEANUP_NFT __attribute__((cleanup(nft_clear)))

/* NULL: there is none of that name. */
const struct nft_chain *nft_chain_find(const struct nft *nft, const char *family, const char *table, const char *name);
const struct nft_name *nft_name_find(const struct nft *nft, const char *name);
void nft_rule_add(struct nft_rule *rule, const char *word);
void nft_rule_clear(struct nft_rule *rule);
/* For people: the words with blanks between them; malloc'ed. */
char *nft_rule_text(const struct nft_rule *rule);

#endif
