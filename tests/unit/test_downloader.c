/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/downloader.h"

static const struct downloader_file files[] = {
	{ .url = (char *)"http://h/pool/a_1.deb", .target = (char *)"/t/a", .sha256 = "aa" },
	{ .url = (char *)"http://h/pool/b_1.deb", .target = (char *)"/t/b", .sha256 = "bb" },
	{ .url = (char *)"http://h/pool/c_1.deb", .target = (char *)"/t/c", .sha256 = "cc" },
};

static const char apt_said[] =
	"E: Failed to fetch http://h/pool/a_1.deb  404  Not Found [IP: 10.0.0.1 80]\n"
	"E: Failed to fetch http://h/pool/b_1.deb  Could not connect to h:80 (10.0.0.1). - connect (111)\n"
	"E: Download Failed\n";
static const char curl_said[] =
	"kiln-answer 200\n"
	"curl: (22) The requested URL returned error: 404\n"
	"kiln-answer 404\n"
	"curl: (7) Failed to connect to h port 80 after 0 ms: Couldn't connect to server\n"
	"kiln-answer 000\n";
static const char wget_gone[] =
	"--2026-01-01 00:00:00--  http://h/pool/a_1.deb\n"
	"HTTP request sent, awaiting response... 404 Not Found\n"
	"2026-01-01 00:00:00 ERROR 404: Not Found.\n\n";
static const char wget_down[] =
	"--2026-01-01 00:00:00--  http://h404/pool/a_1.deb\n"
	"Connecting to h:80... failed: Connection refused.\n";

static void test_reasons(void)
{
	static const struct {
		enum downloader_kind kind;
		const char *said;
		size_t index;
		bool gone;
		const char *why;
	} cases[] = {
		{ DOWNLOADER_APT, apt_said, 0, true, "404  Not Found [IP: 10.0.0.1 80]" },
		{ DOWNLOADER_APT, apt_said, 1, false, "Could not connect to h:80 (10.0.0.1). - connect (111)" },
		{ DOWNLOADER_APT, apt_said, 2, false, "E: Download Failed" },
		{ DOWNLOADER_APT, "E: Failed to fetch file:/m/pool/a_1.deb  File not found - /m/pool/a_1.deb (2: ...)\n",
		  0, true, "File not found - /m/pool/a_1.deb (2: ...)" },
		{ DOWNLOADER_CURL, curl_said, 0, false, "nobody said why" },
		{ DOWNLOADER_CURL, curl_said, 1, true, "curl: (22) The requested URL returned error: 404" },
		{ DOWNLOADER_CURL, curl_said, 2, false,
		  "curl: (7) Failed to connect to h port 80 after 0 ms: Couldn't connect to server" },
		{ DOWNLOADER_CURL, "", 0, false, "nobody said why" },
		{ DOWNLOADER_WGET, wget_gone, 0, true, "2026-01-01 00:00:00 ERROR 404: Not Found." },
		{ DOWNLOADER_WGET, wget_down, 0, false, "Connecting to h:80... failed: Connection refused." },
		{ DOWNLOADER_WGET, "wget: server returned error: HTTP/1.1 404 Not Found\n", 0, true,
		  "wget: server returned error: HTTP/1.1 404 Not Found" },
		{ DOWNLOADER_WGET, "", 0, false, "nobody said why" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct downloader d = { .kind = cases[i].kind };
		bool gone = !cases[i].gone;
		CLEANUP_FREE char *why =
			downloader_reason(&d, cases[i].said, files, cases[i].index, &gone);

		ok_str(why, cases[i].why, "reason %zu", i);
		ok_int(gone, cases[i].gone, "gone or not");
	}
}

static char *arguments(enum downloader_kind kind, size_t count)
{
	const struct downloader d = { .kind = kind };
	char **argv = downloader_arguments(&d, files, count);
	char *line = string_copy("");

	for (size_t i = 0; argv[i]; i++) {
		char *longer = string_printf("%s %s", line, argv[i]);

		free(line);
		free(argv[i]);
		line = longer;
	}
	free(argv);
	return line;
}

static void test_arguments(void)
{
	CLEANUP_FREE char *apt = arguments(DOWNLOADER_APT, 2), *curl = arguments(DOWNLOADER_CURL, 2);
	CLEANUP_FREE char *wget = arguments(DOWNLOADER_WGET, 1);

	ok_str(apt, " /usr/lib/apt/apt-helper download-file http://h/pool/a_1.deb /t/a SHA256:aa"
		    " http://h/pool/b_1.deb /t/b SHA256:bb", "apt-helper");
	ok(strstr(curl, " --fail ") && strstr(curl, " -o /t/a http://h/pool/a_1.deb -o /t/b http://h/pool/b_1.deb"),
	   "curl:%s", curl);
	ok_str(wget, " wget -T 60 -O /t/a http://h/pool/a_1.deb", "wget");
}

static void test_local(void)
{
	ok_str(downloader_local_path("file:///a/b"), "/a/b", "file:///");
	ok_str(downloader_local_path("file:/a/b"), "/a/b", "file:/");
	ok_str(downloader_local_path("copy:/a"), "/a", "copy:/");
	ok(!downloader_local_path("http://h/file:/a"), "others are not local");
}

int main(void)
{
	test_reasons();
	test_arguments();
	test_local();
	return tap_done();
}
