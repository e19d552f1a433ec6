/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/process.h"
#include "../../factory/format/tar.h"
#include "../../factory/model/memory.h"
#include "../tree.h"

#define WINDOW ((size_t)4 << 20)

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define ALNUM UPPER LOWER DIGITS
#define BASE64 ALNUM "+/="

/* The label of a PEM line is short; a key of 16384 bits has less than this. */
#define LABEL_MAX 64
#define KEY_MAX ((size_t)32 << 10)
/* The smallest private key, of Ed25519 in PKCS #8, has 64 of them. */
#define BODY_LEAST 60

/* ---------------------------------------------------------------- what is looked for */

struct span {
	const uint8_t *data;
	size_t size;
};

static bool has(const char *alphabet, uint8_t c)
{
	return c && strchr(alphabet, c);
}

static size_t run(struct span s, size_t at, const char *alphabet)
{
	size_t n = 0;

	while (at + n < s.size && has(alphabet, s.data[at + n]))
		n++;
	return n;
}

/* RFC 7468 and what came before it: header, possibly fields, base64, footer. */
static bool is_private_key(struct span s, size_t at)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ", key[] = "PRIVATE KEY";
	const size_t label = at + sizeof(begin) - 1, size = run(s, label, UPPER DIGITS " ");
	const uint8_t *footer;
	size_t start, room, body = 0;

	if (size > LABEL_MAX || !memmem(s.data + label, size, key, sizeof(key) - 1))
		return false;
	start = label + size;
	room = s.size - start < KEY_MAX ? s.size - start : KEY_MAX;
	footer = memmem(s.data + start, room, end, sizeof(end) - 1);
	if (!footer)
		return false;
	for (const uint8_t *p = s.data + start; p < footer; p++) {
		if (*p == '\0')
			return false;
		body += has(BASE64, *p);
	}
	return body >= BODY_LEAST;
}

/* Known by a prefix and so many characters of one alphabet after it. */
static const struct token {
	const char *prefix, *alphabet;
	size_t least, most;		/* characters; most 0: no limit */
	const char *what;
} tokens[] = {
	{ "AKIA", UPPER DIGITS, 16, 16, "an AWS access key" },
	{ "ASIA", UPPER DIGITS, 16, 16, "an AWS session's access key" },
	{ "ghp_", ALNUM, 36, 0, "a GitHub token" },
	{ "gho_", ALNUM, 36, 0, "a GitHub token" },
	{ "ghs_", ALNUM, 36, 0, "a GitHub token" },
	{ "github_pat_", ALNUM "_", 40, 0, "a GitHub token" },
	{ "glpat-", ALNUM "_-", 20, 0, "a GitLab token" },
	{ "xoxb-", ALNUM "-", 30, 0, "a Slack token" },
	{ "xoxp-", ALNUM "-", 30, 0, "a Slack token" },
	{ "AIza", ALNUM "_-", 35, 35, "a Google API key" },
	{ "sk_live_", ALNUM, 24, 0, "a Stripe key" },
	{ "AGE-SECRET-KEY-1", UPPER DIGITS, 50, 0, "an age key" },
};

/* Something documentation shows and nobody uses: AKIAIOSFODNN7EXAMPLE. */
static bool is_example(struct span s, size_t at, size_t size)
{
	return memmem(s.data + at, size, "EXAMPLE", 7);
}

static bool is_token(struct span s, size_t at, const struct token *t)
{
	const size_t start = at + strlen(t->prefix), size = run(s, start, t->alphabet);

	if (at > 0 && has(ALNUM "_", s.data[at - 1]))
		return false;
	return size >= t->least && (!t->most || size <= t->most) && !is_example(s, start, size);
}

/* "aws_secret_access_key = 40 characters" */
static bool is_aws_secret(struct span s, size_t at)
{
	const size_t name = at + strlen("aws_secret_access_key"), start = name + run(s, name, " \t\"'=:");

	return start > name && run(s, start, ALNUM "+/") == 40 && !is_example(s, start, 40);
}

/* ---------------------------------------------------------------- looking */

struct search {
	struct span span;
	size_t limit;
	void (*found)(void *arg, enum scan_kind kind, size_t at, const char *what);
	void *arg;
};

/* The next place of a word before the limit; *from moves behind its first byte. */
static bool next(const struct search *s, const char *word, size_t *from, size_t *ret)
{
	const uint8_t *p;

	if (*from >= s->limit)
		return false;
	p = memmem(s->span.data + *from, s->span.size - *from, word, strlen(word));
	if (!p || (size_t)(p - s->span.data) >= s->limit)
		return false;
	*ret = (size_t)(p - s->span.data);
	*from = *ret + 1;
	return true;
}

static void search_secrets(const struct search *s)
{
	size_t from = 0, at;

	while (next(s, "-----BEGIN ", &from, &at))
		if (is_private_key(s->span, at))
			s->found(s->arg, SCAN_PRIVATE_KEY, at, "a private key");
	for (from = 0; next(s, "PuTTY-User-Key-File-", &from, &at);)
		if (run(s->span, at + 20, DIGITS) > 0)
			s->found(s->arg, SCAN_PRIVATE_KEY, at, "a private key of PuTTY");
	for (from = 0; next(s, "aws_secret_access_key", &from, &at);)
		if (is_aws_secret(s->span, at))
			s->found(s->arg, SCAN_TOKEN, at, "an AWS secret key");
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		for (from = 0; next(s, tokens[i].prefix, &from, &at);)
			if (is_token(s->span, at, &tokens[i]))
				s->found(s->arg, SCAN_TOKEN, at, tokens[i].what);
}

/* Words of the servers alone: clients and generators of configurations know other ones. */
static const char *const server_words[] = { "PermitEmptyPasswords", "Dropbear server v" };

void scan_bytes(const uint8_t *data, size_t size, size_t limit, int elf,
		void (*found)(void *arg, enum scan_kind kind, size_t at, const char *what), void *arg)
{
	const struct search s = { { data, size }, limit < size ? limit : size, found, arg };
	size_t from = 0, at;

	search_secrets(&s);
	while (next(&s, "latest/user-data", &from, &at))
		found(arg, SCAN_USER_DATA, at, "the address of user data");
	for (size_t i = 0; i < ARRAY_SIZE(server_words) && elf; i++)
		for (from = 0; next(&s, server_words[i], &from, &at);)
			found(arg, SCAN_SSH_SERVER, at, server_words[i]);
}

/* ---------------------------------------------------------------- a tree */

struct reading {
	struct scan *scan;
	const struct tree_node *node;
	const uint8_t *window;
	int elf;
};

static bool is_known(const struct scan *scan, enum scan_kind kind, const char *path, unsigned int line)
{
	for (size_t i = scan->count; i > 0 && strcmp(scan->hits[i - 1].path, path) == 0; i--)
		if (scan->hits[i - 1].kind == kind && scan->hits[i - 1].line == line)
			return true;
	return false;
}

/* One of a kind a line is enough. */
static void add_hit(void *arg, enum scan_kind kind, size_t at, const char *what)
{
	const struct reading *r = arg;
	const bool small = r->node->size <= WINDOW && !r->elf;
	unsigned int line = small;
	struct scan_hit *hit;

	for (size_t i = 0; small && i < at; i++)
		line += r->window[i] == '\n';
	if (is_known(r->scan, kind, r->node->path, line))
		return;
	hit = memory_append(&r->scan->hits, r->scan->count++, sizeof(*hit));
	*hit = (struct scan_hit) { kind, string_copy(r->node->path), line, what };
}

static int scan_file(const struct tree *tree, const struct tree_node *node, uint8_t *window, struct scan *scan,
		     struct error *err)
{
	struct reading reading = { scan, node, window, 0 };

	for (uint64_t at = 0; at < node->size; at += WINDOW) {
		const uint64_t left = node->size - at;
		const size_t size = left < WINDOW + SCAN_OVERLAP ? (size_t)left : WINDOW + SCAN_OVERLAP;
		int r = tree_read_part(tree, node->path, at, window, size, err);

		if (r == 0)
			r = process_check_interrupt(err);
		if (r < 0)
			return r;
		if (at == 0)
			reading.elf = size >= 4 && memcmp(window, "\x7f" "ELF", 4) == 0;
		scan_bytes(window, size, WINDOW, reading.elf, add_hit, &reading);
	}
	scan->files++;
	scan->bytes += node->size;
	return 0;
}

int scan_tree(const struct tree *tree, struct scan **ret, struct error *err)
{
	CLEANUP_SCAN struct scan *scan = memory_new(sizeof(*scan));
	CLEANUP_FREE uint8_t *window = memory_new(WINDOW + SCAN_OVERLAP);
	struct tree_node node;
	size_t position = 0;
	int r = 0;

	while (r == 0 && tree_next(tree, &position, &node))
		if (node.type == TAR_FILE && !node.again)
			r = scan_file(tree, &node, window, scan, err);
	if (r == 0)
		*ret = TAKE_PTR(scan);
	return r;
}

void scan_free(struct scan *scan)
{
	if (!scan)
		return;
	for (size_t i = 0; i < scan->count; i++)
		free(scan->hits[i].path);
	free(scan->hits);
	free(scan);
}

void scan_freep(struct scan **scan)
{
	scan_free(*scan);
}
