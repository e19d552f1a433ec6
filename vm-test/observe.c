/* SPDX-License-Identifier: Apache-2.0 */
#include "observe.h"

#include <string.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/clock.h"
#include "../factory/base/error.h"
#include "../factory/base/log.h"
#include "boot_options.h"
#include "machine.h"
#include "probe.h"
#include "tpm_proxy.h"
#include "verify.h"

#define STEP_MS 100
#define TYPING_MS 1000
/* A page that does not come: a block that cannot be read is tried again a few times. */
#define PAGE_TIMEOUT_MS 60000

const char *const boot_end_names[] = {
	[BOOT_ANSWERED] = "boots",
	[BOOT_UNWELL] = "boots, service not well",
	[BOOT_REFUSED] = "refused by the firmware",
	[BOOT_STOPPED] = "stops in the kernel",
	[BOOT_NOTHING] = "nothing to boot",
	[BOOT_SILENT] = "silent",
};

/* Has the machine come to an end that is none of the service's? */
static bool has_ended(struct machine *m, struct boot_observation *o)
{
	const struct console *c = machine_console(m);
	bool panicked = strstr(c->fatal, "Kernel panic");

	if (!c->fatal[0] && !machine_ended(m, NULL))
		return false;
	/* Without --no-reboot's end there is a panic's line; without either the firmware has given up. */
	o->end = panicked || !c->fatal[0] ? BOOT_STOPPED : c->refused[0] ? BOOT_REFUSED : BOOT_NOTHING;
	memcpy(o->said, o->end == BOOT_REFUSED ? c->refused : c->fatal, sizeof(o->said));
	return true;
}

struct typist {
	const char *text;
	int64_t next_ms;
};

static void type(struct machine *m, struct typist *t, int64_t now)
{
	if (!t->text || now < t->next_ms)
		return;
	machine_type(m, t->text, strlen(t->text));
	t->next_ms = now + TYPING_MS;
}

/* RFC 9110, 15.6.4. A service that is still starting listens nowhere yet. */
static bool is_unwell(const struct probe *probe)
{
	return !strncmp(probe_answer(probe), "HTTP/1.1 503", 12);
}

/* Until the probe is answered (true), the machine has ended or the time is up. */
static int wait(struct machine *m, struct probe *probe, struct typist *typist, int64_t deadline,
		struct boot_observation *o, bool *ret_answered, struct error *err)
{
	*ret_answered = false;
	while (!*ret_answered && !has_ended(m, o)) {
		struct pollfd pollfd;
		int64_t now;

		probe_poll(probe, &pollfd);
		if (machine_step(m, &pollfd, 1, STEP_MS, NULL, err) < 0)
			return -err->code;
		now = clock_ms();
		*ret_answered = probe_step(probe, pollfd.revents, now);
		if (!*ret_answered && is_unwell(probe)) {
			o->end = BOOT_UNWELL;
			return 0;
		}
		if (now >= deadline)
			return 0;
		type(m, typist, now);
	}
	return 0;
}

/* Firmware extends all banks it knows of, and the TPM those it has. */
static void replay(struct boot_observation *o, bool sha256_only)
{
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		for (int alg = 0; alg < DIGEST_ALGS; alg++) {
			pcr_replay(&o->events, pcr, (enum digest_alg)alg, &o->measured[pcr][alg]);
			if (sha256_only && alg != DIGEST_SHA256)
				memset(o->measured[pcr][alg].bytes, 0, sizeof(o->measured[pcr][alg].bytes));
		}
}

static int measure(struct machine *m, bool answered, bool sha256_only, struct boot_observation *o, struct error *err)
{
	const struct pcr_log *log = tpm_proxy_log(machine_tpm(m));

	for (size_t i = 0; i < log->count; i++)
		pcr_log_add(&o->events, &log->events[i]);
	if (answered && !sha256_only)
		return verify_read_pcrs(machine_tpm(m), o->measured, err);
	replay(o, sha256_only);
	return 0;
}

static int fetch(struct machine *m, const char *path, struct boot_observation *o, struct error *err)
{
	CLEANUP_PROBE struct probe probe = PROBE_INIT(machine_port(m));
	struct typist nobody = { .text = NULL };
	int r;

	probe.path = path;
	r = wait(m, &probe, &nobody, clock_ms() + PAGE_TIMEOUT_MS, o, &o->fetched, err);
	/* It has booted, even if it ends here; the console's line tells. */
	o->end = BOOT_ANSWERED;
	return r;
}

static int observe(struct machine *m, const struct boot_options *options, const char *path, struct boot_observation *o,
		   struct error *err)
{
	CLEANUP_PROBE struct probe probe = PROBE_INIT(machine_port(m));
	struct typist typist = { .text = options->typed };
	int64_t power_on = clock_ms();
	bool answered;
	int r;

	o->end = BOOT_SILENT;
	r = wait(m, &probe, &typist, power_on + (int64_t)options->timeout_s * 1000, o, &answered, err);
	if (r == 0 && answered)
		o->end = BOOT_ANSWERED;
	o->seconds = (double)(clock_ms() - power_on) / 1000;
	if (r == 0)
		r = measure(m, answered, options->sha256_only, o, err);
	if (r == 0 && answered && path)
		r = fetch(m, path, o, err);
	return r;
}

int boot_observe(const struct boot_options *options, unsigned int service_port, const char *path,
		 struct boot_observation *ret, struct error *err)
{
	CLEANUP_MACHINE struct machine *m = NULL;
	int r = machine_start(options, service_port, false, &m, err);

	return r < 0 ? r : observe(m, options, path, ret, err);
}

void boot_observation_clear(struct boot_observation *o)
{
	pcr_log_free(&o->events);
}

uint32_t boot_differences(const struct boot_observation *o, const struct pcr_log *predicted, uint32_t pcr_mask)
{
	uint32_t different = 0;

	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		for (int alg = 0; alg < DIGEST_ALGS && pcr_mask & 1u << pcr; alg++) {
			struct digest expected, seen;

			pcr_replay(predicted, pcr, (enum digest_alg)alg, &expected);
			pcr_replay(&o->events, pcr, (enum digest_alg)alg, &seen);
			if (!digest_equal(&expected, &o->measured[pcr][alg]) || !digest_equal(&expected, &seen))
				different |= 1u << pcr;
		}
	return different;
}
