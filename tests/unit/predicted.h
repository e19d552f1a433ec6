/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_PREDICTED_H
#define KILN_TESTS_UNIT_PREDICTED_H

#include "factory/format/predict.h"
#include "factory/format/uki.h"
#include "tests/unit/pe_image.h"
#include "tests/unit/tap.h"

/* What the tests of the prediction share: one small UKI, and checks of events and values. */

#define PREDICTED_OSREL "ID=test\nVERSION_ID=1\n"
#define PREDICTED_CMDLINE "quiet roothash=00"
#define PREDICTED_INITRD "an initrd of 23 bytes.."
#define PREDICTED_UNAME "6.12-test"

#define PREDICTED_PART(text) ((struct uki_part){ (const uint8_t *)(text), sizeof(text) - 1 })

struct predicted_uki {
	struct buf stub, kernel, image;
	struct uki_part parts[UKI_SECTIONS];
};

static inline void predicted_uki_free(struct predicted_uki *u)
{
	buf_free(&u->stub);
	buf_free(&u->kernel);
	buf_free(&u->image);
}
#define CLEANUP_PREDICTED_UKI __attribute__((cleanup(predicted_uki_free)))

/* Kernel and parts as the tests want them by default; change them, then predicted_uki_write(). */
static inline void predicted_uki_begin(struct predicted_uki *u, const char *magic)
{
	*u = (struct predicted_uki){
		.stub = BUF_INIT(1 << 20), .kernel = BUF_INIT(1 << 20), .image = BUF_INIT(1 << 20),
	};
	image_stub(&u->stub, magic);
	image_kernel(&u->kernel);
	u->parts[UKI_LINUX] = (struct uki_part){ u->kernel.data, u->kernel.len };
	u->parts[UKI_OSREL] = PREDICTED_PART(PREDICTED_OSREL);
	u->parts[UKI_CMDLINE] = PREDICTED_PART(PREDICTED_CMDLINE);
	u->parts[UKI_INITRD] = PREDICTED_PART(PREDICTED_INITRD);
	u->parts[UKI_UNAME] = PREDICTED_PART(PREDICTED_UNAME);
}

static inline void predicted_uki_write(struct predicted_uki *u)
{
	struct error err = ERROR_INIT;

	need(uki_write(u->stub.data, u->stub.len, u->parts, &u->image, &err) == 0, "a UKI: %s", err.message);
}

/* The header of the UKI's first section of this name, to be changed. */
static inline uint8_t *predicted_uki_header(struct predicted_uki *u, const char *name)
{
	struct error err = ERROR_INIT;
	const struct pe_section *s;
	struct pe pe;

	need(pe_parse(u->image.data, u->image.len, &pe, &err) == 0, "the UKI is read: %s", err.message);
	s = pe_find(&pe, name);
	need(s, "the UKI has a section %s", name);
	return u->image.data + s->header_offset;
}

static inline int predicted_boot(const struct buf *image, const struct predict_keys *keys,
				 struct pcr_log *log, struct error *err)
{
	const uint8_t *images[] = { image->data };
	const struct predict_input in = {
		.images = images, .image_sizes = &image->len, .image_count = 1, .keys = keys,
	};

	*err = (struct error)ERROR_INIT;
	return predict_boot(&in, log, err);
}

static inline void check_pcr(const struct pcr_log *log, unsigned int pcr, enum digest_alg alg,
			     const char *expected, const char *what)
{
	char hex[2 * DIGEST_MAX + 1];
	struct digest value;

	pcr_replay(log, pcr, alg, &value);
	digest_hex(&value, hex);
	ok_str(hex, expected, "PCR %u %s: %s", pcr, digest_name(alg), what);
}

static inline void check_both(const struct pcr_log *log, unsigned int pcr, const char *sha256,
			      const char *sha384, const char *what)
{
	check_pcr(log, pcr, DIGEST_SHA256, sha256, what);
	check_pcr(log, pcr, DIGEST_SHA384, sha384, what);
}

/* The events as text: "4:80000007:boot option action;4:4:separator;", those of one PCR or of all (-1). */
static inline void check_events(const struct pcr_log *log, int pcr, const char *expected, const char *what)
{
	char text[4096] = "";
	size_t len = 0;

	for (size_t i = 0; i < log->count; i++) {
		const struct pcr_event *e = &log->events[i];

		if (pcr >= 0 && e->pcr != (unsigned int)pcr)
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u:%x:%s;", e->pcr, e->type,
					e->label);
		need(len < sizeof(text), "room for the events");
	}
	ok_str(text, expected, "events: %s", what);
}

#endif
