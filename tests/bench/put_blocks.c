/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "factory/base/base64.h"
#include "factory/base/cleanup.h"
#include "factory/base/data_digest.h"
#include "factory/base/error.h"
#include "factory/base/io.h"
#include "upload/sigv4.h"

/*
 * put_blocks HOST:PORT FILE CONNECTIONS: what is left of an upload when everything is taken away: a snapshot is
 * started, and the blocks of the file that hold data are put into it, each with its checksum and a signature, by a
 * plain loop over libcurl's multi interface, one connection a slot. Nothing is tried again, kept, shown or completed.
 * Credentials and region come from the environment.
 */

#define SLOTS_MAX 256
#define HEADER_MAX 512

struct slot {
	CURL *easy;
	struct curl_slist *headers;
	uint8_t *block;
};

struct loop {
	CURLM *multi;
	const char *host, *key_id, *secret, *region;
	char snapshot[64];
	int fd;
	uint64_t size, next;		/* bytes; where the search for data goes on */
	uint64_t data_end;		/* of the stretch of data that holds `next` */
	unsigned int busy;
	struct slot slots[SLOTS_MAX];
	unsigned int slot_count;
};

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "put_blocks: %s: %s\n", what, why);
	exit(1);
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		die(name, "is not set");
	return value;
}

/* ---------------------------------------------------------------- requests */

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	char line[2 * HEADER_MAX];

	(void)snprintf(line, sizeof(line), "%s: %s", name, value);
	return curl_slist_append(list, line);
}

/* The headers of a request, with `pairs` among them, signed. */
static struct curl_slist *sign(const struct loop *l, const char *method, const char *path, const struct aws_pair *pairs,
			       size_t count, const char *payload)
{
	CLEANUP_BUF struct buf authorization = BUF_INIT(2 * HEADER_MAX);
	struct aws_pair all[16] = { { "host", l->host }, { "x-amz-content-sha256", payload } };
	struct curl_slist *list = NULL;
	char date[SIGV4_DATE_SIZE];
	struct timespec now;

	const struct sigv4_scope scope = { .date = date, .region = l->region, .service = "ebs" };
	const struct sigv4_request q = {
		.method = method, .path = path, .headers = all, .header_count = count + 3, .payload = payload,
	};

	clock_gettime(CLOCK_REALTIME, &now);
	sigv4_date(now.tv_sec, date);
	all[2] = (struct aws_pair){ "x-amz-date", date };
	memcpy(all + 3, pairs, count * sizeof(*pairs));
	sigv4_authorization(&q, &scope, l->key_id, l->secret, &authorization);
	for (size_t i = 1; i < q.header_count; i++)
		list = add_header(list, all[i].name, all[i].value);
	list = add_header(list, "Authorization", buf_text(&authorization));
	return curl_slist_append(list, "Expect:");
}

static size_t keep(char *data, size_t size, size_t count, void *arg)
{
	return buf_add(arg, data, size * count) < 0 ? 0 : size * count;
}

static size_t discard(char *data, size_t size, size_t count, void *arg)
{
	(void)data;
	(void)arg;
	return size * count;
}

static void take_snapshot_id(struct loop *l, const char *answer)
{
	const char *id = strstr(answer, "snap-");
	size_t len = id ? strcspn(id, "\"") : 0;

	if (!id || len >= sizeof(l->snapshot))
		die("StartSnapshot", answer);
	memcpy(l->snapshot, id, len);
}

static void start_snapshot(struct loop *l)
{
	static const struct aws_pair type = { "content-type", "application/json" };
	CLEANUP_FREE char *body = string_printf("{\"VolumeSize\": %ju}", (uintmax_t)((l->size + (1 << 30) - 1) >> 30));
	CLEANUP_FREE char *url = string_printf("http://%s/snapshots", l->host);
	CLEANUP_BUF struct buf answer = BUF_INIT(1 << 16);
	char payload[2 * DIGEST_MAX + 1];
	struct curl_slist *headers;
	CURL *easy = curl_easy_init();
	struct digest digest;
	CURLcode code;

	digest_of(DIGEST_SHA256, body, strlen(body), &digest);
	digest_hex(&digest, payload);
	headers = sign(l, "POST", "/snapshots", &type, 1, payload);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
	code = curl_easy_perform(easy);
	if (code != CURLE_OK)
		die("StartSnapshot", curl_easy_strerror(code));
	take_snapshot_id(l, buf_text(&answer));
	curl_slist_free_all(headers);
	curl_easy_cleanup(easy);
}

/* ---------------------------------------------------------------- blocks */

/* The next block that is not all zeros; false at the end. Its last bytes are zeros where the file ends before. */
static bool read_block(struct loop *l, uint8_t *block, uint64_t *ret_index)
{
	static const uint8_t zeros[DATA_BLOCK];
	struct error err = ERROR_INIT;

	while (l->next < l->size) {
		uint64_t offset = l->next, start;
		size_t size = l->size - offset < DATA_BLOCK ? (size_t)(l->size - offset) : DATA_BLOCK;

		if (offset >= l->data_end) {
			if (io_next_data(l->fd, offset, l->size, &start, &l->data_end, "the disk", &err) < 0)
				die("the disk", err.message);
			l->next = start / DATA_BLOCK * DATA_BLOCK;
			if (l->next > offset || start == l->size)
				continue;
		}
		memset(block + size, 0, DATA_BLOCK - size);
		if (io_pread_full(l->fd, block, size, offset, "the disk", &err) < 0)
			die("the disk", err.message);
		l->next = offset + DATA_BLOCK;
		*ret_index = offset / DATA_BLOCK;
		if (memcmp(block, zeros, DATA_BLOCK))
			return true;
	}
	return false;
}

static void describe(struct loop *l, struct slot *s, uint64_t index)
{
	CLEANUP_FREE char *path = string_printf("/snapshots/%s/blocks/%ju", l->snapshot, (uintmax_t)index);
	CLEANUP_FREE char *url = string_printf("http://%s%s", l->host, path);
	CLEANUP_BUF struct buf checksum = BUF_INIT(64);
	struct digest digest;

	digest_of(DIGEST_SHA256, s->block, DATA_BLOCK, &digest);
	(void)base64_encode(digest.bytes, 32, &checksum);

	const struct aws_pair pairs[] = {
		{ "content-type", "application/octet-stream" },
		{ "x-amz-checksum", buf_text(&checksum) },
		{ "x-amz-checksum-algorithm", "SHA256" },
		{ "x-amz-data-length", "524288" },
	};

	curl_slist_free_all(s->headers);
	s->headers = sign(l, "PUT", path, pairs, ARRAY_SIZE(pairs), SIGV4_UNSIGNED);
	curl_easy_setopt(s->easy, CURLOPT_URL, url);
	curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers);
}

static void prepare(struct slot *s)
{
	s->easy = curl_easy_init();
	s->block = malloc(DATA_BLOCK);
	if (!s->easy || !s->block)
		die("slots", "no memory");
	curl_easy_setopt(s->easy, CURLOPT_CUSTOMREQUEST, "PUT");
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, s->block);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE, (long)DATA_BLOCK);
	curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(s->easy, CURLOPT_PRIVATE, s);
}

static void fill(struct loop *l, struct slot *s)
{
	uint64_t index;

	if (!read_block(l, s->block, &index))
		return;
	describe(l, s, index);
	curl_multi_add_handle(l->multi, s->easy);
	l->busy++;
}

static void finish(struct loop *l, const CURLMsg *message)
{
	CURL *easy = message->easy_handle;
	CURLcode code = message->data.result;
	struct slot *s = NULL;
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &s);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		die("PutSnapshotBlock", curl_easy_strerror(code));
	if (status != 201)
		die("PutSnapshotBlock", "the answer is not 201");
	curl_multi_remove_handle(l->multi, easy);
	l->busy--;
	fill(l, s);
}

static void run(struct loop *l)
{
	CURLMsg *message;
	int running, left;

	for (unsigned int i = 0; i < l->slot_count; i++) {
		prepare(&l->slots[i]);
		fill(l, &l->slots[i]);
	}
	while (l->busy) {
		curl_multi_perform(l->multi, &running);
		while ((message = curl_multi_info_read(l->multi, &left)))
			finish(l, message);
		curl_multi_poll(l->multi, NULL, 0, 1000, NULL);
	}
}

int main(int argc, char **argv)
{
	struct loop l = { .fd = -1 };

	if (argc != 4)
		die("usage", "put_blocks HOST:PORT FILE CONNECTIONS");
	l.host = argv[1];
	l.key_id = environment("AWS_ACCESS_KEY_ID");
	l.secret = environment("AWS_SECRET_ACCESS_KEY");
	l.region = environment("AWS_REGION");
	l.slot_count = (unsigned int)strtoul(argv[3], NULL, 10);
	l.fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (l.fd < 0)
		die(argv[2], strerror(errno));
	if (!l.slot_count || l.slot_count > SLOTS_MAX)
		die("connections", "1 to 256");
	l.size = (uint64_t)lseek(l.fd, 0, SEEK_END);
	l.multi = curl_multi_init();
	curl_multi_setopt(l.multi, CURLMOPT_MAXCONNECTS, (long)l.slot_count);
	start_snapshot(&l);
	run(&l);
	return 0;
}
