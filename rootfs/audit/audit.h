/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_AUDIT_AUDIT_H
#define KILN_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

struct declared;
struct declared_exception;
struct error;
struct live;
struct tree;

/*
 * The zero-access audit: rules over a finished system's tree and what boots it. AWS's table of what an attestable
 * image must not have (facts, "AWS's rules for attestable and isolated images"), and more. Pure: what is judged is
 * given, and nothing of it is run.
 */

struct audit_input {
	const struct tree *tree;	/* tree_open_finished() */
	const struct declared *declared;
	const char *cmdline;		/* the kernel's, as it is in the boot file */
	const char *root_problem;	/* NULL: the tree is what the root hash of the command line covers */
	/* Each NULL-terminated. */
	const char *const *esp;		/* files of the EFI system partition, the boot file left out */
	const char *const *partitions;	/* those that are neither ESP nor root nor hash tree, as text */
	const char *const *initrd;	/* names of what is in the initrd */
	const struct live *live;	/* what the machine that boots it answered; NULL: not tried, and no rule of that is judged */
};

enum audit_verdict { AUDIT_HOLDS, AUDIT_ACCEPTED, AUDIT_FAILS };
extern const char *const audit_verdict_names[];	/* "holds", "accepted", "FAILS" */

/* Where a finding is that is in no file of the image. */
#define AUDIT_CMDLINE "(kernel command line)"
#define AUDIT_DISK "(disk)"
#define AUDIT_ESP "(ESP)"
#define AUDIT_INITRD "(initrd)"
#define AUDIT_MACHINE "(machine)"

struct audit_finding {
	char *path;			/* "/etc/shadow", or one of the above */
	unsigned int line;		/* 0: none */
	char *text;
	const struct declared_exception *accepted;	/* of the input; NULL: it fails */
};

struct audit_result {
	const char *rule, *title;	/* "files.setuid" */
	char *seen;			/* what was looked at; "" */
	struct audit_finding *findings;
	size_t count;
};

struct audit_report {
	struct audit_result *results;	/* of every rule that was judged, in the rules' order */
	size_t count;
	const struct declared_exception **unused;	/* exceptions that accept nothing; of the input */
	size_t unused_count;
};

enum audit_verdict audit_verdict(const struct audit_result *result);
size_t audit_count(const struct audit_report *report, enum audit_verdict verdict);

/* Fails only when the tree cannot be read; what is wrong with it is in the report. */
int audit_run(const struct audit_input *input, struct audit_report *ret, struct error *err);
void audit_report_clear(struct audit_report *report);
#define CLEANUP_AUDIT_REPORT __attribute__((cleanup(audit_report_clear)))

/* Is there a rule of that name? */
bool audit_has_rule(const char *id);

#endif
