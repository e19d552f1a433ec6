/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "factory/model/declared.h"
#include "rootfs/audit/firewall.h"
#include "rootfs/audit/nft.h"
#include "rootfs/audit/rules.h"
#include "rootfs/audit/scan.h"
#include "rootfs/audit/secrets.h"
#include "rootfs/audit/sysctl.h"
#include "rootfs/audit/unit_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_unit(struct text text)
{
	struct unit_file f = { .entries = NULL };
	size_t position = 0;
	struct text word;

	unit_file_add(&f, text, "f");
	for (size_t i = 0; i < f.count; i++) {
		const char *rest = f.entries[i].value;

		while (unit_word_next(&rest, &word))
			if (word.size == 0)
				abort();
		if (!unit_file_value(&f, NULL, f.entries[i].key))
			abort();
	}
	while (f.count > 0 && unit_file_next(&f, NULL, f.entries[0].key, &position))
		;
	unit_file_clear(&f);
}

/* Whatever is written there, it is judged: what cannot be read is a finding. */
static void fuzz_nft(struct text text)
{
	struct declared_port port = { 3000, false };
	const struct declared declared = { .ports = &port, .port_count = 1 };
	const struct audit_input input = { .declared = &declared, .cmdline = "" };
	const struct audit_rule rule = { .id = "network.firewall", .title = "" };
	struct audit_result result = { .rule = rule.id, .title = "" };
	struct audit a = { .in = &input, .rule = &rule, .result = &result };
	struct nft nft = { .chains = NULL };

	nft_parse(text, &nft);
	firewall_judge(&a, &nft, "f");
	for (size_t i = 0; i < result.count; i++) {
		free(result.findings[i].path);
		free(result.findings[i].text);
	}
	free(result.findings);
	free(result.seen);
	nft_clear(&nft);
}

static void fuzz_sysctl(struct text text)
{
	struct sysctl s = { .settings = NULL };

	sysctl_add(&s, text, "f");
	(void)sysctl_find(&s, "kernel.sysrq");
	sysctl_clear(&s);
}

static void check_hit(void *arg, enum scan_kind kind, size_t at, const char *what)
{
	if (at >= *(const size_t *)arg || kind > SCAN_SSH_SERVER || !what[0])
		abort();
}

static void fuzz_lines(struct text text)
{
	struct text line;

	while (text_line(&text, &line))
		(void)secrets_line(line);
}

static void fuzz_cmdline(struct text text)
{
	char *copy = text_copy((struct text) { text.data, strnlen(text.data, text.size) });
	const char *rest = copy;
	struct audit_parameter p;

	while (audit_parameter_next(&rest, &p))
		if (strlen(p.key) >= sizeof(p.key) || strlen(p.value) >= sizeof(p.value))
			abort();
	free(copy);
}

/* The first byte says which parser; the texts are those of files in an image. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct text text = { (const char *)data + 1, size - 1 };

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'u':
		fuzz_unit(text);
		break;
	case 'n':
		fuzz_nft(text);
		break;
	case 's':
		fuzz_sysctl(text);
		break;
	case 'c':
		fuzz_cmdline(text);
		break;
	case 'l':
		fuzz_lines(text);
		break;
	default:
		scan_bytes(data, size, size, data[0] & 1, check_hit, &size);
	}
	return 0;
}
