/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "pages.h"

/* Of Debian's base-files. */
#define LICENCE "/usr/share/common-licenses/Apache-2.0"

static const char no_tpm[] = "This machine shows no TPM with a SHA-384 bank.";

static const char front_head[] =
	"<!doctype html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>Measurements of this machine</title>\n"
	"<style>\n"
	"body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;"
	" color: #1c2024; background: #fff }\n"
	"table { border-collapse: collapse; width: 100% }\n"
	"caption { text-align: left; padding-bottom: .5rem }\n"
	"th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;"
	" border-top: 1px solid #d5d9de }\n"
	"td { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere }\n"
	"@media (prefers-color-scheme: dark) { body { color: #e6e8ea; background: #15181b }"
	" th, td { border-color: #353b41 } a { color: #8ab4f8 } }\n"
	"</style>\n"
	"</head>\n"
	"<body>\n"
	"<h1>Measurements of this machine</h1>\n"
	"<p>These are the values of the TPM's platform configuration registers as this machine reports them "
	"itself. Trust them only as far as an attestation document, checked on another machine, "
	"confirms them. For programs: <a href=\"/measurements\">/measurements</a>.</p>\n";

static const char front_tail[] = "</body>\n</html>\n";

static void front_table(FILE *out, const struct pcrs *pcrs)
{
	fputs("<table>\n<caption>SHA-384 bank</caption>\n"
	      "<tr><th scope=\"col\">PCR</th><th scope=\"col\">Value</th></tr>\n", out);
	for (unsigned int i = 0; i < PCRS_COUNT; i++)
		fprintf(out, "<tr><th scope=\"row\">%u</th><td>%s</td></tr>\n", i, pcrs->hex[i]);
	fputs("</table>\n", out);
}

/* Closes the stream; the text, or NULL if anything was lost on the way. */
static char *finish(FILE *out, char **text)
{
	int lost = ferror(out);

	if (fclose(out) != 0 || lost) {
		free(*text);
		return NULL;
	}
	return *text;
}

char *page_front(const struct pcrs *pcrs)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(front_head, out);
	if (pcrs)
		front_table(out, pcrs);
	else
		fprintf(out, "<p role=\"alert\">%s</p>\n", no_tpm);
	fputs(front_tail, out);
	return finish(out, &text);
}

char *page_measurements(const struct pcrs *pcrs)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (!pcrs) {
		fprintf(out, "{\n  \"error\": \"%s\"\n}\n", no_tpm);
		return finish(out, &text);
	}
	fputs("{\n  \"Measurements\": {\n    \"HashAlgorithm\": \"SHA384\"", out);
	for (unsigned int i = 0; i < PCRS_COUNT; i++)
		fprintf(out, ",\n    \"PCR%u\": \"%s\"", i, pcrs->hex[i]);
	fputs("\n  }\n}\n", out);
	return finish(out, &text);
}

char *page_licence(const struct pcrs *pcrs)
{
	FILE *in = fopen(LICENCE, "re"), *out;
	char *text = NULL, part[4096];
	size_t size, n;

	(void)pcrs;
	if (!in)
		return NULL;
	out = open_memstream(&text, &size);
	while (out && (n = fread(part, 1, sizeof(part), in)) > 0)
		fwrite(part, 1, n, out);
	if (out && ferror(in)) {
		(void)fclose(out);
		free(text);
		out = NULL;
	}
	(void)fclose(in);
	return out ? finish(out, &text) : NULL;
}

char *page_health(const struct pcrs *pcrs)
{
	char *text;

	if (asprintf(&text, "{\n  \"status\": \"%s\"\n}\n", pcrs ? "ok" : "no TPM") < 0)
		return NULL;
	return text;
}
