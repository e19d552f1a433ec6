/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/cleanup.h"
#include "tests/unit/predicted.h"

/* The hex values were computed by a program of another language from the description of the format. */
#define KERNEL_SHA256 "aced468fb0e43cebafb254009ea8ccc76b6ad1d9dbd2dc5006e0dee1ef57e089"
#define KERNEL_SHA384 "94c5abd4c5e9ec0ee7807e9e31da9e606aa94e8c4cd04e2a4b229bc6028c34d14ac575e19acf49b873f2eb88752441e2"

static void test_257(void)
{
	CLEANUP_PREDICTED_UKI struct predicted_uki u;
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	char hex[2 * DIGEST_MAX + 1];
	struct error err;

	predicted_uki_begin(&u, IMAGE_MAGIC("257.13-1~deb13u1"));
	predicted_uki_write(&u);
	need(predicted_boot(&u.image, NULL, &log, &err) == 0, "a boot is predicted: %s", err.message);
	check_events(&log, 4, "4:80000007:boot option action;4:4:separator;4:80000003:UKI;"
		     "4:80000003:inner kernel (.linux);", "PCR 4");
	check_events(&log, 11, "11:d:.linux name;11:d:.linux contents;11:d:.osrel name;11:d:.osrel contents;"
		     "11:d:.cmdline name;11:d:.cmdline contents;11:d:.initrd name;11:d:.initrd contents;"
		     "11:d:.uname name;11:d:.uname contents;11:d:.sbat name;11:d:.sbat contents;", "PCR 11");
	check_events(&log, 9, "9:6:kernel command line;9:6:initrd;", "PCR 9");
	check_events(&log, 12, "", "PCR 12 stays zero");
	digest_hex(&log.events[log.count - 3].digests[DIGEST_SHA256], hex);
	ok_str(hex, KERNEL_SHA256, "the inner kernel's digest, sha256");
	digest_hex(&log.events[log.count - 3].digests[DIGEST_SHA384], hex);
	ok_str(hex, KERNEL_SHA384, "the inner kernel's digest, sha384");
	check_both(&log, 11, "f4217ef421b4e087490f04179d429c15df377c9060ce639263f783345c025ea1",
		   "924f6b333bce22c9870ff5d50650f3d46d12a9cf944e68b9182dad4bd7c4d9376519f54af81e1caa5b9cd9260cbb6c4f",
		   "stub 257, .sbat included");
	check_both(&log, 9, "96fbc8061834478643f6ee2f534b77e1602615b316800bba942278def3cb0b7d",
		   "44fc55494bd70a151145bb505cc288efaf463e0002bf78fb6b8ce0231f949b9f86e81a5f4853ed5e3185b7ea5238e323",
		   "stub 257, os-release archive appended");
}

static void test_252(void)
{
	CLEANUP_PREDICTED_UKI struct predicted_uki u;
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct error err;

	predicted_uki_begin(&u, IMAGE_MAGIC("252.39-1~deb12u2"));
	predicted_uki_write(&u);
	need(predicted_boot(&u.image, NULL, &log, &err) == 0, "a boot is predicted: %s", err.message);
	check_events(&log, 4, "4:80000007:boot option action;4:4:separator;4:80000003:UKI;"
		     "4:80000003:inner kernel (.linux);", "PCR 4");
	check_both(&log, 11, "01caedd291968421bae0b75e4a6d7f1da2839c16cc756a930af2dc3ff2be1aa5",
		   "1ff422398c24b1240b74e43e6dce7b80ce08cbd4abbe68cfa31fd0ef68ad9dba3803fcdecb90e69b289299ec700bfa52",
		   "stub 252 knows neither .uname nor .sbat");
	check_both(&log, 9, "5d0bbbfbc0144b31c7191752b7904446b1151fd6961951bc965aecf39c9d6a0a",
		   "4b8e66beef8215e6ed31e1d6449bd1b6c99eddad165d20740c9e514846d8fc8a22670ef39a6162cd78fe919f357dbaf5",
		   "stub 252 hands a lone initrd over as it is");
}

/* .ucode first, then .initrd and every archive, each padded; .pcrsig is in PCR 9 but not in PCR 11. */
static void test_all_initrds(void)
{
	CLEANUP_PREDICTED_UKI struct predicted_uki u;
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct error err;

	predicted_uki_begin(&u, IMAGE_MAGIC("257"));
	u.parts[UKI_UCODE] = PREDICTED_PART("ucode");
	u.parts[UKI_PCRSIG] = PREDICTED_PART("{}");
	u.parts[UKI_PCRPKEY] = PREDICTED_PART("KEY\n");
	u.parts[UKI_PROFILE] = PREDICTED_PART("ID=main\n");
	predicted_uki_write(&u);
	need(predicted_boot(&u.image, NULL, &log, &err) == 0, "a boot is predicted: %s", err.message);
	check_both(&log, 9, "d26d86673d1ca590bd7967d2bea1c09b4739b1ee662f0a5a4fc0f55c35aa90cc",
		   "671c25aba0e2dbaf68e604d89cff62079d5524fd3e240de0e813a914c01d4553398a69b945f0611e2605084deb384feb",
		   "all initrds and archives in the stub's order");
	check_events(&log, 11, "11:d:.linux name;11:d:.linux contents;11:d:.osrel name;11:d:.osrel contents;"
		     "11:d:.cmdline name;11:d:.cmdline contents;11:d:.initrd name;11:d:.initrd contents;"
		     "11:d:.ucode name;11:d:.ucode contents;11:d:.uname name;11:d:.uname contents;"
		     "11:d:.sbat name;11:d:.sbat contents;11:d:.pcrpkey name;11:d:.pcrpkey contents;"
		     "11:d:.profile name;11:d:.profile contents;", ".pcrsig is not measured");
}

/* How many events of a PCR does a boot with this stub and this kernel have? */
static void test_versions(void)
{
	const struct {
		const char *magic;
		uint16_t kernel_version;
		size_t pcr4, pcr9, pcr11;
		const char *what;
	} cases[] = {
		{ IMAGE_MAGIC("252"), 3, 4, 2, 8, "252: LoadImage()" },
		{ IMAGE_MAGIC("253"), 3, 4, 2, 8, "253 does not know .uname" },
		{ IMAGE_MAGIC("254"), 3, 4, 2, 12, "254 knows .uname and .sbat" },
		{ IMAGE_MAGIC("256"), 3, 4, 2, 12, "256" },
		{ IMAGE_MAGIC("258"), 3, 3, 2, 12, "258 starts the kernel itself" },
		{ IMAGE_MAGIC("257"), 1, 4, 2, 12, "the first kernel that takes LoadImage()" },
		{ IMAGE_MAGIC("257"), 0, 3, 0, 12, "an older kernel: EFI handover" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_PREDICTED_UKI struct predicted_uki u;
		CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
		size_t counts[PCR_COUNT] = { 0 };
		struct error err;

		predicted_uki_begin(&u, cases[i].magic);
		write_le16(u.kernel.data + IMAGE_OPTIONAL + 44, cases[i].kernel_version);
		predicted_uki_write(&u);
		ok_int(predicted_boot(&u.image, NULL, &log, &err), 0, "predicted: %s", cases[i].what);
		for (size_t j = 0; j < log.count; j++)
			counts[log.events[j].pcr]++;
		ok_int(counts[4], cases[i].pcr4, "events of PCR 4: %s", cases[i].what);
		ok_int(counts[9], cases[i].pcr9, "events of PCR 9: %s", cases[i].what);
		ok_int(counts[11], cases[i].pcr11, "events of PCR 11: %s", cases[i].what);
	}
}

/* The digest of a UKI's first event in `pcr` with this label must be that of `data`. */
static void check_event_data(const struct pcr_log *log, unsigned int pcr, const char *label,
			     const void *data, size_t size, const char *what)
{
	struct digest expected;
	bool same = false;

	digest_of(DIGEST_SHA384, data, size, &expected);
	for (size_t i = 0; i < log->count; i++)
		if (log->events[i].pcr == pcr && strcmp(log->events[i].label, label) == 0)
			same = digest_equal(&log->events[i].digests[DIGEST_SHA384], &expected);
	ok(same, "%s of PCR %u: %s", label, pcr, what);
}

static void test_command_line(void)
{
	const struct {
		const char *magic, *embedded, *measured;
	} cases[] = {
		{ IMAGE_MAGIC("257"), "a b", "a b" },
		{ IMAGE_MAGIC("257"), "a  b\n", "a  b" },
		{ IMAGE_MAGIC("257"), " \t\x7f" "a\tb\x7f" "c \x1f\n", "a b c" },
		{ IMAGE_MAGIC("257"), " \n", "" },
		{ IMAGE_MAGIC("252"), " a\tb \n", " a b" },
		{ IMAGE_MAGIC("252"), "a\x7f", "a\x7f" },
		{ IMAGE_MAGIC("252"), "\n \n", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_PREDICTED_UKI struct predicted_uki u;
		CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
		uint8_t expected[64] = { 0 };
		struct error err;

		predicted_uki_begin(&u, cases[i].magic);
		/* With the NUL: the stub stops at it. */
		u.parts[UKI_CMDLINE].data = (const uint8_t *)cases[i].embedded;
		u.parts[UKI_CMDLINE].size = strlen(cases[i].embedded) + 1;
		predicted_uki_write(&u);
		for (size_t j = 0; cases[i].measured[j]; j++)
			expected[2 * j] = (uint8_t)cases[i].measured[j];
		ok_int(predicted_boot(&u.image, NULL, &log, &err), 0, "case %zu is predicted", i);
		check_event_data(&log, 9, "kernel command line", expected,
				 2 * strlen(cases[i].measured) + 2, cases[i].measured);
	}
}

/* Appends the header of another section, which lies where the UKI's section `like` does. */
static void add_alias(struct predicted_uki *u, const char *name, const char *like, uint32_t size)
{
	uint8_t *coff = u->image.data + IMAGE_PE;
	uint16_t count = read_le16(coff + 6);
	uint8_t *header = u->image.data + IMAGE_TABLE + 40 * count;

	memcpy(header, predicted_uki_header(u, like), 40);
	memset(header, 0, 8);
	memcpy(header, name, strnlen(name, 8));
	write_le32(header + 8, size);
	write_le16(coff + 6, count + 1);
}

static void test_lookup(void)
{
	const struct {
		const char *magic, *name, *contents, *what;
	} cases[] = {
		{ IMAGE_MAGIC("252"), ".osrel", "ID=", "252 takes the last of a name" },
		{ IMAGE_MAGIC("252"), ".osrel2", "ID=", "252 takes a name that only begins so" },
		{ IMAGE_MAGIC("257"), ".osrel", PREDICTED_OSREL, "257 takes the first of a name" },
		{ IMAGE_MAGIC("257"), ".osrel2", PREDICTED_OSREL, "257 takes whole names" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_PREDICTED_UKI struct predicted_uki u;
		CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
		struct error err;

		predicted_uki_begin(&u, cases[i].magic);
		predicted_uki_write(&u);
		add_alias(&u, cases[i].name, ".osrel", 3);
		ok_int(predicted_boot(&u.image, NULL, &log, &err), 0, "predicted: %s", cases[i].what);
		check_event_data(&log, 11, ".osrel contents", cases[i].contents, strlen(cases[i].contents),
				 cases[i].what);
	}
}

static void test_profiles(void)
{
	CLEANUP_PREDICTED_UKI struct predicted_uki u;
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct error err;

	predicted_uki_begin(&u, IMAGE_MAGIC("257"));
	predicted_uki_write(&u);
	add_alias(&u, ".profile", ".uname", 4);
	add_alias(&u, ".cmdline", ".cmdline", 5);
	add_alias(&u, ".profile", ".uname", 3);
	add_alias(&u, ".cmdline", ".cmdline", 1);
	need(predicted_boot(&u.image, NULL, &log, &err) == 0, "a UKI with two profiles: %s", err.message);
	check_event_data(&log, 11, ".cmdline contents", "quiet", 5, "the first profile overrides");
	check_event_data(&log, 11, ".profile contents", "6.12", 4, "the first profile is measured");
	check_event_data(&log, 11, ".osrel contents", PREDICTED_OSREL, sizeof(PREDICTED_OSREL) - 1,
			 "what it leaves alone stays");
}

static void test_zero_extended(void)
{
	static const char extended[100] = PREDICTED_UNAME;
	CLEANUP_PREDICTED_UKI struct predicted_uki u;
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct error err;
	uint8_t *header;

	predicted_uki_begin(&u, IMAGE_MAGIC("257"));
	predicted_uki_write(&u);
	write_le32(predicted_uki_header(&u, ".uname") + 8, 100);
	write_le32(predicted_uki_header(&u, ".uname") + 16, sizeof(PREDICTED_UNAME) - 1);
	/* The kernel's last section reaches into the zeros. */
	header = predicted_uki_header(&u, ".linux");
	write_le32(header + 16, read_le32(header + 16) - 0x10);
	need(predicted_boot(&u.image, NULL, &log, &err) == 0, "memory larger than file: %s", err.message);
	check_event_data(&log, 11, ".uname contents", extended, sizeof(extended), "zeros up to VirtualSize");
	check_event_data(&log, 11, ".linux contents", u.kernel.data, u.kernel.len, "the same");

	write_le32(predicted_uki_header(&u, ".uname") + 8, 0x20000);
	ok_int(predicted_boot(&u.image, NULL, &log, &err), -EINVAL, "but not without limit");
	ok_error(&err, ".uname is 131072 bytes in memory and only 9 in the file", "and the message says so");
}

static void without(struct predicted_uki *u, enum uki_section section)
{
	u->parts[section].data = NULL;
}

static void test_absent(void)
{
	CLEANUP_PREDICTED_UKI struct predicted_uki bare, lone;
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct error err;

	predicted_uki_begin(&bare, IMAGE_MAGIC("257"));
	without(&bare, UKI_CMDLINE);
	without(&bare, UKI_OSREL);
	without(&bare, UKI_INITRD);
	predicted_uki_write(&bare);
	need(predicted_boot(&bare.image, NULL, &log, &err) == 0, "a kernel alone: %s", err.message);
	check_events(&log, 9, "", "no command line and no initrd, nothing in PCR 9");

	pcr_log_free(&log);
	predicted_uki_begin(&lone, IMAGE_MAGIC("257"));
	without(&lone, UKI_OSREL);
	predicted_uki_write(&lone);
	need(predicted_boot(&lone.image, NULL, &log, &err) == 0, "no .osrel: %s", err.message);
	check_event_data(&log, 9, "initrd", PREDICTED_INITRD, sizeof(PREDICTED_INITRD) - 1,
			 "a lone initrd is not padded");
}

static void expect_refusal(struct predicted_uki *u, const char *message, const char *what)
{
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct error err;

	ok_int(predicted_boot(&u->image, NULL, &log, &err), -EINVAL, "refused: %s", what);
	ok_error(&err, message, "the message says why: %s", what);
	ok_int(log.count, 0, "nothing is predicted: %s", what);
}

static void test_refused(void)
{
	const struct {
		const char *magic;
		enum uki_section section;
		const char *contents, *message, *what;
	} cases[] = {
		{ IMAGE_MAGIC("251"), UKI_UNAME, "x", "systemd-stub is version 251", "a stub too old" },
		{ "no version", UKI_UNAME, "x", "cannot tell the version", "a stub without version" },
		{ IMAGE_MAGIC("257"), UKI_LINUX, "no kernel", "kernel (.linux): no PE image", "no kernel" },
		{ IMAGE_MAGIC("257"), UKI_CMDLINE, "a \xc3\xa4", "not ASCII at its byte 2", "no ASCII" },
		{ IMAGE_MAGIC("257"), UKI_DTBAUTO, "dtb", "depends on the machine", ".dtbauto" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_PREDICTED_UKI struct predicted_uki u;

		predicted_uki_begin(&u, cases[i].magic);
		u.parts[cases[i].section] = (struct uki_part){ (const uint8_t *)cases[i].contents,
							       strlen(cases[i].contents) };
		predicted_uki_write(&u);
		expect_refusal(&u, cases[i].message, cases[i].what);
	}
}

static void test_refused_sections(void)
{
	CLEANUP_PREDICTED_UKI struct predicted_uki firmware, empty;

	predicted_uki_begin(&firmware, IMAGE_MAGIC("258"));
	predicted_uki_write(&firmware);
	add_alias(&firmware, ".efifw", ".osrel", 5);
	expect_refusal(&firmware, ".efifw", "firmware chosen by the machine");

	predicted_uki_begin(&empty, IMAGE_MAGIC("257"));
	predicted_uki_write(&empty);
	write_le32(predicted_uki_header(&empty, ".linux") + 8, 0);
	expect_refusal(&empty, ".linux is empty", "a kernel of VirtualSize 0");
}

int main(void)
{
	test_257();
	test_252();
	test_all_initrds();
	test_versions();
	test_command_line();
	test_lookup();
	test_profiles();
	test_zero_extended();
	test_absent();
	test_refused();
	test_refused_sections();
	return tap_done();
}
