/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_CALL_H
#define KILN_REHEARSAL_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "rehearsal.h"

/* One request on its way: what it is, who asks, what becomes of it. */

enum service { SERVICE_EBS, SERVICE_EC2, SERVICE_STS, SERVICE_CLOUDFORMATION, SERVICE_PLACE, SERVICE_CONTROL };

/* The service of a credential scope; false: there is none of that name. */
bool service_find(const char *name, enum service *ret);
/* The version of its API that forms name; NULL where there are no forms. */
const char *service_version(enum service service);

struct call;
struct operation {
	const char *name;
	enum service service;
	void (*run)(struct call *c);
	/* EBS, places, control: "/snapshots/ID/blocks/N", where a word in capitals is any segment. */
	const char *method, *path;
	/* The rest: patterns of the parameters that there are, '#' for a number; NULL at the end. */
	const char *const *parameters;
	const char *subject;		/* the parameter with the id of what it is about */
	bool parallel;			/* holds the lock shared */
	bool anonymous;			/* needs no signature */
};

#define SEGMENTS_MAX 2
struct call {
	struct rehearsal *r;
	const struct request *q;
	struct answer *a;
	const struct operation *operation;
	struct pairs parameters;	/* of the query and, for EC2 and its like, the form */
	char *segments[SEGMENTS_MAX];	/* of the path, decoded */
	int64_t now;			/* seconds of the epoch, by the server's clock */
	char region[33];
	char principal[257];		/* who signed */
	struct fault fault;
	bool counted;			/* among those under way, with its fault decided */
	bool logged;
	char resource[200];		/* for the log */
	char code[80];			/* likewise: the error's, or "" */
};

/* ---- what was asked */

/* A parameter, or NULL. */
const char *call_parameter(const struct call *c, const char *name);
/* The same by a name that is made: "SnapshotId.%u". */
const char *call_parameterf(const struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A parameter that must be there; otherwise NULL, and the answer is MissingParameter. */
const char *call_needs(struct call *c, const char *name);
bool call_flag(const struct call *c, const char *name);
/* A number in decimal digits within min and max. false: it is none (`ret` untouched). */
bool call_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/* ---- what is answered */

/* In the service's form. `reason` is EBS's, or NULL. */
void call_error(struct call *c, unsigned int status, const char *code, const char *reason, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

enum refusal {
	REFUSE_THROTTLE, REFUSE_INTERNAL, REFUSE_DENIED, REFUSE_EXPIRED_TOKEN, REFUSE_NOT_FOUND, REFUSE_UNSIGNED,
	REFUSE_MALFORMED, REFUSE_UNKNOWN_KEY, REFUSE_SIGNATURE, REFUSE_TIME, REFUSE_INVALID, REFUSE_UNKNOWN_ACTION,
	REFUSALS,
};
/* What each service says in a case that all have. */
void call_refuse(struct call *c, enum refusal why, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The server itself failed: says so on standard error and answers 500. */
void call_failed(struct call *c, const struct error *err);
/* "service:Operation", as policies have it. */
void call_action(const struct call *c, char *ret, size_t size);

void call_header(struct call *c, const char *name, const char *value);
struct json_t;
/* Takes over the tree. */
void call_json(struct call *c, unsigned int status, struct json_t *root);

/* ---- XML, of EC2's, STS's and CloudFormation's answers */

void markup_open(struct buf *b, const char *name);
void markup_close(struct buf *b, const char *name);
void markup_leaf(struct buf *b, const char *name, const char *text);
void markup_number(struct buf *b, const char *name, uint64_t value);
void markup_bool(struct buf *b, const char *name, bool value);
/* The answer's body from its beginning to where the operation's own fields stand, and from there to its end. */
struct buf *call_xml_begin(struct call *c);
void call_xml_end(struct call *c);
/* EC2's <return>true</return>. */
void call_done(struct call *c);

#endif
