/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "../../factory/model/declared.h"
#include "../tree.h"
#include "firewall.h"
#include "nft.h"
#include "rules.h"
#include "units.h"

/* What listens, and what the firewall lets through to it. */

static bool runs(const struct unit *u)
{
	return u && !u->masked && u->wanted;
}

/* ---------------------------------------------------------------- sockets */

static bool is_local(const char *address)
{
	return address[0] == '/' || address[0] == '@' || strncmp(address, "127.", 4) == 0 ||
	       strncmp(address, "[::1]:", 6) == 0 || strncmp(address, "[::ffff:127.", 12) == 0;
}

/* systemd.socket(5): a port, or an address, a colon and a port. */
static bool port_of(const char *address, unsigned int *ret)
{
	const char *colon = strrchr(address, ':');
	const char *digits = colon ? colon + 1 : address;
	char *end;
	unsigned long port = strtoul(digits, &end, 10);

	if (digits[0] < '0' || digits[0] > '9' || *end || port == 0 || port > 65535)
		return false;
	*ret = (unsigned int)port;
	return true;
}

static void judge_listen(struct audit *a, const struct unit *u, const struct unit_entry *e, bool udp)
{
	unsigned int port;

	if (is_local(e->value))
		return;
	if (strncmp(e->value, "vsock:", 6) == 0 || !port_of(e->value, &port))
		audit_find(a, e->path, e->line, "%s listens at \"%s\"", u->name, e->value);
	else if (!declared_has_port(a->in->declared, port, udp))
		audit_find(a, e->path, e->line, "%s listens on %s port %u, which is not declared", u->name,
			   udp ? "UDP" : "TCP", port);
}

static void check_socket(struct audit *a, const struct unit *u)
{
	static const struct {
		const char *key;
		bool udp;
	} keys[] = { { "ListenStream", false }, { "ListenSequentialPacket", false }, { "ListenDatagram", true } };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct unit_entry *e;
		size_t position = 0;

		while ((e = unit_file_next(&u->file, "Socket", keys[i].key, &position)))
			judge_listen(a, u, e, keys[i].udp);
	}
}

/* ---------------------------------------------------------------- services known to listen */

static const struct {
	const char *program;
	unsigned int port;
	bool udp;
} listeners[] = {
	{ "rpcbind", 111, false }, { "avahi-daemon", 5353, true }, { "smbd", 445, false }, { "nmbd", 137, true },
	{ "exim4", 25, false }, { "master", 25, false }, { "cupsd", 631, false }, { "nginx", 80, false },
	{ "apache2", 80, false }, { "httpd", 80, false }, { "named", 53, true }, { "dnsmasq", 53, true },
	{ "snmpd", 161, true }, { "ntpd", 123, true }, { "mysqld", 3306, false }, { "mariadbd", 3306, false },
	{ "postgres", 5432, false }, { "redis-server", 6379, false }, { "memcached", 11211, false },
	{ "dockerd", 2375, false }, { "kubelet", 10250, false }, { "node_exporter", 9100, false },
	{ "rsync", 873, false }, { "vsftpd", 21, false }, { "proftpd", 21, false }, { "in.tftpd", 69, true },
	{ "systemd-journal-remote", 19532, false }, { "systemd-journal-gatewayd", 19531, false },
};

static void check_service(struct audit *a, const struct unit *u)
{
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++) {
		const char *const programs[] = { listeners[i].program, NULL };
		const struct unit_entry *e = unit_runs(u, programs);

		if (e && !declared_has_port(a->in->declared, listeners[i].port, listeners[i].udp))
			audit_find(a, e->path, e->line,
				   "%s runs %s, which listens on %s port %u, and that is not declared", u->name,
				   listeners[i].program, listeners[i].udp ? "UDP" : "TCP", listeners[i].port);
	}
}

/* resolved.conf(5): Debian and systemd differ in what holds when nothing is said. */
static int check_resolved(struct audit *a, struct error *err)
{
	static const char *const files[] = { "usr/lib/systemd/resolved.conf", "etc/systemd/resolved.conf" };
	static const char *const places[] = { "usr/lib/systemd/resolved.conf.d", "etc/systemd/resolved.conf.d" };
	static const char *const keys[] = { "LLMNR", "MulticastDNS" };
	struct unit_file conf = { .entries = NULL };
	int r = 0;

	if (!runs(units_find(a->units, "systemd-resolved.service")))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(files) && r >= 0; i++) {
		CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);

		r = audit_text(a, files[i], &text, err);
		if (r > 0)
			unit_file_add(&conf, (struct text) { buf_text(&text), text.len }, files[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(places) && r >= 0; i++) {
		size_t position = 0;
		const char *name;

		while (r >= 0 && (name = tree_list(a->in->tree, places[i], &position))) {
			CLEANUP_FREE char *path = path_join(places[i], name);
			CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);

			r = audit_text(a, path, &text, err);
			if (r > 0)
				unit_file_add(&conf, (struct text) { buf_text(&text), text.len }, places[i]);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys) && r >= 0; i++)
		if (strcmp(unit_file_value(&conf, "Resolve", keys[i]), "no") != 0)
			audit_find(a, files[1], 0, "systemd-resolved answers strangers: say %s=no", keys[i]);
	unit_file_clear(&conf);
	return r < 0 ? r : 0;
}

static int check_listeners(struct audit *a, struct error *err)
{
	size_t sockets = 0, services = 0;

	for (size_t i = 0; i < a->units->count; i++) {
		const struct unit *u = &a->units->items[i];
		const char *kind = strrchr(u->name, '.');

		if (!runs(u))
			continue;
		if (strcmp(kind, ".socket") == 0) {
			sockets++;
			check_socket(a, u);
		} else if (strcmp(kind, ".service") == 0) {
			services++;
			check_service(a, u);
		}
	}
	audit_seen(a, "%zu socket units, all local or declared; none of %zu services is known to listen elsewhere",
		   sockets, services);
	return check_resolved(a, err);
}

/* ---------------------------------------------------------------- the firewall */

/* The file that "nft -f FILE" of a unit that runs names; NULL: there is none. Malloc'ed. */
static char *find_ruleset(const struct audit *a)
{
	static const char *const programs[] = { "nft", NULL };

	for (size_t i = 0; i < a->units->count; i++) {
		const struct unit_entry *e =
			runs(&a->units->items[i]) ? unit_runs(&a->units->items[i], programs) : NULL;
		const char *rest = e ? e->value : "";
		struct text word;
		bool next = false;

		while (unit_word_next(&rest, &word)) {
			if (next)
				return string_printf("%.*s", (int)word.size - (*word.data == '/'),
						     word.data + (*word.data == '/'));
			next = text_equal(word, "-f") || text_equal(word, "--file");
		}
	}
	return NULL;
}

static int check_firewall(struct audit *a, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);
	CLEANUP_NFT struct nft nft = { .chains = NULL };
	CLEANUP_FREE char *path = find_ruleset(a);
	int r;

	if (!path) {
		audit_find(a, "usr/lib/systemd/system/nftables.service", 0,
			   "no unit that runs loads a ruleset with \"nft -f\": enable it");
		return 0;
	}
	r = audit_text(a, path, &text, err);
	if (r < 0)
		return r;
	if (r == 0) {
		audit_find(a, path, 0, "the ruleset is missing");
		return 0;
	}
	nft_parse((struct text) { buf_text(&text), text.len }, &nft);
	firewall_judge(a, &nft, path);
	return 0;
}

/* ---------------------------------------------------------------- chrony */

struct chrony {
	bool closed;			/* "cmdport 0" came last */
	char *place;
	unsigned int line;
};

/* chrony.conf(5): comments begin with any of these; names ignore case. */
static void read_chrony(struct audit *a, struct text text, const char *path, struct chrony *c)
{
	struct text line, word, value;

	for (unsigned int number = 1; text_line(&text, &line); number++) {
		CLEANUP_FREE char *name = NULL;

		if (!text_word(&line, &word) || strchr("#%!;", word.data[0]))
			continue;
		name = text_copy(word);
		if (strcasecmp(name, "allow") == 0 || strcasecmp(name, "cmdallow") == 0)
			audit_find(a, path, number, "chronyd answers others (%s)", name);
		if (strcasecmp(name, "cmdport") != 0)
			continue;
		c->closed = text_word(&line, &value) && text_equal(value, "0");
		free(c->place);
		c->place = string_copy(path);
		c->line = number;
	}
}

static int read_chrony_file(struct audit *a, const char *path, struct chrony *c, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);
	int r = audit_text(a, path, &text, err);

	if (r > 0)
		read_chrony(a, (struct text) { buf_text(&text), text.len }, path, c);
	return r < 0 ? r : 0;
}

static int read_chrony_files(struct audit *a, struct chrony *c, struct error *err)
{
	static const char *const files[] = { "etc/chrony.conf", "etc/chrony/chrony.conf" };
	static const char *const places[] = { "etc/chrony.d", "etc/chrony/conf.d" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++)
		r = read_chrony_file(a, files[i], c, err);
	for (size_t i = 0; i < ARRAY_SIZE(places) && r == 0; i++) {
		size_t position = 0;
		const char *name;

		while (r == 0 && (name = tree_list(a->in->tree, places[i], &position))) {
			CLEANUP_FREE char *path = path_join(places[i], name);

			r = read_chrony_file(a, path, c, err);
		}
	}
	return r;
}

static int check_chrony(struct audit *a, struct error *err)
{
	struct chrony c = { .place = NULL };
	int r;

	if (!tree_has(a->in->tree, "usr/sbin/chronyd")) {
		audit_seen(a, "there is no chronyd");
		return 0;
	}
	r = read_chrony_files(a, &c, err);
	if (r == 0 && !c.closed)
		audit_find(a, c.place ? c.place : "etc/chrony.conf", c.line,
			   "chronyd's command port is open: say \"cmdport 0\"");
	else if (r == 0)
		audit_seen(a, "cmdport 0 (/%s:%u)", c.place, c.line);
	free(c.place);
	return r;
}

const struct audit_rule audit_network_rules[] = {
	{ "network.listeners", "nothing listens but what is declared", check_listeners },
	{ "network.firewall", "the firewall lets in what is declared, and no more", check_firewall },
	{ "network.chrony", "chrony's command port is closed", check_chrony },
	{ .id = NULL }
};
