/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_PREDICT_H
#define KILN_FORMAT_PREDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pcr.h"
#include "predict_secureboot.h"

struct error;

/*
 * Says which events EDK2 firmware, systemd-stub and the Linux EFI stub will measure for one boot
 * of one UKI, in order. PCRs 4, 5, 7, 9, 11 and 12; the firmware's own PCRs 0-3 and 6 are not the
 * image's to predict.
 */

struct predict_input {
	const uint8_t *const *images;	/* PE images in load order; the last may be a UKI */
	const size_t *image_sizes;
	size_t image_count;
	const struct predict_keys *keys;	/* NULL: none. Secure Boot is on iff PK is there */
	const uint8_t *gpt_event;	/* UEFI_GPT_DATA of the boot disk (gpt_measured()); NULL: no PCR 5 */
	size_t gpt_event_size;
};

/*
 * Appends the events to `log`. ERROR_INPUT: an image is no PE32+, or a UKI whose stub version
 * cannot be told. With Secure Boot on there are authority events, and the kernel inside a UKI is
 * not measured by the firmware; ERROR_INPUT also when the firmware would refuse an image.
 */
int predict_boot(const struct predict_input *in, struct pcr_log *log, struct error *err);

/* Which PCRs predict_boot() speaks for: bit n = PCR n. */
uint32_t predict_pcr_mask(const struct predict_input *in);

#endif
