/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/model/manifest.h"
#include "factory/model/proof.h"

#define DISK "a5f70fcc683537c0e248e53bcbe1b51faa58b6d0bc04c1bbc3f58fd0593d8507"

static void predict(struct pcr_log *log)
{
	pcr_log_add_data(log, 4, EV_EFI_ACTION, "action", "a", 1);
	pcr_log_add_data(log, 7, EV_SEPARATOR, "separator", "\0\0\0\0", 4);
}

static struct manifest *make_manifest(void)
{
	struct manifest *m = manifest_new();

	memcpy(m->disk_data_sha256, DISK, sizeof(DISK));
	m->pcr_mask = 1u << 4 | 1u << 7 | 1u << 12;
	predict(&m->events);
	return m;
}

/* The text of a proof of what was extended. */
static void make_text(const struct manifest *m, const char *more, bool secure_boot, struct buf *ret)
{
	CLEANUP_PROOF struct proof *p = proof_new();
	struct digest measured[PCR_COUNT][DIGEST_ALGS];
	struct error err = ERROR_INIT;

	memcpy(p->disk_data_sha256, DISK, sizeof(DISK));
	p->secure_boot = secure_boot;
	p->service_answered = true;
	p->seconds = 20.5;
	predict(&p->events);
	if (more)
		pcr_log_add_data(&p->events, 12, 0, "", more, strlen(more));
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		for (int alg = 0; alg < DIGEST_ALGS; alg++)
			pcr_replay(&p->events, pcr, alg, &measured[pcr][alg]);
	proof_compare(p, &m->events, m->pcr_mask, measured);
	need(proof_format(p, ret, &err) == 0, "a proof is written");
}

static struct proof *parse(const struct buf *text)
{
	struct proof *p = NULL;
	struct error err = ERROR_INIT;

	need(proof_parse(text->data, text->len, "p", &p, &err) == 0, "and read: %s", err.message);
	return p;
}

static void refuses(const struct proof *p, const struct manifest *m, bool secure_boot, const char *why)
{
	struct error err = ERROR_INIT;

	ok(proof_check(p, m, secure_boot, &err) < 0 && err.kind == ERROR_VERDICT, "it is no proof");
	ok_error(&err, why, "because: %s", why);
}

static void test_check(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_BUF struct buf good = BUF_INIT(1 << 16), bad = BUF_INIT(1 << 16);
	CLEANUP_PROOF struct proof *p = NULL, *different = NULL;
	struct error err = ERROR_INIT;

	make_text(m, NULL, false, &good);
	p = parse(&good);
	ok(p->row_count == 6 && p->proven && p->service_answered && !p->secure_boot, "all of it is there");
	ok(proof_check(p, m, false, &err) == 0, "it proves what the manifest predicts: %s", err.message);
	refuses(p, m, true, "Secure Boot off, and EC2 will start it with Secure Boot on");
	m->disk_data_sha256[0] = 'b';
	refuses(p, m, false, "another one");
	m->disk_data_sha256[0] = 'a';
	pcr_log_add_data(&m->events, 4, 0, "later", "x", 1);
	refuses(p, m, false, "PCR 4 (sha384) was not measured as the manifest predicts it");
	m->events.count--;
	m->pcr_mask |= 1u << 9;
	refuses(p, m, false, "PCR 9");
	m->pcr_mask &= ~(1u << 9);
	p->service_answered = false;
	refuses(p, m, false, "the service did not answer");

	make_text(m, "foo=1", false, &bad);
	different = parse(&bad);
	ok(!different->proven, "a boot that differed is read, too");
	refuses(different, m, false, "prediction and measurement differ");
	different->proven = true;
	refuses(different, m, false, "PCR 12");
}

static void test_texts(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);
	static const char *const changes[][2] = {
		{ "\"schema\": 3", "\"schema\": 4" }, { "\"schema\": 3", "\"schema\": 2" },
		{ "\"proven\": true", "\"proven\": 1   " }, { "\"rows\"", "\"Rows\"" }, { "\"bank\"", "\"BANK\"" },
		{ "\"sha384\"", "\"sha999\"" }, { "\"measured\": \"", "\"measured\": \"x" },
	};

	make_text(m, NULL, false, &text);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		char *at = strstr((char *)text.data, changes[i][0]);
		CLEANUP_FREE char *changed = NULL;
		struct proof *p = NULL;
		struct error err = ERROR_INIT;

		need(at, "%s is there", changes[i][0]);
		changed = string_printf("%.*s%s%s", (int)(at - (char *)text.data), (char *)text.data, changes[i][1],
					at + strlen(changes[i][0]));
		ok(proof_parse(changed, strlen(changed), "p", &p, &err) < 0 && err.kind == ERROR_INPUT && !p,
		   "%s is refused: %s", changes[i][1], err.message);
	}
}

/* A row that says "equal" of two values that are not. */
static void test_lie(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);
	struct proof *p = NULL;
	struct error err = ERROR_INIT;
	char *measured;

	make_text(m, NULL, false, &text);
	measured = strstr((char *)text.data, "\"measured\": \"");
	need(measured, "a value");
	measured += strlen("\"measured\": \"");
	*measured = *measured == '0' ? '1' : '0';
	ok(proof_parse(text.data, text.len, "p", &p, &err) < 0 && !p, "a row that contradicts itself is refused");
	ok_error(&err, "must be false", "and named");
}

int main(void)
{
	test_check();
	test_texts();
	test_lie();
	return tap_done();
}
