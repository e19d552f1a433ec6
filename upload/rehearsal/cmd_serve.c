/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/arguments.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/base/process.h"
#include "../../factory/base/secret.h"
#include "../../factory/model/memory.h"
#include "clock.h"
#include "commands.h"
#include "http_server.h"
#include "rehearsal.h"

#define SECRET_MAX 128

struct options {
	const char *data, *port_file, *access_key, *secret_file, *account;
	unsigned int port;
};

/* ---------------------------------------------------------------- the state */

static int read_secret(const char *path, struct buf *ret, struct error *err)
{
	int r = io_read_file(path, SECRET_MAX, ret, err);
	size_t len;

	if (r < 0)
		return r;
	len = strcspn(buf_text(ret), "\r\n");
	buf_truncate(ret, len);
	return len ? 0 : error_input(err, "%s: there is no secret on its first line", path);
}

static int add_key(struct rehearsal *r, const struct options *o, struct error *err)
{
	CLEANUP_SECRET_BUF struct buf secret = BUF_INIT(SECRET_MAX + 1);
	CLEANUP_FREE char *arn = string_printf("arn:aws:iam::%s:user/rehearsal", o->account);
	int result = read_secret(o->secret_file, &secret, err);

	if (result == 0)
		signers_add(&r->signers, o->access_key, buf_text(&secret), arn);
	return result;
}

static void init_locks(struct rehearsal *r)
{
	pthread_rwlockattr_t writers_first;

	/* Or blocks, which come without end, would keep everything else waiting. */
	if (pthread_rwlockattr_init(&writers_first) ||
	    pthread_rwlockattr_setkind_np(&writers_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) ||
	    pthread_rwlock_init(&r->lock, &writers_first) || pthread_mutex_init(&r->counting, NULL))
		error_no_memory();
	pthread_rwlockattr_destroy(&writers_first);
}

static int open_log(struct rehearsal *r, struct error *err)
{
	CLEANUP_FREE char *path = path_join(r->data, "requests");

	r->requests = fopen(path, "ae");
	return r->requests ? 0 : error_system(err, errno, "cannot open %s", path);
}

static int open_state(struct rehearsal *r, const struct options *o, struct error *err)
{
	CLEANUP_FREE char *directory = path_join(o->data, "objects");
	int result = objects_open(directory, &r->objects, err);

	if (result == 0)
		result = open_log(r, err);
	if (result == 0)
		result = add_key(r, o, err);
	return result;
}

static void close_state(struct rehearsal *r)
{
	if (r->requests)
		fclose(r->requests);
	objects_close(&r->objects);
	signers_free(&r->signers);
	pthread_rwlock_destroy(&r->lock);
	pthread_mutex_destroy(&r->counting);
	free(r->under_way);
}

/* ---------------------------------------------------------------- the server */

static int tell_port(const struct options *o, unsigned int port, struct error *err)
{
	CLEANUP_FREE char *text = string_printf("%u\n", port);

	log_info("listening on http://127.0.0.1:%u", port);
	return o->port_file ? io_write_file(o->port_file, text, strlen(text), 0644, err) : 0;
}

static int wait_for_signal(struct error *err)
{
	struct pollfd fd = { .fd = process_signal_fd(), .events = POLLIN };

	while (process_check_interrupt(err) == 0)
		(void)poll(&fd, 1, -1);
	/* To be ended is what a server is for. */
	*err = (struct error)ERROR_INIT;
	return 0;
}

static int serve_state(struct rehearsal *r, const struct options *o, struct error *err)
{
	CLEANUP_HTTP_SERVER struct http_server *server = NULL;
	struct http_handler handler;
	int result;

	rehearsal_handler(r, &handler);
	result = http_server_start((uint16_t)o->port, &handler, &server, err);
	if (result == 0)
		result = tell_port(o, http_server_port(server), err);
	return result < 0 ? result : wait_for_signal(err);
}

static int serve_directory(const struct options *o, struct error *err)
{
	struct rehearsal r = {
		.data = o->data, .account = o->account, .settings = SETTINGS_INIT, .started_ms = clock_now_ms(),
		.under_way = memory_new(rehearsal_operations() * sizeof(uint64_t)),
	};
	int result;

	init_locks(&r);
	result = open_state(&r, o, err);
	if (result == 0)
		result = serve_state(&r, o, err);
	close_state(&r);
	return result;
}

static int check_options(const struct options *o, struct error *err)
{
	if (!o->data)
		return error_input(err, "kiln-rehearsal serve: --data DIR says where to keep what comes; it is missing");
	if (!o->access_key || !o->secret_file)
		return error_input(err, "kiln-rehearsal serve: --access-key and --secret-file say who may sign; give both");
	if (strlen(o->access_key) > 32)
		return error_input(err, "kiln-rehearsal serve: --access-key must have at most 32 characters");
	if (strlen(o->account) != 12 || strspn(o->account, "0123456789") != 12)
		return error_input(err, "kiln-rehearsal serve: --account must have twelve digits");
	return 0;
}

static int serve(int argc, char **argv, struct error *err)
{
	struct options o = { .account = "123456789012" };
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "data", .kind = ARGUMENT_TEXT, .target = &o.data },
		{ .name = "port", .kind = ARGUMENT_NUMBER, .target = &o.port, .least = 0, .most = 65535 },
		{ .name = "port-file", .kind = ARGUMENT_TEXT, .target = &o.port_file },
		{ .name = "access-key", .kind = ARGUMENT_TEXT, .target = &o.access_key },
		{ .name = "secret-file", .kind = ARGUMENT_TEXT, .target = &o.secret_file },
		{ .name = "account", .kind = ARGUMENT_TEXT, .target = &o.account },
		{ .name = NULL },
	};

	r = arguments_parse(&command_serve, table, argc, argv, "operand", 0, 0, &operands, err);
	if (r == 0)
		r = check_options(&o, err);
	if (r < 0)
		return r;
	/* Another server's port would be taken for ours. */
	if (o.port_file && unlink(o.port_file) < 0 && errno != ENOENT)
		return error_system(err, errno, "cannot remove %s", o.port_file);
	return serve_directory(&o, err);
}

const struct command command_serve = {
	.name = "serve",
	.program = REHEARSAL_PROGRAM,
	.run = serve,
	.summary = "answer as EBS, EC2, STS and CloudFormation do",
	.usage = "--data DIR --access-key ID --secret-file FILE [--port N] [--port-file FILE] [--account N]",
	.help =
		"Listens on the loopback interface until SIGTERM, and keeps what it is given: snapshots with their blocks, images,\n"
		"stacks, and a line for each request. Signatures, lengths, checksums and the fields of images are checked as AWS\n"
		"does; what goes wrong on command is in upload/rehearsal/README.md. The verb may be left out.\n"
		"\n"
		"    --data DIR           where it is kept, and found again when the server is started once more\n"
		"    --access-key ID      who may sign\n"
		"    --secret-file FILE   with what: the file's first line\n"
		"    --port N             0, the default: a free one\n"
		"    --port-file FILE     gets the port's number once connections are taken\n"
		"    --account N          twelve digits; 123456789012\n",
};
