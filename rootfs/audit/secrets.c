/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "../../factory/format/tar.h"
#include "../tree.h"
#include "rules.h"
#include "scan.h"

/* ---------------------------------------------------------------- by contents */

static void take_hits(struct audit *a, enum scan_kind kind)
{
	for (size_t i = 0; i < a->scan->count; i++)
		if (a->scan->hits[i].kind == kind)
			audit_find(a, a->scan->hits[i].path, a->scan->hits[i].line, "%s", a->scan->hits[i].what);
	audit_seen(a, "none in %zu files, %ju KiB", a->scan->files, (uintmax_t)a->scan->bytes / 1024);
}

static int check_keys(struct audit *a, struct error *err)
{
	(void)err;
	take_hits(a, SCAN_PRIVATE_KEY);
	return 0;
}

static int check_tokens(struct audit *a, struct error *err)
{
	(void)err;
	take_hits(a, SCAN_TOKEN);
	return 0;
}

/* ---------------------------------------------------------------- by chance */

#define VALUE_LEAST 16
#define VALUE_MOST 512

static bool is_value_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("+/=_.-!@%^&*~", c));
}

/* Are two bytes of it, drawn by chance, the same less often than one time in nine? (3.2 bits of collision entropy.) */
static bool is_mixed(struct text t)
{
	size_t counts[256] = { 0 }, same = 0;

	for (size_t i = 0; i < t.size; i++)
		counts[(unsigned char)t.data[i]]++;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		same += counts[i] * counts[i];
	return 9 * same < t.size * t.size;
}

static bool looks_random(struct text value)
{
	bool letter = false, digit = false;

	if (value.size < VALUE_LEAST || value.size > VALUE_MOST || value.data[0] == '/')
		return false;
	for (size_t i = 0; i < value.size; i++) {
		letter = letter || (value.data[i] | 0x20) >= 'a';
		digit = digit || (value.data[i] >= '0' && value.data[i] <= '9');
	}
	return letter && digit && is_mixed(value);
}

/* Behind the word: quotation mark, blanks, "=" or ":", blanks, quotation mark, and the value up to the end of it. */
static struct text value_of(struct text t)
{
	size_t i = 0, sign, size = 0;

	while (i < t.size && strchr("\"' \t", t.data[i]) && t.data[i])
		i++;
	sign = i;
	while (i < t.size && (t.data[i] == '=' || t.data[i] == ':'))
		i++;
	if (i == sign)
		return (struct text) { t.data, 0 };
	while (i < t.size && t.data[i] && strchr("\"' \t", t.data[i]))
		i++;
	while (i + size < t.size && is_value_byte(t.data[i + size]))
		size++;
	return (struct text) { t.data + i, size };
}

bool secrets_line(struct text line)
{
	static const char *const words[] = {
		"password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "private_key", "access_key",
		"credential",
	};

	for (size_t i = 0; i < line.size; i++)
		for (size_t k = 0; k < ARRAY_SIZE(words); k++) {
			const size_t size = strlen(words[k]);

			if (line.size - i >= size && strncasecmp(line.data + i, words[k], size) == 0 &&
			    looks_random(value_of((struct text) { line.data + i + size, line.size - i - size })))
				return true;
		}
	return false;
}

/* Where people put what they configure. Elsewhere, in programs' own files, chance is everywhere. */
static bool is_configured(const struct tree_node *node)
{
	static const char *const patterns[] = {"etc/*", "root/*",      "home/*",	   "opt/*",
					       "srv/*", "usr/local/*", "usr/lib/systemd/*"};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (fnmatch(patterns[i], node->path, 0) == 0)
			return node->type == TAR_FILE && node->size <= 256 << 10;
	return false;
}

static int check_file(struct audit *a, const struct tree_node *node, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);
	struct text rest, line;
	int r = tree_read(a->in->tree, node->path, &text, err);

	if (r < 0 || memchr(buf_text(&text), '\0', text.len))
		return r;
	rest = (struct text) { buf_text(&text), text.len };
	for (unsigned int number = 1; text_line(&rest, &line); number++)
		if (secrets_line(line))
			audit_find(a, node->path, number, "looks like a secret with its value");
	return 0;
}

static int check_values(struct audit *a, struct error *err)
{
	struct tree_node node;
	size_t position = 0, files = 0;
	int r = 0;

	while (r == 0 && tree_next(a->in->tree, &position, &node))
		if (is_configured(&node)) {
			files++;
			r = check_file(a, &node, err);
		}
	audit_seen(a, "no line of %zu files of configuration", files);
	return r;
}

/* ---------------------------------------------------------------- by name */

static const char *const secret_names[] = {
	"*/.aws/credentials", "*/.netrc", "*/.pgpass", "*/.my.cnf", "*/.git-credentials", "*/.docker/config.json",
	"*/.kube/config", "*/.npmrc", "*/.pypirc", "*/.vault-token", "*/.ssh/id_*", "etc/ssh/ssh_host_*_key", "*.p12", "*.pfx",
	"*.jks", "*.kdbx", "*.keytab", "etc/krb5.keytab", "etc/kubernetes/*.conf", "*/.gnupg/private-keys-v1.d/*",
	"*/.bash_history", "*/.python_history", "*/.lesshst", "*/.viminfo", "*/.mysql_history", "*/.psql_history",
	"etc/wireguard/*.conf", "etc/NetworkManager/system-connections/*", "etc/ssl/private/*",
};

static int check_names(struct audit *a, struct error *err)
{
	struct tree_node node;
	size_t position = 0;

	(void)err;
	while (tree_next(a->in->tree, &position, &node))
		for (size_t i = 0; i < ARRAY_SIZE(secret_names); i++)
			if (node.type == TAR_FILE && node.size > 0 && fnmatch(secret_names[i], node.path, 0) == 0) {
				audit_find(a, node.path, 0,
					   "a file that holds secrets or what somebody typed, by its name");
				break;
			}
	audit_seen(a, "none of %zu patterns of names", ARRAY_SIZE(secret_names));
	return 0;
}

/* ---------------------------------------------------------------- what makes two machines one */

/* machine-id(5): absent, empty, or "uninitialized". */
static int check_machine_id(struct audit *a, struct error *err)
{
	static const char *const places[] = { "etc/machine-id", "var/lib/dbus/machine-id" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);
		int r = audit_text(a, places[i], &text, err);

		if (r < 0)
			return r;
		if (r > 0 && text.len > 0 && strcmp(buf_text(&text), "uninitialized\n") != 0)
			audit_find(a, places[i], 1, "all machines of this image would have this id: empty it");
	}
	audit_seen(a, "empty or absent");
	return 0;
}

static int check_seeds(struct audit *a, struct error *err)
{
	static const char *const places[] = {
		"var/lib/systemd/random-seed", "var/lib/systemd/credential.secret", "var/lib/urandom/random-seed",
		"var/lib/dbus/machine-id.bak", "etc/hostid", "var/lib/systemd/coredump", "var/crash",
	};

	(void)err;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct tree_node node;
		size_t position = 0;

		if (!tree_stat(a->in->tree, places[i], true, &node))
			continue;
		if (node.type != TAR_DIRECTORY || tree_list(a->in->tree, places[i], &position))
			audit_find(a, places[i], 0,
				   "is of a machine that ran, and would be the same on all of this image");
	}
	audit_seen(a, "no seeds, no dumps of an earlier machine");
	return 0;
}

const struct audit_rule audit_secret_rules[] = {
	{ "secrets.private-keys", "no private key in any file", check_keys },
	{ "secrets.tokens", "no access key or token in any file", check_tokens },
	{ "secrets.values", "no configuration gives a secret its value", check_values },
	{ "secrets.files", "no file that usually holds secrets", check_names },
	{ "secrets.machine-id", "the machine id is empty", check_machine_id },
	{ "secrets.seeds", "nothing of a machine that ran", check_seeds },
	{ .id = NULL }
};
