/* SPDX-License-Identifier: Apache-2.0 */
#include "description_syntax.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM LOWER UPPER DIGITS
#define BLANKS " \t\r\n"

/* x86 kernels keep 2048 bytes with the NUL (COMMAND_LINE_SIZE); Kiln adds roothash= and 64 digits. */
#define CMDLINE_MAX 1900

static bool only(const char *text, const char *allowed)
{
	return *text && text[strspn(text, allowed)] == '\0';
}

/* A word that may become a file name or an argument: no leading dot, no leading hyphen. */
static bool is_word(const char *text, const char *allowed, size_t max)
{
	return only(text, allowed) && !strchr("-.", *text) && strlen(text) <= max;
}

/* Words of `allowed` characters, each found in a list separated by characters of `separators`. */
static bool is_list(const char *text, const char *allowed, const char *separators)
{
	bool any = false;

	while (*text) {
		size_t n = strspn(text, allowed);

		if (n == 0)
			return false;
		any = true;
		text += n;
		if (*text && !strchr(separators, *text))
			return false;
		if (*text && *++text == '\0')
			return false;
	}
	return any;
}

static bool number_within(const char *text, unsigned long min, unsigned long max)
{
	unsigned long n;

	if (!only(text, DIGITS) || strlen(text) > 9)
		return false;
	n = strtoul(text, NULL, 10);
	return n >= min && n <= max;
}

/* Component of a path or file name that leads elsewhere. */
static bool has_dot_component(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if ((n == 1 && path[0] == '.') || (n == 2 && memcmp(path, "..", 2) == 0))
			return true;
		path += n;
		path += strspn(path, "/");
	}
	return false;
}

const char *syntax_image_name(const char *text)
{
	return is_word(text, ALNUM "_.-", 100) ? NULL
					       : "must consist of letters, digits and _ . -, at most 100";
}

const char *syntax_version(const char *text)
{
	const char *p = text;

	for (int part = 0; part < 3; part++) {
		size_t n = strspn(p, DIGITS);

		if (n == 0 || n > 9 || p[n] != (part < 2 ? '.' : '\0'))
			return "must be a version like 1.2.3";
		p += n + 1;
	}
	return NULL;
}

/* 7.5 and up are one language for what Kiln reads; a ninth one may not be. */
const char *syntax_schema(const char *text)
{
	char *end;
	unsigned long major, minor;

	if (!only(text, DIGITS ".") || strlen(text) > 8)
		return "must be a KIWI schema version from 7.5 to 8";
	major = strtoul(text, &end, 10);
	if (end == text || *end != '.' || !only(end + 1, DIGITS))
		return "must be a KIWI schema version from 7.5 to 8";
	minor = strtoul(end + 1, NULL, 10);
	if (major < 7 || (major == 7 && minor < 5) || major > 8)
		return "must be a KIWI schema version from 7.5 to 8";
	return NULL;
}

const char *syntax_alias(const char *text)
{
	return is_word(text, ALNUM "_.-", 100) ? NULL : "must consist of letters, digits and _ . -";
}

const char *syntax_distribution(const char *text)
{
	return is_word(text, ALNUM "_./-", 100) && !has_dot_component(text)
		       ? NULL : "must be a suite's name like trixie";
}

const char *syntax_components(const char *text)
{
	return is_list(text, ALNUM "_./-", " ") ? NULL : "must be words with one blank between them";
}

/* These stand in apt's source lists, where blanks and brackets have a meaning. */
#define URL ALNUM "-._~:/?#@!$&'()*+,;=%"

const char *syntax_source(const char *text)
{
	static const char *const schemes[] = { "https://", "http://", "file:///" };

	if (strncmp(text, "distro:", 7) == 0 && is_word(text + 7, LOWER DIGITS "-", 40))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (strncmp(text, schemes[i], n) == 0 && only(text + n, URL))
			return NULL;
	}
	return "must be distro:NAME or a URL of http, https or file";
}

const char *syntax_key(const char *text)
{
	if (strncmp(text, "file:///", 8) == 0 && text[8])
		return NULL;
	if (strncmp(text, "file:", 5) == 0 && !syntax_relative(text + 5))
		return NULL;
	return "must be file:NAME (beside the description) or file:///PATH: keys are not fetched";
}

/* Debian Policy 5.6.7. */
const char *syntax_package(const char *text)
{
	return is_word(text, LOWER DIGITS "+.-", 200) && *text != '+' && strlen(text) >= 2
		       ? NULL : "must be a Debian package's name";
}

const char *syntax_archive(const char *text)
{
	return is_word(text, ALNUM "+._-", 200)
		       ? NULL : "must be the name of a file beside the description";
}

const char *syntax_locale(const char *text)
{
	size_t n = strspn(text, LOWER);

	if (strcmp(text, "POSIX") == 0 || strcmp(text, "C") == 0 || strcmp(text, "C.UTF-8") == 0)
		return NULL;
	if ((n == 2 || n == 3) && text[n] == '_' && strspn(text + n + 1, UPPER) == 2 &&
	    (text[n + 3] == '\0' || strcmp(text + n + 3, ".UTF-8") == 0))
		return NULL;
	return "must be one locale like en_US, or C.UTF-8";
}

const char *syntax_keytable(const char *text)
{
	return is_word(text, ALNUM "_.-", 64) ? NULL : "must be a keyboard layout's name like us";
}

const char *syntax_timezone(const char *text)
{
	return is_word(text, ALNUM "_+/-", 64) && *text != '/' ? NULL : "must be a time zone like UTC";
}

static bool among(const char *text, size_t n, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == n && memcmp(*list, text, n) == 0)
			return true;
	return false;
}

const char *syntax_filesystem(const char *text)
{
	static const char *const known[] = { "btrfs", "ext2", "ext3", "ext4", "squashfs",
					     "erofs", "xfs", NULL };

	return among(text, strlen(text), known) ? NULL : "must be a file system that KIWI knows";
}

const char *syntax_compression(const char *text)
{
	static const char *const known[] = { "lz4", "lz4hc", "lzma", "deflate", "libdeflate",
					     "zstd", NULL };
	size_t n = strcspn(text, ",:");

	return among(text, n, known) && only(text, ALNUM ",=:")
		       ? NULL : "must be what mkfs.erofs -z takes, like zstd,level=9";
}

/*
 * What would take the boot away from the measured root, or what Kiln's /init does not honour and
 * so must not pretend to. An entry with '=' or '.' at its end stands for all words that begin so.
 */
static const struct {
	const char *word, *why;
} cmdline_refused[] = {
	{ "roothash=", "must not contain roothash=: Kiln adds the image's own" },
	{ "usrhash=", "must not contain usrhash=: Kiln adds the image's own roothash=" },
	{ "root=", "must not contain root=: the root is found by its hash" },
	{ "rootfstype=", "must not contain rootfstype=: the root is EROFS" },
	{ "rootflags=", "must not contain rootflags=: the root is mounted read-only as it is" },
	{ "init=", "must not contain init=: Kiln's initrd starts /sbin/init" },
	{ "rdinit=", "must not contain rdinit=: it would pass over the verified root" },
	{ "initrd=", "must not contain initrd=: the initrd is in the boot file" },
	{ "systemd.verity=", "must not contain systemd.verity=: verity is always on" },
	{ "rd.systemd.verity=", "must not contain rd.systemd.verity=: verity is always on" },
	{ "dm-mod.", "must not contain dm-mod options: Kiln's initrd makes the mapping" },
	{ "dm_mod.", "must not contain dm_mod options: Kiln's initrd makes the mapping" },
	{ "--", "must not contain --: what follows it would no longer be the kernel's" },
};

static const char *cmdline_word(const char *word, size_t n)
{
	static const char verity[] = "rd.kiwi.verity_options=";

	/* AWS's sample names it; on corruption Kiln's initrd panics in any case. */
	if (n >= strlen(verity) && memcmp(word, verity, strlen(verity)) == 0)
		return n == strlen(verity) + 19 && memcmp(word + n - 19, "panic-on-corruption", 19) == 0
			       ? NULL
			       : "must not contain other verity options than panic-on-corruption";
	for (size_t i = 0; i < ARRAY_SIZE(cmdline_refused); i++) {
		const char *refused = cmdline_refused[i].word;
		size_t length = strlen(refused);
		bool begins = strchr("=.", refused[length - 1]);

		if ((begins ? n >= length : n == length) && memcmp(word, refused, length) == 0)
			return cmdline_refused[i].why;
	}
	return NULL;
}

const char *syntax_cmdline(const char *text)
{
	if (strlen(text) > CMDLINE_MAX)
		return "is too long for the kernel: at most 1900 characters";
	for (const char *p = text; *p; p++)
		if ((*p < 0x20 || *p > 0x7e || *p == '"') && !strchr(BLANKS, *p))
			return "must be printable ASCII without quotation marks";
	while (*(text += strspn(text, BLANKS))) {
		size_t n = strcspn(text, BLANKS);
		const char *why = cmdline_word(text, n);

		if (why)
			return why;
		text += n;
	}
	return NULL;
}

const char *syntax_mib(const char *text)
{
	return number_within(text, 1, 1u << 20) ? NULL : "must be a number of MiB, from 1 to 1048576";
}

/* useradd(8) of Debian, NAME_REGEX; 32 is utmp's limit. */
const char *syntax_user(const char *text)
{
	return is_word(text, LOWER DIGITS "_-", 32) && !strchr(DIGITS, *text)
		       ? NULL : "must be a user name: lower-case letters, digits, _ and -, at most 32";
}

const char *syntax_groups(const char *text)
{
	return is_list(text, ALNUM "_.-", ",") ? NULL : "must be group names with commas between them";
}

const char *syntax_user_id(const char *text)
{
	return number_within(text, 0, 60000) ? NULL : "must be a number from 0 to 60000";
}

/* crypt(5): "$method$...". The traditional forms without a method are too weak to be let through. */
const char *syntax_password(const char *text)
{
	return text[0] == '$' && strchr(text + 1, '$') && only(text, ALNUM "$./=,_-") &&
	       strlen(text) <= 384
		       ? NULL : "must be a hash as crypt(5) describes, like $y$...; none at all locks the user";
}

const char *syntax_path(const char *text)
{
	return text[0] == '/' && only(text, ALNUM "/+._-") && !has_dot_component(text) &&
	       !strstr(text, "//") && strlen(text) <= 1000
		       ? NULL : "must be an absolute path of letters, digits and / + . _ -";
}

const char *syntax_program(const char *text)
{
	return is_word(text, LOWER DIGITS "_-", 64)
		       ? NULL : "must consist of lower-case letters, digits, _ and -";
}

const char *syntax_relative(const char *text)
{
	return *text && *text != '/' && strlen(text) <= 1000
		       ? NULL : "must be a path relative to the description's directory";
}

const char *syntax_library(const char *text)
{
	return is_word(text, ALNUM "_+.-", 100) ? NULL : "must be a library's name without lib and .so";
}

const char *syntax_port(const char *text)
{
	return number_within(text, 1, 65535) ? NULL : "must be a port's number, from 1 to 65535";
}

const char *syntax_protocol(const char *text)
{
	return strcmp(text, "tcp") == 0 || strcmp(text, "udp") == 0 ? NULL : "must be tcp or udp";
}

const char *syntax_rule(const char *text)
{
	const char *dot = strchr(text, '.');

	return is_word(text, LOWER "-.", 64) && dot && dot[1] && !strchr(dot + 1, '.')
		       ? NULL : "must be a rule of kiln audit, like files.setuid";
}

/* Of a path as syntax_path() has it, or of what the audit names that is in no file: "(kernel command line)". */
const char *syntax_pattern(const char *text)
{
	if (text[0] == '(' && text[strlen(text) - 1] == ')' && only(text, ALNUM " ()") && strlen(text) <= 64)
		return NULL;
	return text[0] == '/' && only(text, ALNUM "/+._-@:*?") && !has_dot_component(text) && !strstr(text, "//") &&
	       strlen(text) <= 1000
		       ? NULL : "must be an absolute path, in which * and ? may stand for parts of a name";
}

/* It stands in reports, between people. */
const char *syntax_reason(const char *text)
{
	size_t size = strlen(text);

	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "must be one line of text";
	return size >= 10 && size <= 500 ? NULL : "must say why, in 10 to 500 characters";
}
