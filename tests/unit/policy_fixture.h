/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_POLICY_FIXTURE_H
#define KILN_TESTS_UNIT_POLICY_FIXTURE_H

#include "factory/base/io.h"
#include "factory/model/manifest.h"
#include "tests/unit/tap.h"

#define PCR(n) (1u << (n))

/* A manifest with what policies and templates read of one: PCR 4, 7 and 12 predicted, with keys for Secure Boot, too. */
static inline struct manifest *policy_manifest(bool keys)
{
	struct manifest *m = manifest_new();

	free(m->name);
	free(m->version);
	free(m->arch);
	m->name = string_copy("mpc");
	m->version = string_copy("1.0.0");
	m->arch = string_copy("x86_64");
	m->disk_size = (uint64_t)3 << 30;
	m->service_port = 3000;
	memset(m->disk_data_sha256, 'd', 64);
	memset(m->root_hash, '0', 64);
	m->pcr_mask = PCR(4) | PCR(7) | PCR(12);
	pcr_log_add_data(&m->events, 4, EV_EFI_ACTION, "action", "a", 1);
	if (keys) {
		m->secure_boot = manifest_secure_boot_new();
		m->secure_boot->pcr_mask = m->pcr_mask;
		pcr_log_add_data(&m->secure_boot->events, 4, EV_EFI_ACTION, "action", "b", 1);
		pcr_log_add_data(&m->secure_boot->events, 7, EV_SEPARATOR, "separator", "\0\0\0\0", 4);
	}
	return m;
}

/*
 * Is the text that of tests/golden/NAME? With KILN_GOLDEN=write it becomes that, to be read before it is committed.
 */
static inline void check_golden(const char *name, const struct buf *text)
{
	char *path = string_printf("tests/golden/%s", name);
	struct buf expected = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;
	const char *mode = getenv("KILN_GOLDEN");

	if (mode && strcmp(mode, "write") == 0)
		need(io_write_file(path, text->data, text->len, 0644, &err) == 0, "%s: %s", path, err.message);
	need(io_read_file(path, 1 << 20, &expected, &err) == 0, "%s: %s", path, err.message);
	ok_str(buf_text(text), buf_text(&expected), "the text is that of %s", path);
	buf_free(&expected);
	free(path);
}

#endif
