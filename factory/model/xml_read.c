/* SPDX-License-Identifier: Apache-2.0 */
#include "xml_read.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

#include "../base/error.h"

/* Where libxml2's callbacks put the first thing that is wrong. */
struct xml_errors {
	const char *file;
	struct error *err;
};

#if LIBXML_VERSION >= 21200
typedef const xmlError *xml_error;
#else
typedef xmlErrorPtr xml_error;
#endif

static void keep_error(void *context, xml_error e)
{
	const xmlParserCtxt *parser = context;
	struct xml_errors *errors = parser->_private;
	const char *message = e->message ? e->message : "malformed XML";

	if (e->level == XML_ERR_WARNING || errors->err->kind != ERROR_NONE)
		return;
	error_input(errors->err, "%s:%d: %.*s", errors->file, e->line,
		    (int)strcspn(message, "\n"), message);
}

/* Called when a DOCTYPE is met, before anything in it is read: no DTD, no entities, no expansion. */
static void refuse_doctype(void *context, const xmlChar *name, const xmlChar *id,
			   const xmlChar *system)
{
	xmlParserCtxt *parser = context;
	struct xml_errors *errors = parser->_private;

	(void)name;
	(void)id;
	(void)system;
	if (errors->err->kind == ERROR_NONE)
		error_input(errors->err, "%s:%d: a document type declaration is not allowed",
			    errors->file, xmlSAX2GetLineNumber(parser));
	xmlStopParser(parser);
}

static xmlDoc *parse(const void *xml, size_t size, struct xml_errors *errors)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();
	xmlDoc *doc;

	if (!parser)
		error_no_memory();
	parser->_private = errors;
	parser->sax->serror = keep_error;
	parser->sax->internalSubset = refuse_doctype;
	doc = xmlCtxtReadMemory(parser, xml, (int)size, errors->file, NULL, XML_PARSE_NONET);
	xmlFreeParserCtxt(parser);
	return doc;
}

int xml_read(const void *xml, size_t size, const char *file, xmlDoc **ret, struct error *err)
{
	struct error problem = ERROR_INIT;
	struct xml_errors errors = { .file = file, .err = &problem };
	xmlDoc *doc = parse(size ? xml : "", size, &errors);

	if (doc && problem.kind == ERROR_NONE) {
		*ret = doc;
		return 0;
	}
	if (problem.kind == ERROR_NONE)
		error_input(&problem, "%s:1: malformed XML", file);
	xmlFreeDoc(doc);
	*err = problem;
	return -EINVAL;
}
