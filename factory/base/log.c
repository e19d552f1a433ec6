/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "log.h"

#define LINE_MAX_SIZE 4096
#define SOURCE_SIZE 64
#define REDRAW_SECONDS 0.1

/* The process has one standard error and one log file, so the logger's state is one too. Not for
 * use from several threads. */
static struct {
	enum log_level level;
	FILE *file;
	double opened;			/* when the file was */
	char source[SOURCE_SIZE];	/* whose line in the file is unfinished; "" when none is */
} logger = { .level = LOG_INFO };

static struct {
	bool open;
	bool drawn;			/* the terminal's cursor stands behind it */
	char label[256];
	char detail[128];
	double begun;
	double redrawn;
} step;

static const char *const prefixes[] = {
	[LOG_DEBUG] = "", [LOG_INFO] = "", [LOG_WARNING] = "warning: ", [LOG_ERROR] = "error: ",
};

/* Foreign text must not steer the terminal, nor the reader of the file. */
static bool printable(char c)
{
	return c == '\n' || c == '\t' || ((unsigned char)c >= 0x20 && c != 0x7f);
}

static void drop_control(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++)
		if (printable(*in))
			*out++ = *in;
	*out = '\0';
}

void log_set_level(enum log_level level)
{
	logger.level = level;
}

int log_open_file(const char *path, struct error *err)
{
	FILE *file = NULL;

	if (path) {
		file = fopen(path, "we");
		if (!file)
			return error_system(err, errno, "cannot open the log file %s", path);
		/* Line by line: a process that is killed leaves a log that says how far it came. */
		(void)setvbuf(file, NULL, _IOLBF, 0);
	}
	if (logger.file)
		(void)fclose(logger.file);	/* a full disk may cost the log, never the work */
	logger.file = file;
	logger.opened = clock_seconds();
	logger.source[0] = '\0';
	return 0;
}

static void file_stamp(void)
{
	if (logger.source[0])
		(void)fputc('\n', logger.file);
	logger.source[0] = '\0';
	(void)fprintf(logger.file, "%9.3f ", clock_seconds() - logger.opened);
}

static void file_line(const char *prefix, const char *text)
{
	if (!logger.file)
		return;
	file_stamp();
	(void)fprintf(logger.file, "%s%s\n", prefix, text);
}

/* ------------------------------------------------------------ the terminal */

static bool shown(enum log_level level)
{
	return level >= logger.level;
}

static bool on_terminal(void)
{
	return isatty(STDERR_FILENO);
}

static size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		return 80;
	return size.ws_col;
}

static void clear_step(void)
{
	if (step.drawn)
		(void)fputs("\r\033[K", stderr);
	step.drawn = false;
}

static void draw_step(void)
{
	char line[512];
	size_t width = terminal_width();

	step.redrawn = clock_seconds();
	(void)snprintf(line, sizeof(line), "%s ... %s%s%.0f s", step.label, step.detail,
		       step.detail[0] ? ", " : "", step.redrawn - step.begun);
	/* A line that wraps could not be cleared again. */
	if (strlen(line) >= width)
		line[width - 1 < sizeof(line) ? width - 1 : sizeof(line) - 1] = '\0';
	(void)fprintf(stderr, "\r\033[K%s", line);
	(void)fflush(stderr);
	step.drawn = true;
}

static void print_line(const char *prefix, const char *text)
{
	bool redraw = step.drawn;

	clear_step();
	(void)fprintf(stderr, "%s%s\n", prefix, text);
	if (redraw)
		draw_step();
	(void)fflush(stderr);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX_SIZE];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	drop_control(text);
	file_line(prefixes[level], text);
	if (shown(level))
		print_line(prefixes[level], text);
}

/* ------------------------------------------------------------ foreign output */

static void foreign_char(const char *source, char c)
{
	if (!logger.source[0] || strcmp(logger.source, source) != 0) {
		if (c == '\n' && !logger.source[0])
			return;		/* an empty line says nothing */
		file_stamp();
		(void)fprintf(logger.file, "%s: ", source);
		(void)snprintf(logger.source, sizeof(logger.source), "%s", source);
	}
	(void)fputc(c, logger.file);
	if (c == '\n')
		logger.source[0] = '\0';
}

void log_foreign(const char *source, const char *text, size_t size)
{
	char name[SOURCE_SIZE];

	if (!logger.file)
		return;
	(void)snprintf(name, sizeof(name), "%s", source[0] ? source : "?");
	for (size_t i = 0; i < size; i++)
		if (printable(text[i]))
			foreign_char(name, text[i]);
	(void)fflush(logger.file);
}

/* ------------------------------------------------------------ steps */

void log_step_begin(unsigned int number, unsigned int total, const char *title)
{
	(void)snprintf(step.label, sizeof(step.label), "[%u/%u] %s", number, total, title);
	drop_control(step.label);
	step.detail[0] = '\0';
	step.open = true;
	step.begun = clock_seconds();
	file_line("", step.label);
	if (!shown(LOG_INFO))
		return;
	if (on_terminal())
		draw_step();
	else
		print_line("", step.label);
}

void log_step_update(uint64_t done, uint64_t total, const char *unit)
{
	if (!step.open)
		return;
	if (total)
		(void)snprintf(step.detail, sizeof(step.detail), "%" PRIu64 " of %" PRIu64 " %s",
			       done, total, unit);
	else
		(void)snprintf(step.detail, sizeof(step.detail), "%" PRIu64 " %s", done, unit);
	log_step_tick();
}

void log_step_tick(void)
{
	if (step.drawn && clock_seconds() - step.redrawn >= REDRAW_SECONDS)
		draw_step();
}

void log_step_end(const char *outcome)
{
	char text[sizeof(step.label) + 64];

	if (!step.open)
		return;
	(void)snprintf(text, sizeof(text), "%s: %s, %.1f s", step.label, outcome,
		       clock_seconds() - step.begun);
	step.open = false;
	clear_step();
	file_line("", text);
	if (shown(LOG_INFO))
		print_line("", text);
}
