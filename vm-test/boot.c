/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/clock.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/host.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/manifest.h"
#include "../factory/model/proof.h"
#include "console.h"
#include "machine.h"
#include "probe.h"
#include "qemu.h"
#include "terminal.h"
#include "tpm_proxy.h"
#include "verify.h"

#define DEFAULT_SERVICE_PORT 3000
#define STEP_MS 100
#define TAIL_MAX 1400		/* characters of console in an error message */

/* ERROR_OUTSIDE: the reason, and below it the console's last lines. */
static int no_answer(const struct machine *machine, struct error *err, const char *reason)
{
	CLEANUP_BUF struct buf tail = BUF_INIT(TAIL_MAX + 1);

	if (console_tail(machine_console(machine), TAIL_MAX, &tail) < 0 || !tail.len)
		return error_outside(err, "%s; its console showed nothing", reason);
	return error_outside(err, "%s; the last lines of its console:\n%s", reason, buf_text(&tail));
}

static int check_alive(struct machine *machine, struct error *err)
{
	CLEANUP_BUF struct buf reason = BUF_INIT(1024);
	CLEANUP_FREE char *text = NULL;
	const char *fatal = machine_console(machine)->fatal;

	if (machine_ended(machine, &reason)) {
		text = string_printf("the machine ended before its service answered: %s",
				     buf_text(&reason));
		return no_answer(machine, err, text);
	}
	if (fatal[0]) {
		/* EDK2 ends its sentence with a full stop, and this one goes on. */
		text = string_printf("the machine will never answer: %.*s",
				     (int)strlen(fatal) - (fatal[strlen(fatal) - 1] == '.'), fatal);
		return no_answer(machine, err, text);
	}
	return 0;
}

static int time_is_up(const struct machine *machine, const struct probe *probe, unsigned int timeout_s,
		      struct error *err)
{
	CLEANUP_FREE char *answer = probe_answer(probe)[0] ?
		string_printf(" (its last answer: %s)", probe_answer(probe)) : string_copy("");
	CLEANUP_FREE char *text =
		string_printf("the machine's service did not answer within %u s%s", timeout_s, answer);

	return no_answer(machine, err, text);
}

/* Until the service answers 200, the machine dies or the time runs out. */
static int await_service(struct machine *machine, unsigned int timeout_s, int64_t power_on,
			 struct error *err)
{
	CLEANUP_PROBE struct probe probe = PROBE_INIT(machine_port(machine));
	int64_t deadline = power_on + (int64_t)timeout_s * 1000;
	bool answered = false;

	while (!answered) {
		struct pollfd pollfd;
		int64_t now;

		probe_poll(&probe, &pollfd);
		if (machine_step(machine, &pollfd, 1, STEP_MS, NULL, err) < 0 ||
		    check_alive(machine, err) < 0)
			return -err->code;
		now = clock_ms();
		answered = probe_step(&probe, pollfd.revents, now);
		if (!answered && now >= deadline)
			return time_is_up(machine, &probe, timeout_s, err);
		log_step_update((uint64_t)(now - power_on) / 1000, timeout_s, "s");
	}
	return 0;
}

static void copy_events(struct proof *proof, const struct pcr_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		pcr_log_add(&proof->events, &log->events[i]);
}

/* Boots, waits and reads; the machine is gone again afterwards. */
static int boot_and_measure(const struct boot_options *options, unsigned int service_port,
			    struct proof *proof,
			    struct digest measured[static PCR_COUNT][DIGEST_ALGS], struct error *err)
{
	CLEANUP_MACHINE struct machine *machine = NULL;
	int64_t power_on;

	if (machine_start(options, service_port, false, &machine, err) < 0)
		return -err->code;
	power_on = clock_ms();
	if (await_service(machine, options->timeout_s, power_on, err) < 0)
		return -err->code;
	proof->service_answered = true;
	proof->seconds = (double)(clock_ms() - power_on) / 1000;
	/* Nothing of the guest's can come between: its commands wait while the proxy's are served. */
	if (verify_read_pcrs(machine_tpm(machine), measured, err) < 0)
		return -err->code;
	copy_events(proof, tpm_proxy_log(machine_tpm(machine)));
	return 0;
}

static int describe(const struct boot_options *options, const struct manifest *m, struct proof *proof,
		    struct error *err)
{
	char *qemu = NULL;

	if (qemu_version(options->host, &qemu, err) < 0)
		return -err->code;
	memcpy(proof->disk_data_sha256, m->disk_data_sha256, sizeof(proof->disk_data_sha256));
	free(proof->qemu);
	proof->qemu = qemu;
	free(proof->firmware);
	proof->firmware = string_copy(options->firmware_name);
	free(proof->accel);
	proof->accel = string_copy(options->host->accel == HOST_KVM ? "kvm" : "tcg");
	return 0;
}

static unsigned int service_port(const struct manifest *m)
{
	return m && m->service_port ? m->service_port : DEFAULT_SERVICE_PORT;
}

static void compare(const struct boot_options *options, const struct manifest *m, struct proof *proof,
		    struct digest measured[static PCR_COUNT][DIGEST_ALGS])
{
	proof->secure_boot = options->secure_boot;
	if (options->secure_boot)
		proof_compare(proof, &m->secure_boot->events, m->secure_boot->pcr_mask, measured);
	else
		proof_compare(proof, &m->events, m->pcr_mask, measured);
}

int boot_prove(const struct boot_options *options, const struct manifest *m, struct proof **ret,
	       struct error *err)
{
	CLEANUP_PROOF struct proof *proof = proof_new();
	struct digest measured[PCR_COUNT][DIGEST_ALGS];
	int r;

	if (describe(options, m, proof, err) < 0)
		return -err->code;
	log_step_begin(1, 1, "booting the disk until its service answers");
	r = boot_and_measure(options, service_port(m), proof, measured, err);
	log_step_end(r < 0 ? "failed" : "done");
	if (r < 0)
		return r;
	compare(options, m, proof, measured);
	*ret = TAKE_PTR(proof);
	return 0;
}

static int show(const struct buf *output, struct error *err)
{
	for (size_t done = 0; done < output->len;) {
		ssize_t n = write(STDOUT_FILENO, output->data + done, output->len - done);

		if (n < 0 && errno != EINTR)
			return error_system(err, errno, "cannot write to standard output");
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* The console is this terminal: it ends with the guest or by Ctrl-A X. */
static int converse(struct machine *machine, struct error *err)
{
	CLEANUP_TERMINAL struct terminal terminal = TERMINAL_INIT;
	CLEANUP_BUF struct buf output = BUF_INIT((size_t)1 << 20);
	CLEANUP_BUF struct buf reason = BUF_INIT(1024);

	if (terminal_open(&terminal, err) < 0)
		return -err->code;
	while (!machine_ended(machine, &reason)) {
		struct pollfd input;

		terminal_poll(&terminal, &input);
		if (machine_step(machine, &input, 1, -1, &output, err) < 0 || show(&output, err) < 0)
			return -err->code;
		buf_truncate(&output, 0);
		if (input.revents)
			terminal_read(&terminal, &output);
		machine_type(machine, output.data, output.len);
		buf_truncate(&output, 0);
		if (terminal.quit)
			return 0;
	}
	terminal_close(&terminal);
	log_info("%s", buf_text(&reason));
	return 0;
}

int boot_run(const struct boot_options *options, const struct manifest *m, struct error *err)
{
	CLEANUP_MACHINE struct machine *machine = NULL;

	if (machine_start(options, service_port(m), true, &machine, err) < 0)
		return -err->code;
	return converse(machine, err);
}
