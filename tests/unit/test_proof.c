/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/model/manifest.h"
#include "factory/model/proof.h"

/* The manifest predicts three events for PCR 4 and none for PCR 12. */
static void predict(struct pcr_log *log)
{
	pcr_log_add_data(log, 4, EV_EFI_ACTION, "action", "a", 1);
	pcr_log_add_data(log, 4, EV_SEPARATOR, "separator", "\0\0\0\0", 4);
	pcr_log_add_data(log, 4, EV_EFI_BOOT_SERVICES_APPLICATION, "UKI \\EFI\\BOOT\\BOOTX64.EFI", "u", 1);
}

static struct manifest *make_manifest(void)
{
	struct manifest *m = manifest_new();

	m->pcr_mask = 1u << 4 | 1u << 12;
	predict(&m->events);
	return m;
}

static void see(struct proof *p, unsigned int pcr, const char *data, size_t size)
{
	pcr_log_add_data(&p->events, pcr, 0, "", data, size);
}

/* Compares with a TPM that holds exactly what the extends lead to. */
static void compare(struct proof *p, const struct manifest *m)
{
	struct digest measured[PCR_COUNT][DIGEST_ALGS];

	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		for (int alg = 0; alg < DIGEST_ALGS; alg++)
			pcr_replay(&p->events, pcr, alg, &measured[pcr][alg]);
	proof_compare(p, &m->events, m->pcr_mask, measured);
}

static char *table_of(const struct proof *p)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);

	need(proof_table(p, &text) == 0, "a table is written");
	return string_copy(buf_text(&text));
}

static void test_proven(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_PROOF struct proof *p = proof_new();
	CLEANUP_FREE char *table = NULL;

	see(p, 0, "firmware", 8);
	see(p, 4, "a", 1);
	see(p, 4, "\0\0\0\0", 4);
	see(p, 4, "u", 1);
	p->service_answered = true;
	compare(p, m);
	ok(p->proven, "a boot as predicted is proven");
	need(p->row_count == 4, "two PCRs in two banks");
	ok(p->rows[0].pcr == 4 && p->rows[0].alg == DIGEST_SHA384, "SHA-384 comes first");
	ok(p->rows[1].pcr == 4 && p->rows[1].alg == DIGEST_SHA256, "then SHA-256");
	ok_int(p->rows[2].pcr, 12, "then the next PCR");
	ok_str(p->events.events[3].label, "UKI \\EFI\\BOOT\\BOOTX64.EFI", "events get their labels");
	ok_str(p->events.events[0].label, "", "but not those that nobody predicted");
	ok_int(p->events.events[3].type, EV_EFI_BOOT_SERVICES_APPLICATION, "and their types");
	table = table_of(p);
	ok(!strstr(table, "DIFFERENT") && strstr(table, "equal"), "the table agrees");
	for (const char *line = table; *line; line += strcspn(line, "\n") + 1)
		ok(strcspn(line, "\n") <= 100, "a row fits in 100 columns");
	p->service_answered = false;
	compare(p, m);
	ok(!p->proven, "without the service's answer nothing is proven");
}

static void test_other_event(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_PROOF struct proof *p = proof_new();
	CLEANUP_FREE char *table = NULL;
	const char *said;

	see(p, 4, "a", 1);
	see(p, 4, "\0\0\0\0", 4);
	see(p, 4, "v", 1);
	p->service_answered = true;
	compare(p, m);
	ok(!p->proven && !p->rows[0].equal && !p->rows[1].equal, "another boot file is no proof");
	ok(p->rows[2].equal, "the other PCR is as predicted");
	ok_int(p->rows[0].diverges_at, 2, "the third event is it");
	ok_str(p->rows[0].expected_label, "UKI \\EFI\\BOOT\\BOOTX64.EFI", "the label that was expected");
	ok(digest_equal(&p->rows[0].expected, &m->events.events[2].digests[DIGEST_SHA384]), "expected");
	ok(digest_equal(&p->rows[0].seen, &p->events.events[2].digests[DIGEST_SHA384]), "seen");
	ok(!p->rows[0].nothing_seen, "something was seen");
	ok_str(p->events.events[2].label, "", "what was seen has no label");
	table = table_of(p);
	said = strstr(table, "PCR 4: event 3 differs: expected UKI \\EFI\\BOOT\\BOOTX64.EFI (sha384 ");
	ok(said, "the table names the event");
	ok(said && !strstr(said + 1, "PCR 4:"), "once for both banks");
}

static void test_missing_event(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_PROOF struct proof *p = proof_new();
	CLEANUP_FREE char *table = NULL;

	see(p, 4, "a", 1);
	compare(p, m);
	ok(!p->rows[0].equal && p->rows[0].nothing_seen, "a boot that stopped early");
	ok_int(p->rows[0].diverges_at, 1, "at the second event");
	ok_str(p->rows[0].expected_label, "separator", "which was to be the separator");
	table = table_of(p);
	ok(strstr(table, "PCR 4: event 2 is missing: expected separator"), "the table says so");
	ok(strstr(table, "extended nothing more"), "and why");
}

static void test_extra_event(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_PROOF struct proof *p = proof_new();
	CLEANUP_FREE char *table = NULL;

	see(p, 4, "a", 1);
	see(p, 4, "\0\0\0\0", 4);
	see(p, 4, "u", 1);
	see(p, 12, "f\0o\0o\0\0\0", 8);
	p->service_answered = true;
	compare(p, m);
	ok(!p->proven && p->rows[0].equal && !p->rows[2].equal, "an event where none was predicted");
	ok_int(p->rows[2].diverges_at, 0, "the first one");
	ok_str(p->rows[2].expected_label, "", "nothing was expected");
	table = table_of(p);
	ok(strstr(table, "PCR 12: the machine extended one more event, number 1"), "the table says so");
}

/* An unexpected event in the middle: it is the divergence, and those behind it keep their names. */
static void test_inserted_event(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_PROOF struct proof *p = proof_new();

	see(p, 4, "a", 1);
	see(p, 4, "returned", 8);
	see(p, 4, "\0\0\0\0", 4);
	see(p, 4, "u", 1);
	compare(p, m);
	ok_int(p->rows[0].diverges_at, 1, "the inserted event diverges");
	ok_str(p->rows[0].expected_label, "separator", "in place of the separator");
	ok_str(p->events.events[1].label, "", "it has no name");
	ok_str(p->events.events[2].label, "separator", "the next one has");
	ok_str(p->events.events[3].label, "UKI \\EFI\\BOOT\\BOOTX64.EFI", "and the one after");
}

/* A TPM that does not hold what went through the proxy: somebody else extends it, or resets it. */
static void test_replay(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_PROOF struct proof *p = proof_new();
	CLEANUP_FREE char *table = NULL;
	struct digest measured[PCR_COUNT][DIGEST_ALGS];

	predict(&p->events);
	p->service_answered = true;
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		for (int alg = 0; alg < DIGEST_ALGS; alg++)
			pcr_replay(&m->events, pcr, alg, &measured[pcr][alg]);
	proof_compare(p, &m->events, m->pcr_mask, measured);
	ok(p->proven, "proven before");
	measured[4][DIGEST_SHA384].bytes[0] ^= 1;
	proof_compare(p, &m->events, m->pcr_mask, measured);
	ok(!p->proven && !p->rows[0].equal && p->rows[1].equal, "one bit of one bank");
	ok_int(p->rows[0].diverges_at, 3, "no event differs");
	table = table_of(p);
	ok(strstr(table, "every sha384 extend is as predicted, yet the TPM holds another"),
	   "the table says so");

	measured[4][DIGEST_SHA384].bytes[0] ^= 1;
	see(p, 4, "more", 4);
	proof_compare(p, &m->events, m->pcr_mask, measured);
	ok(!p->proven, "the right value by other extends is no proof");
}

static void test_one_bank(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_PROOF struct proof *p = proof_new();
	CLEANUP_BUF struct buf json = BUF_INIT(1 << 16);
	struct error err = ERROR_INIT;

	predict(&p->events);
	see(p, 4, "later", 5);
	p->events.events[3].absent[DIGEST_SHA384] = true;
	p->service_answered = true;
	compare(p, m);
	ok(p->rows[0].equal, "an extend of the other bank leaves this one");
	ok(!p->rows[1].equal && p->rows[1].diverges_at == 3, "and shows in its own");
	need(proof_format(p, &json, &err) == 0, "JSON is written");
	ok(strstr(buf_text(&json), "\"sha384\": null"), "the record says which bank");
}

static void test_nothing(void)
{
	CLEANUP_MANIFEST struct manifest *m = manifest_new();
	CLEANUP_PROOF struct proof *p = proof_new();

	p->service_answered = true;
	compare(p, m);
	ok(!p->proven && p->row_count == 0, "a manifest that predicts nothing proves nothing");
}

static void test_format(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_manifest();
	CLEANUP_PROOF struct proof *p = proof_new();
	CLEANUP_BUF struct buf json = BUF_INIT(1 << 16), tiny = BUF_INIT(64);
	struct error err = ERROR_INIT;

	see(p, 4, "a", 1);
	p->seconds = 21.3;
	free(p->qemu);
	p->qemu = string_copy("QEMU \xff");
	compare(p, m);
	need(proof_format(p, &json, &err) == 0, "JSON is written");
	ok(strncmp(buf_text(&json), "{\n  \"schema\": 3,\n", 17) == 0, "with a schema");
	ok(strstr(buf_text(&json), "\"seconds\": 21.3,"), "seconds without binary dust");
	ok(strstr(buf_text(&json), "\"qemu\": \"QEMU ?\""), "a version that is no UTF-8 spoils nothing");
	ok(strstr(buf_text(&json), "\"proven\": false"), "the verdict");
	ok(strstr(buf_text(&json), "\"expected_label\": \"separator\""), "the divergence");
	ok(strstr(buf_text(&json), "\"seen\": null"), "and that nothing was seen");
	ok(proof_format(p, &tiny, &err) < 0 && tiny.len == 0, "a full buffer is an error");
	ok(proof_table(p, &tiny) < 0, "of the table too");
}

int main(void)
{
	test_proven();
	test_other_event();
	test_missing_event();
	test_extra_event();
	test_inserted_event();
	test_replay();
	test_one_bank();
	test_nothing();
	test_format();
	return tap_done();
}
