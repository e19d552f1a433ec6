/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "pe.h"
#include "predict.h"
#include "predict_secureboot.h"
#include "predict_stub.h"

#define PCR_BOOT_MANAGER 4
#define PCR_BOOT_CONFIG 5
#define PCR_MASK_ALWAYS (1u << 4 | 1u << 7 | 1u << 12)
#define PCR_MASK_UKI (1u << 9 | 1u << 11)

#define OPT_SUBSYSTEM 68
#define SUBSYSTEM_EFI_APPLICATION 10

static void add_text(struct pcr_log *log, unsigned int pcr, const char *label, const char *text)
{
	pcr_log_add_data(log, pcr, EV_EFI_ACTION, label, text, strlen(text));
}

static void add_separator(struct pcr_log *log, unsigned int pcr)
{
	pcr_log_add_data(log, pcr, EV_SEPARATOR, "separator", "\0\0\0", 4);
}

/* Tcg2Dxe on "ready to boot": the action, then separators; the GPT follows with the first image. */
static void ready_to_boot_events(const struct predict_input *in, struct pcr_log *log)
{
	add_text(log, PCR_BOOT_MANAGER, "boot option action", "Calling EFI Application from Boot Option");
	add_separator(log, PCR_BOOT_MANAGER);
	if (!in->gpt_event)
		return;
	add_separator(log, PCR_BOOT_CONFIG);
	pcr_log_add_data(log, PCR_BOOT_CONFIG, EV_EFI_GPT_EVENT, "GPT", in->gpt_event,
			 in->gpt_event_size);
}

static void exit_boot_services_events(const struct predict_input *in, struct pcr_log *log)
{
	if (!in->gpt_event)
		return;
	add_text(log, PCR_BOOT_CONFIG, "Exit Boot Services Invocation", "Exit Boot Services Invocation");
	add_text(log, PCR_BOOT_CONFIG, "Exit Boot Services Returned with Success",
		 "Exit Boot Services Returned with Success");
}

static int check_image(const struct pe *image, bool last, struct error *err)
{
	unsigned int subsystem;

	if (!image->plus)
		return error_input(err, "32-bit PE image, which no 64-bit firmware starts");
	subsystem = read_le16(image->data + image->optional_offset + OPT_SUBSYSTEM);
	if (subsystem != SUBSYSTEM_EFI_APPLICATION)
		return error_input(err, "no EFI application: its subsystem is %u", subsystem);
	if (stub_present(image) && !last)
		return error_input(err, "a UKI starts its own kernel, so no image can follow it");
	return 0;
}

static int image_event(const struct pe *image, struct pcr_log *log, struct error *err)
{
	struct iovec pieces[PE_AUTHENTICODE_PIECES];
	size_t count = 0;
	int r = pe_authenticode_pieces(image, pieces, &count, err);

	if (r < 0)
		return r;
	pcr_log_add_later(log, PCR_BOOT_MANAGER, EV_EFI_BOOT_SERVICES_APPLICATION,
			  stub_present(image) ? "UKI" : "EFI application", pieces, count);
	return 0;
}

static int image_events(const struct predict_input *in, size_t index, struct pcr_log *log,
			struct error *err)
{
	bool secure_boot = secureboot_enabled(in->keys);
	struct pe image;
	int r;

	r = pe_parse(in->images[index], in->image_sizes[index], &image, err);
	if (r == 0)
		r = check_image(&image, index + 1 == in->image_count, err);
	if (r == 0 && secure_boot)
		r = secureboot_authority_event(&image, in->keys, log, err);
	if (r == 0)
		r = image_event(&image, log, err);
	if (r == 0 && stub_present(&image))
		r = stub_events(&image, secure_boot, log, err);
	if (r < 0 && in->image_count > 1)
		return error_wrap(err, "image %zu", index + 1);
	return r;
}

int predict_boot(const struct predict_input *in, struct pcr_log *log, struct error *err)
{
	CLEANUP_PCR_LOG struct pcr_log events = PCR_LOG_INIT;
	int r;

	r = secureboot_variable_events(in->keys, &events, err);
	if (r < 0)
		return r;
	ready_to_boot_events(in, &events);
	for (size_t i = 0; i < in->image_count; i++) {
		r = image_events(in, i, &events, err);
		if (r < 0)
			return r;
	}
	exit_boot_services_events(in, &events);
	pcr_log_settle(&events);
	for (size_t i = 0; i < events.count; i++)
		pcr_log_add(log, &events.events[i]);
	return 0;
}

static bool ends_in_uki(const struct predict_input *in)
{
	struct error ignored = ERROR_INIT;
	size_t last = in->image_count - 1;
	struct pe image;

	return in->image_count > 0 &&
	       pe_parse(in->images[last], in->image_sizes[last], &image, &ignored) == 0 &&
	       stub_present(&image);
}

uint32_t predict_pcr_mask(const struct predict_input *in)
{
	uint32_t mask = PCR_MASK_ALWAYS;

	if (in->gpt_event)
		mask |= 1u << PCR_BOOT_CONFIG;
	if (ends_in_uki(in))
		mask |= PCR_MASK_UKI;
	return mask;
}
