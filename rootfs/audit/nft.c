/* SPDX-License-Identifier: Apache-2.0 */
#include "nft.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"
#include "rules.h"

/* Definitions of definitions could double with each line. */
#define WORDS_MAX 100000

#define NEWLINE "\n"

/* ---------------------------------------------------------------- words */

struct token {
	char *word;			/* "" at the end */
	bool quoted;
	unsigned int line;
};

struct parser {
	struct text rest;
	unsigned int line;
	struct token now;		/* not taken yet */
	struct nft *nft;
	size_t expanded;		/* words that definitions have brought */
};

static void skip_blanks(struct parser *p)
{
	struct text *t = &p->rest;

	while (t->size > 0) {
		size_t n = 1;

		if (t->size > 1 && t->data[0] == '\\' && t->data[1] == '\n') {
			n = 2;
			p->line++;
		} else if (t->data[0] == '#') {
			while (n < t->size && t->data[n] != '\n')
				n++;
		} else if (!strchr(" \t\r", t->data[0])) {
			return;
		}
		t->data += n;
		t->size -= n;
	}
}

static size_t word_size(struct text t)
{
	static const char ends[] = " \t\r\n{};,\"#";
	size_t n = 1;

	if (strchr("\n{};,", t.data[0]))
		return 1;
	while (n < t.size && !strchr(ends, t.data[n]))
		n++;
	return n;
}

/* Without its quotation marks. */
static char *take_quoted(struct parser *p)
{
	struct text *t = &p->rest;
	const char *end = memchr(t->data + 1, '"', t->size - 1);
	const size_t size = end ? (size_t)(end - t->data) - 1 : t->size - 1;
	char *word = text_copy((struct text) { t->data + 1, size });

	for (size_t i = 0; i < size; i++)
		p->line += t->data[1 + i] == '\n';
	t->data += 1 + size + (end != NULL);
	t->size -= 1 + size + (end != NULL);
	return word;
}

static void advance(struct parser *p)
{
	free(p->now.word);
	skip_blanks(p);
	p->now.line = p->line;
	p->now.quoted = p->rest.size > 0 && p->rest.data[0] == '"';
	if (p->rest.size == 0) {
		p->now.word = string_copy("");
	} else if (p->now.quoted) {
		p->now.word = take_quoted(p);
	} else {
		const size_t size = word_size(p->rest);

		p->now.word = text_copy((struct text) { p->rest.data, size });
		p->line += p->rest.data[0] == '\n';
		p->rest.data += size;
		p->rest.size -= size;
		/* What stands after a NUL byte must not vanish, nor end the text. */
		if (!p->now.word[0]) {
			free(p->now.word);
			p->now.word = string_copy("?");
		}
	}
}

static bool at_end(const struct parser *p)
{
	return p->rest.size == 0 && !p->now.word[0] && !p->now.quoted;
}

static bool is(const struct parser *p, const char *word)
{
	return !p->now.quoted && strcmp(p->now.word, word) == 0;
}

static bool ends_statement(const struct parser *p)
{
	return at_end(p) || is(p, NEWLINE) || is(p, ";");
}

/* ---------------------------------------------------------------- lists of words */

void nft_rule_add(struct nft_rule *rule, const char *word)
{
	char **slot = memory_append(&rule->words, rule->count++, sizeof(*slot));

	*slot = string_copy(word);
}

static void clear_words(char **words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(words[i]);
	free(words);
}

void nft_rule_clear(struct nft_rule *rule)
{
	clear_words(rule->words, rule->count);
	*rule = (struct nft_rule) { .words = NULL };
}

static void add_quoted(struct nft_rule *rule, const char *word)
{
	char *text = string_printf("\"%s\"", word);

	nft_rule_add(rule, text);
	free(text);
}

__attribute__((format(printf, 3, 4)))
static void note(struct parser *p, unsigned int line, const char *fmt, ...)
{
	struct nft_problem *problem = memory_append(&p->nft->problems, p->nft->problem_count++, sizeof(*problem));
	va_list ap;

	problem->line = line;
	va_start(ap, fmt);
	if (vasprintf(&problem->text, fmt, ap) < 0)
		error_no_memory();
	va_end(ap);
}

/* The word, or what its definition stands for. */
static void add_expanded(struct parser *p, struct nft_rule *rule)
{
	const struct nft_name *name = p->now.word[0] == '$' ? nft_name_find(p->nft, p->now.word) : NULL;

	if (p->now.quoted) {
		add_quoted(rule, p->now.word);
		return;
	}
	if (!name) {
		nft_rule_add(rule, p->now.word);
		return;
	}
	p->expanded += name->count;
	if (p->expanded > WORDS_MAX) {
		nft_rule_add(rule, p->now.word);
		return;
	}
	for (size_t i = 0; i < name->count; i++)
		nft_rule_add(rule, name->words[i]);
}

/* Up to the end of the statement; within braces it goes on over lines. A '}' that was not opened is left. */
static struct nft_rule take_statement(struct parser *p)
{
	struct nft_rule rule = { .line = p->now.line };
	size_t depth = 0;

	for (; !at_end(p); advance(p)) {
		if (depth == 0 && (ends_statement(p) || is(p, "}")))
			break;
		if (is(p, NEWLINE))
			continue;
		depth += is(p, "{");
		depth -= is(p, "}");
		add_expanded(p, &rule);
	}
	return rule;
}

static void skip_statement(struct parser *p)
{
	struct nft_rule rule = take_statement(p);

	nft_rule_clear(&rule);
}

static char *value_after(const struct nft_rule *rule, const char *word)
{
	for (size_t i = 0; i + 1 < rule->count; i++)
		if (strcmp(rule->words[i], word) == 0)
			return string_copy(rule->words[i + 1]);
	return NULL;
}

static void set(char **field, char *value)
{
	if (!value)
		return;
	free(*field);
	*field = value;
}

/* ---------------------------------------------------------------- names */

static void define(struct parser *p, const char *sign, const char *name, struct nft_rule *words, size_t first)
{
	struct nft_name *n = memory_append(&p->nft->names, p->nft->name_count++, sizeof(*n));

	n->name = string_printf("%s%s", sign, name);
	for (size_t i = first; i < words->count; i++) {
		char **slot = memory_append(&n->words, n->count++, sizeof(*slot));

		*slot = string_copy(words->words[i]);
	}
}

/* "define NAME = WORDS" */
static void take_definition(struct parser *p)
{
	struct nft_rule rule = take_statement(p);

	if (rule.count > 3 && strcmp(rule.words[2], "=") == 0)
		define(p, "$", rule.words[1], &rule, 3);
	else
		note(p, rule.line, "a definition that cannot be read");
	nft_rule_clear(&rule);
}

/* "set NAME { ... elements = { WORDS } ... }"; one that grows at run time stands for nothing. */
static void take_set(struct parser *p)
{
	char *name;
	bool grows = false;

	advance(p);
	name = string_copy(p->now.word);
	while (!at_end(p) && !is(p, "{"))
		advance(p);
	advance(p);
	while (!at_end(p) && !is(p, "}")) {
		struct nft_rule rule = take_statement(p);

		for (size_t i = 0; i < rule.count; i++)
			grows = grows || strcmp(rule.words[i], "dynamic") == 0;
		if (rule.count > 2 && strcmp(rule.words[0], "elements") == 0 && !grows)
			define(p, "@", name, &rule, 2);
		nft_rule_clear(&rule);
		if (ends_statement(p))
			advance(p);
	}
	advance(p);
	free(name);
}

/* ---------------------------------------------------------------- chains */

static struct nft_chain *open_chain(struct parser *p, const char *family, const char *table, const char *name)
{
	struct nft_chain *c;

	for (size_t i = 0; i < p->nft->chain_count; i++) {
		c = &p->nft->chains[i];
		if (strcmp(c->family, family) == 0 && strcmp(c->table, table) == 0 && strcmp(c->name, name) == 0)
			return c;
	}
	c = memory_append(&p->nft->chains, p->nft->chain_count++, sizeof(*c));
	c->family = string_copy(family);
	c->table = string_copy(table);
	c->name = string_copy(name);
	c->hook = string_copy("");
	c->type = string_copy("");
	c->policy = string_copy("");
	c->line = p->now.line;
	return c;
}

static void add_statement(struct nft_chain *c, struct nft_rule rule)
{
	struct nft_rule *slot;

	if (rule.count == 0 || strcmp(rule.words[0], "comment") == 0) {
		nft_rule_clear(&rule);
	} else if (strcmp(rule.words[0], "type") == 0) {
		set(&c->type, value_after(&rule, "type"));
		set(&c->hook, value_after(&rule, "hook"));
		nft_rule_clear(&rule);
	} else if (strcmp(rule.words[0], "policy") == 0) {
		set(&c->policy, value_after(&rule, "policy"));
		nft_rule_clear(&rule);
	} else {
		slot = memory_append(&c->rules, c->rule_count++, sizeof(*slot));
		*slot = rule;
	}
}

/* After "chain". */
static void take_chain(struct parser *p, const char *family, const char *table)
{
	struct nft_chain *c;

	advance(p);
	c = open_chain(p, family, table, p->now.word);
	while (!at_end(p) && !is(p, "{"))
		advance(p);
	advance(p);
	while (!at_end(p) && !is(p, "}")) {
		add_statement(c, take_statement(p));
		if (ends_statement(p))
			advance(p);
	}
	advance(p);
}

/* ---------------------------------------------------------------- tables */

static bool take_member(struct parser *p, const char *family, const char *table)
{
	const char *word = p->now.word;

	if (strcmp(word, "chain") == 0) {
		take_chain(p, family, table);
		return true;
	}
	if (strcmp(word, "set") == 0 || strcmp(word, "map") == 0 || strcmp(word, "flowtable") == 0 ||
	    strcmp(word, "counter") == 0 || strcmp(word, "quota") == 0 || strcmp(word, "limit") == 0 ||
	    strcmp(word, "ct") == 0) {
		take_set(p);
		return true;
	}
	return false;
}

static void take_table_statement(struct parser *p)
{
	struct nft_rule rule = take_statement(p);

	for (size_t i = 0; i < rule.count; i++)
		if (strcmp(rule.words[i], "dormant") == 0)
			note(p, rule.line, "the table is dormant: it does nothing");
	if (rule.count > 0 && strcmp(rule.words[0], "flags") != 0 && strcmp(rule.words[0], "comment") != 0)
		note(p, rule.line, "\"%s\" in a table cannot be read", rule.words[0]);
	nft_rule_clear(&rule);
}

/* "table [FAMILY] NAME [{ ... }]" */
static void take_table(struct parser *p)
{
	static const char *const families[] = { "ip", "ip6", "inet", "arp", "bridge", "netdev", NULL };
	char *family = string_copy("ip"), *name;

	advance(p);
	if (audit_among(p->now.word, families)) {
		set(&family, string_copy(p->now.word));
		advance(p);
	}
	name = string_copy(p->now.word);
	advance(p);
	if (is(p, "{")) {
		advance(p);
		while (!at_end(p) && !is(p, "}")) {
			if (ends_statement(p))
				advance(p);
			else if (!take_member(p, family, name))
				take_table_statement(p);
		}
		advance(p);
	}
	free(family);
	free(name);
}

/* Before the tables it makes a clean start; later it takes what stands before it away. */
static void take_flush(struct parser *p)
{
	struct nft_rule rule = take_statement(p);

	if (p->nft->chain_count > 0)
		note(p, rule.line, "what stands before it is flushed again: flush first");
	nft_rule_clear(&rule);
}

static void take_command(struct parser *p)
{

	if (is(p, "table")) {
		take_table(p);
	} else if (is(p, "define")) {
		take_definition(p);
	} else if (is(p, "flush")) {
		take_flush(p);
	} else {
		note(p, p->now.line, "\"%s\" cannot be judged: write the whole ruleset out in tables of one file",
		     p->now.word);
		skip_statement(p);
		/* A brace that nobody opened would be met for ever. */
		if (is(p, "}"))
			advance(p);
	}
}

void nft_parse(struct text text, struct nft *ret)
{
	struct parser p = { .rest = text, .line = 1, .nft = ret };

	advance(&p);
	while (!at_end(&p)) {
		if (ends_statement(&p))
			advance(&p);
		else
			take_command(&p);
	}
	free(p.now.word);
}

void nft_clear(struct nft *nft)
{
	for (size_t i = 0; i < nft->chain_count; i++) {
		struct nft_chain *c = &nft->chains[i];

		for (size_t k = 0; k < c->rule_count; k++)
			nft_rule_clear(&c->rules[k]);
		free(c->rules);
		free(c->family);
		free(c->table);
		free(c->name);
		free(c->hook);
		free(c->type);
		free(c->policy);
	}
	for (size_t i = 0; i < nft->name_count; i++) {
		clear_words(nft->names[i].words, nft->names[i].count);
		free(nft->names[i].name);
	}
	for (size_t i = 0; i < nft->problem_count; i++)
		free(nft->problems[i].text);
	free(nft->chains);
	free(nft->names);
	free(nft->problems);
	*nft = (struct nft) { .chains = NULL };
}

const struct nft_chain *nft_chain_find(const struct nft *nft, const char *family, const char *table, const char *name)
{
	for (size_t i = 0; i < nft->chain_count; i++) {
		const struct nft_chain *c = &nft->chains[i];

		if (strcmp(c->family, family) == 0 && strcmp(c->table, table) == 0 && strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

const struct nft_name *nft_name_find(const struct nft *nft, const char *name)
{
	for (size_t i = nft->name_count; i > 0; i--)
		if (strcmp(nft->names[i - 1].name, name) == 0)
			return &nft->names[i - 1];
	return NULL;
}

char *nft_rule_text(const struct nft_rule *rule)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	char *copy;

	for (size_t i = 0; i < rule->count; i++)
		if (buf_printf(&text, "%s%s", i ? " " : "", rule->words[i]) < 0)
			error_no_memory();
	copy = string_copy(buf_text(&text));
	buf_free(&text);
	return copy;
}
