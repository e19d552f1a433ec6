/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/model/manifest.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GUID "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

static void set(char **field, const char *text)
{
	free(*field);
	*field = string_copy(text);
}

/* A whole manifest with one partition and a small prediction. */
static struct manifest *make(void)
{
	struct manifest *m = manifest_new();

	set(&m->name, "mpc");
	set(&m->version, "1.0.0");
	set(&m->arch, "x86_64");
	set(&m->disk_file, "mpc.x86_64-1.0.0.raw");
	set(&m->cmdline, "console=ttyS0 roothash=" HEX);
	set(&m->firmware_package, "ovmf");
	set(&m->firmware_version, "2025.02-8");
	m->disk_size = 1 << 30;
	m->uki_size = 12 << 20;
	m->stub_version = 257;
	m->epoch = 1735689600;
	m->service_port = 3000;
	memcpy(m->disk_data_sha256, HEX, 65);
	memcpy(m->uki_sha256, HEX, 65);
	memcpy(m->root_hash, HEX, 65);
	memcpy(m->lock_sha256, HEX, 65);
	memcpy(m->firmware_sha256, HEX, 65);
	declared_add_port(&m->declared, 3000, false);
	declared_add_port(&m->declared, 5353, true);
	declared_add_absent(&m->declared, "openssh-server");
	declared_add_exception(&m->declared, "files.setuid", "/usr/bin/su", "needed by the service");
	declared_add_exception(&m->declared, "kernel.ebpf", "", "needed by the service, too");
	m->partitions = calloc(1, sizeof(*m->partitions));
	need(m->partitions, "memory");
	m->partition_count = 1;
	m->partitions[0] = (struct manifest_partition){
		.number = 1, .label = string_copy("esp"), .type = string_copy(GUID),
		.id = string_copy(GUID), .offset = 1 << 20, .size = 16 << 20, .data_sha256 = HEX,
	};
	m->pcr_mask = 1u << 4 | 1u << 7 | 1u << 12;
	pcr_log_add_data(&m->events, 4, EV_EFI_ACTION, "action",
			 "Calling EFI Application from Boot Option", 40);
	pcr_log_add_data(&m->events, 4, EV_SEPARATOR, "separator", "\0\0\0\0", 4);
	pcr_log_add_data(&m->events, 7, EV_SEPARATOR, "separator", "\0\0\0\0", 4);
	return m;
}

static char *text_of(const struct manifest *m)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;

	need(manifest_format(m, &text, &err) == 0, "a manifest is written");
	return string_copy(buf_text(&text));
}

static int parse(const char *text, struct manifest **ret, struct error *err)
{
	return manifest_parse(text, strlen(text), "manifest.json", ret, err);
}

static void test_round_trip(void)
{
	CLEANUP_MANIFEST struct manifest *m = make(), *again = NULL;
	CLEANUP_FREE char *text = text_of(m), *second = NULL;
	struct error err = ERROR_INIT;

	need(parse(text, &again, &err) == 0, "it is read back: %s", err.message);
	second = text_of(again);
	ok_str(second, text, "and written again as the same bytes");
	ok_str(again->disk_file, "mpc.x86_64-1.0.0.raw", "disk");
	ok_str(again->cmdline, m->cmdline, "command line");
	ok_int(again->stub_version, 257, "stub version");
	ok_int(again->service_port, 3000, "port");
	ok(declared_has_port(&again->declared, 3000, false) && declared_has_port(&again->declared, 5353, true) &&
	   !declared_has_port(&again->declared, 3000, true), "declared ports, by protocol");
	ok_str(again->declared.absent[0], "openssh-server", "a package that must be absent");
	ok_str(again->declared.exceptions[0].path, "/usr/bin/su", "an exception's path");
	ok_str(again->declared.exceptions[1].path, "", "or none");
	ok_int(again->pcr_mask, m->pcr_mask, "mask");
	ok_int(again->events.count, 3, "events");
	ok_int(again->events.events[0].type, EV_EFI_ACTION, "type of an event");
	ok_str(again->events.events[1].label, "separator", "label of an event");
	ok_int(again->partitions[0].offset, 1 << 20, "offset of a partition");
	ok(strncmp(text, "{\n  \"schema\": 3,\n  \"name\": \"mpc\",\n", 33) == 0,
	   "the schema stands first");
	ok(strcmp(text + strlen(text) - 3, "\n}\n") == 0, "a newline ends it");
}

/* The value after action and separator is known from real boots. */
static void test_known_value(void)
{
	CLEANUP_MANIFEST struct manifest *m = make();
	CLEANUP_FREE char *text = text_of(m);

	ok(strstr(text, "\"4\": {\n      \"sha384\": \""
			"70bc457e087464760a8927d6312248dc117663410914ff8b1e42fd5dc91e16f5"
			"fe3f15ca64372d3e47af8b4c53b01df9\""), "PCR 4 after action and separator");
	ok(strstr(text, "\"12\": {\n      \"sha384\": \""
			"00000000000000000000000000000000"), "PCR 12 without events is zero");
}

static void test_refusals(void)
{
	static const struct {
		const char *from, *to, *message;
	} cases[] = {
		{ "\"schema\": 3", "\"schema\": 4", "use a newer Kiln" },
		{ "\"schema\": 3", "\"schema\": 2", "build the image again" },
		{ "\"schema\": 3", "\"schema\": true", "schema must be a whole number" },
		{ "\"schema\": 3", "\"schema\": 3, \"extra\": 1", "manifest.json: extra is not known" },
		{ "\"file\": \"mpc", "\"file\": \"/mpc", "disk.file must be a file name" },
		{ "\"file\": \"mpc", "\"file\": \"../mpc", "disk.file must be a file name" },
		{ "\"file\": \"mpc.x86_64-1.0.0.raw\"", "\"file\": \"\"", "disk.file must be a file name" },
		{ "\"size\": 1073741824", "\"size\": 0", "disk.size must be from 1" },
		{ "\"size\": 1073741824", "\"size\": 1048576", "partitions[0].size reaches beyond" },
		{ "\"stub_version\": 257", "\"stub_version\": -1", "uki.stub_version must be from 1" },
		{ "\"protocol\": \"tcp\"", "\"protocol\": \"sctp\"", "declared.ports[0].protocol must be tcp or udp" },
		{ "\"number\": 5353", "\"number\": 0", "declared.ports[1].number must be from 1" },
		{ "\"path\": \"/usr/bin/su\"", "\"path\": \"usr/bin/su\"", "declared.exceptions[0].path must be an absolute" },
		{ "\"absent_packages\"", "\"absent\"", "declared.absent is not known" },
		{ "\"service_port\": 3000", "\"service_port\": 65536", "service_port must be from 1" },
		{ "\"root_hash\": \"0", "\"root_hash\": \"", "root_hash must be 64 lower-case" },
		{ "\"package\": \"ovmf\",", "", "firmware.package is missing" },
		{ "\"type\": \"" GUID, "\"type\": \"x" GUID, "partitions[0].type must be a GUID" },
		{ "\"number\": 1", "\"number\": 0", "partitions[0].number must be from 1" },
		{ "\"offset\": 1048576", "\"offset\": 9223372036854775807", "reaches beyond the disk" },
		{ "\"pcr\": 7", "\"pcr\": 24", "events[2].pcr must be from 0 to 23" },
		{ "\"pcr\": 7", "\"pcr\": 8", "events[2].pcr is 8, which pcrs does not have" },
		{ "\"pcr\": 7", "\"pcr\": 4", "PCR 4 (sha384) does not follow from its events" },
		{ "\"label\": \"action\"", "\"label\": \"\"", "events[0].label must have 1 to 95 bytes" },
		{ "\"label\": \"action\"", "\"label\": \"01234567890123456789012345678901234567890123456"
		  "7890123456789012345678901234567890123456789012345\"", "events[0].label must have" },
		/* One digit of a value: of PCR 4, and of an event's digest in one bank. */
		{ "\"sha384\": \"70bc", "\"sha384\": \"71bc", "PCR 4 (sha384) does not follow" },
		{ "\"sha384\": \"77a0", "\"sha384\": \"77a1", "PCR 4 (sha384) does not follow" },
		{ "\"12\": {", "\"24\": {", "pcrs.24 is not known" },
		{ "\"12\": {", "\"012\": {", "pcrs.012 is not known" },
		{ "\"sha384\": \"394341", "\"sha384\": \"", "events[1].sha384 must be 96" },
		{ "}\n", "", "manifest.json:" },
	};
	CLEANUP_MANIFEST struct manifest *m = make();
	CLEANUP_FREE char *good = text_of(m);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *at = strstr(good, cases[i].from);
		CLEANUP_FREE char *text = NULL;
		struct manifest *ret = NULL;
		struct error err = ERROR_INIT;

		need(at, "the manifest has %s", cases[i].from);
		text = string_printf("%.*s%s%s", (int)(at - good), good, cases[i].to,
				     at + strlen(cases[i].from));
		ok(parse(text, &ret, &err) < 0 && !ret && err.kind == ERROR_INPUT,
		   "case %zu is refused", i);
		ok_error(&err, cases[i].message, "... and says why");
	}
}

static void test_sha256_bank(void)
{
	CLEANUP_MANIFEST struct manifest *m = make();
	CLEANUP_FREE char *text = text_of(m);
	struct manifest *ret = NULL;
	struct error err = ERROR_INIT;
	char *digit = strstr(strstr(text, "\"7\": {"), "\"sha256\": \"") + 11;

	*digit = *digit == '0' ? '1' : '0';
	ok(parse(text, &ret, &err) < 0, "a wrong digit in the other bank is refused");
	ok_error(&err, "PCR 7 (sha256) does not follow", "by PCR and bank");
}

static struct manifest *make_signed(void)
{
	struct manifest *m = make();
	struct manifest_secure_boot *s = m->secure_boot = manifest_secure_boot_new();

	s->pending = true;
	memset(s->signer, 'a', 64);
	for (int i = 0; i < SECURE_VARIABLES; i++)
		memset(s->variables[i].sha256, '1' + i, 64);
	s->variables[SECURE_DB].certificates = calloc(2, sizeof(*s->variables[SECURE_DB].certificates));
	need(s->variables[SECURE_DB].certificates, "memory");
	s->variables[SECURE_DB].certificate_count = 2;
	memset(s->variables[SECURE_DB].certificates[0], 'a', 64);
	memset(s->variables[SECURE_DB].certificates[1], 'b', 64);
	s->pcr_mask = 1u << 7;
	pcr_log_add_data(&s->events, 7, EV_EFI_VARIABLE_AUTHORITY, "authority from db", "entry", 5);
	return m;
}

/* The text with one piece of it replaced, and what the reader says. */
static void refused_with(const char *text, const char *from, const char *to, const char *message)
{
	CLEANUP_FREE char *copy = NULL;
	const char *at = strstr(text, from);
	struct manifest *ret = NULL;
	struct error err = ERROR_INIT;

	need(at, "the text has %s", from);
	copy = string_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	ok(parse(copy, &ret, &err) < 0, "%s for %s is refused", to, from);
	ok_error(&err, message, "for that");
}

static void test_secure_boot(void)
{
	CLEANUP_MANIFEST struct manifest *m = make_signed(), *again = NULL;
	CLEANUP_FREE char *text = text_of(m), *second = NULL;
	struct error err = ERROR_INIT;

	need(parse(text, &again, &err) == 0 && again->secure_boot, "a manifest of a signed image (%s)", err.message);
	ok(again->secure_boot->pending, "its signature is to come");
	ok_int(again->secure_boot->variables[SECURE_DB].certificate_count, 2, "its db");
	ok_int(again->secure_boot->events.count, 1, "its own events");
	second = text_of(again);
	ok_str(second, text, "and it is written as it was");
	refused_with(text, "\"pending\"", "\"perhaps\"", "must be \"made\" or \"pending\"");
	refused_with(text, "\"signer\": \"a", "\"signer\": \"g", "secure_boot.signer");
	refused_with(text, "\"dbx\": {", "\"MOK\": {", "MOK");
	refused_with(text, "authority from db", "", "label");
}

static void test_uploads(void)
{
	static const struct upload first = { .region = (char *)"us-east-1", .image = (char *)"ami-1", .name = (char *)"n",
					     .snapshot = (char *)"snap-1", .time = 1795745432, .proven = true };
	CLEANUP_MANIFEST struct manifest *m = make(), *again = NULL;
	CLEANUP_FREE char *before = text_of(m), *text = NULL;
	struct upload second = first;
	struct error err = ERROR_INIT;

	ok(!strstr(before, "uploads"), "without an upload nothing is said of any");
	second.image = (char *)"ami-2";
	uploads_add(&m->uploads, &first);
	uploads_add(&m->uploads, &second);
	uploads_add(&m->uploads, &first);
	text = text_of(m);
	need(parse(text, &again, &err) == 0, "uploads are read back: %s", err.message);
	need(again->uploads.count == 2, "each image once");
	ok_str(again->uploads.items[0].image, "ami-2", "in order of time");
	ok_str(again->uploads.items[1].image, "ami-1", "the last one last");
	ok(again->uploads.items[1].proven && again->uploads.items[1].time == first.time, "with all that is known");
	refused_with(text, "\"proven\": true", "\"proven\": 1", "must be true or false");
	refused_with(text, "\"snapshot\"", "\"Snapshot\"", "is not known");
}

static void test_files(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_MANIFEST struct manifest *m = make(), *again = NULL;
	CLEANUP_FREE char *text = text_of(m), *path = NULL;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "a scratch directory");
	path = path_join(scratch.path, "manifest.json");
	ok(manifest_read(path, &again, &err) < 0, "a missing manifest is an error");
	ok_error(&err, path, "by path");
	err = (struct error)ERROR_INIT;
	need(io_write_file(path, text, strlen(text), 0644, &err) == 0, "written");
	ok_int(manifest_read(path, &again, &err), 0, "and read");
}

/* The whole text, as nitro-tpm-pcr-compute prints it for a boot without an application. */
static void test_measurements(void)
{
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(4096), tiny = BUF_INIT(16);
	struct error err = ERROR_INIT;

	pcr_log_add_data(&log, 4, EV_EFI_ACTION, "action",
			 "Calling EFI Application from Boot Option", 40);
	pcr_log_add_data(&log, 4, EV_SEPARATOR, "separator", "\0\0\0\0", 4);
	pcr_log_add_data(&log, 7, EV_SEPARATOR, "separator", "\0\0\0\0", 4);
	need(measurements_format(&log, &text, &err) == 0, "measurements are written");
	ok_str(buf_text(&text),
	       "{\n"
	       "  \"Measurements\": {\n"
	       "    \"HashAlgorithm\": \"SHA384\",\n"
	       "    \"PCR4\": \"70bc457e087464760a8927d6312248dc117663410914ff8b1e42fd5dc91e16f5fe3f15ca64372d3e47af8b4c53b01df9\",\n"
	       "    \"PCR7\": \"518923b0f955d08da077c96aaba522b9decede61c599cea6c41889cfbea4ae4d50529d96fe4d1afdafb65e7f95bf23c4\",\n"
	       "    \"PCR12\": \"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\"\n"
	       "  }\n"
	       "}\n", "byte for byte");
	ok(measurements_format(&log, &tiny, &err) < 0 && tiny.len == 0, "a full buffer is an error");
}

int main(void)
{
	test_round_trip();
	test_known_value();
	test_refusals();
	test_sha256_bank();
	test_secure_boot();
	test_uploads();
	test_files();
	test_measurements();
	return tap_done();
}
