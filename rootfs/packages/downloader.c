/* SPDX-License-Identifier: Apache-2.0 */
#include "downloader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/base/process.h"
#include "../../factory/model/memory.h"
#include "environment.h"
#include "stanza.h"

#define APT_HELPER "/usr/lib/apt/apt-helper"
/* Few enough that a kill loses little. */
#define BATCH_FILES 8
/* What curl is told to write after each file, the answer's code behind it. */
#define CURL_MARK "kiln-answer "

static bool has(const char *program)
{
	CLEANUP_FREE char *path = process_find(program);

	return path != NULL;
}

int downloader_open(const char *state, const char *arch, struct downloader *ret, struct error *err)
{
	if (has("apt-get") && has(APT_HELPER)) {
		*ret = (struct downloader){.kind = DOWNLOADER_APT};
		return apt_open(state, arch, &ret->apt, err);
	}
	if (!has("curl") && !has("wget"))
		return error_outside(err, "nothing here can download: install apt, curl or wget");
	*ret = (struct downloader){
		.kind = has("curl") ? DOWNLOADER_CURL : DOWNLOADER_WGET,
		.env = network_environment(NULL),
	};
	log_debug("there is no apt: %s downloads", has("curl") ? "curl" : "wget");
	return 0;
}

void downloader_close(struct downloader *d)
{
	apt_close(&d->apt);
	network_environment_free(d->env);
	d->env = NULL;
}

const char *const *downloader_env(const struct downloader *d)
{
	return (const char *const *)(d->kind == DOWNLOADER_APT ? d->apt.env : d->env);
}

size_t downloader_batch(const struct downloader *d)
{
	return d->kind == DOWNLOADER_WGET ? 1 : BATCH_FILES;
}

/* ---------------------------------------------------------------- arguments */

static void add(char **argv, size_t *count, const char *text)
{
	argv[(*count)++] = string_copy(text);
}

static void add_all(char **argv, size_t *count, const char *const *texts)
{
	for (; *texts; texts++)
		add(argv, count, *texts);
}

/* Its -O takes one file for all URLs; few of its options are in every wget. */
static const char *const wget[] = {"wget", "-T", "60", NULL};

static const char *const curl[] = {
	"curl",
	"--fail",
	"--silent",
	"--show-error",
	"--location",
	"--retry",
	"3",
	"--connect-timeout",
	"60",
	"--speed-limit",
	"1",
	"--speed-time",
	"60",
	"--write-out",
	"%{stderr}" CURL_MARK "%{http_code}\\n",
	NULL,
};

char **downloader_arguments(const struct downloader *d, const struct downloader_file *files,
			    size_t count)
{
	char **argv = memory_new((ARRAY_SIZE(curl) + 3 * count) * sizeof(*argv));
	size_t n = 0;

	if (d->kind == DOWNLOADER_APT)
		add_all(argv, &n, (const char *const[]){APT_HELPER, "download-file", NULL});
	else
		add_all(argv, &n, d->kind == DOWNLOADER_CURL ? curl : wget);
	for (size_t i = 0; i < count; i++) {
		const struct downloader_file *file = &files[i];

		if (d->kind == DOWNLOADER_APT) {
			add(argv, &n, file->url);
			add(argv, &n, file->target);
			if (file->sha256)
				argv[n++] = string_printf("SHA256:%s", file->sha256);
		} else {
			add(argv, &n, d->kind == DOWNLOADER_CURL ? "-o" : "-O");
			add(argv, &n, file->target);
			add(argv, &n, file->url);
		}
	}
	return argv;
}

static void free_strings(char ***list)
{
	for (size_t i = 0; *list && (*list)[i]; i++)
		free((*list)[i]);
	free(*list);
}

/* ---------------------------------------------------------------- reasons */

static bool begins(struct text line, const char *start)
{
	size_t size = strlen(start);

	return line.size >= size && memcmp(line.data, start, size) == 0;
}

static bool holds(struct text line, const char *part)
{
	return memmem(line.data, line.size, part, strlen(part)) != NULL;
}

static struct text last_line(struct text said)
{
	struct text line, last = {"", 0};

	while (text_line(&said, &line))
		if (line.size > 0)
			last = line;
	return last;
}

/* The rest of the line that names the file. apt writes URLs in a form of its own ("file:/" for "file:///"),
 * but their ends as they were given. */
static struct text apt_reason(struct text said, const char *url)
{
	const char *end = strrchr(url, '/');
	struct text rest = said, line;

	while (end && text_line(&rest, &line)) {
		const char *found = memmem(line.data, line.size, end, strlen(end));

		if (!found)
			continue;
		found += strlen(end);
		while (found < line.data + line.size && *found == ' ')
			found++;
		return (struct text){found, (size_t)(line.data + line.size - found)};
	}
	return last_line(said);
}

/* Its complaints name no file, but its marks stand in the order of the files, each behind them. */
static struct text curl_reason(struct text said, size_t index)
{
	struct text line, complaint = {"", 0};

	while (text_line(&said, &line)) {
		if (begins(line, "curl: "))
			complaint = line;
		if (!begins(line, CURL_MARK))
			continue;
		if (index-- == 0)
			break;
		complaint = (struct text){"", 0};
	}
	return complaint;
}

/* How an HTTP server, an FTP server and apt's file method say so, as the three programs hand it on. */
static bool says_gone(struct text reason)
{
	static const char *const words[] = {
		"404", "410", "File not found", "file does not exist", "No such file",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (holds(reason, words[i]))
			return true;
	return false;
}

char *downloader_reason(const struct downloader *d, const char *said,
			const struct downloader_file *files, size_t index, bool *ret_gone)
{
	struct text text = text_of(said), reason;

	if (d->kind == DOWNLOADER_APT)
		reason = apt_reason(text, files[index].url);
	else if (d->kind == DOWNLOADER_CURL)
		reason = curl_reason(text, index);
	else
		reason = last_line(text);
	*ret_gone = says_gone(reason);
	return reason.size > 0 ? text_copy(reason) : string_copy("nobody said why");
}

/* ---------------------------------------------------------------- local files, single files */

const char *downloader_local_path(const char *url)
{
	if (strncmp(url, "file:", 5) != 0 && strncmp(url, "copy:", 5) != 0)
		return NULL;
	url += 5;
	return strncmp(url, "//", 2) == 0 ? url + 2 : url;
}

int downloader_fetch(const struct downloader *d, const char *url, const char *target,
		     struct error *err)
{
	const struct downloader_file file = {.url = (char *)url, .target = (char *)target};
	__attribute__((cleanup(free_strings))) char **argv = downloader_arguments(d, &file, 1);
	const struct process_options options = {
		.argv = (const char *const *)argv,
		.env = downloader_env(d),
	};
	int r;

	(void)unlink(target);
	if (d->kind != DOWNLOADER_APT && downloader_local_path(url))
		return io_copy_file(downloader_local_path(url), target, 0644, err);
	r = process_run(&options, NULL, err);
	return r < 0 ? error_wrap(err, "cannot fetch %s", url) : 0;
}
