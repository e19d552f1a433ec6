/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/buf.h"
#include "factory/format/pcr.h"
#include "factory/model/manifest.h"
#include "upload/results.h"

static const struct upload upload = {
	.region = (char *)"eu-north-1", .image = (char *)"ami-1", .snapshot = (char *)"snap-1", .name = (char *)"n",
	.time = 1795745432, .proven = true,
};

int main(void)
{
	CLEANUP_BUF struct buf before = BUF_INIT(SIZE_MAX), after = BUF_INIT(SIZE_MAX), again = BUF_INIT(SIZE_MAX);
	struct pcr_log log = { .count = 0 };
	struct error err = ERROR_INIT;
	struct upload other = upload;
	const char *end;

	need(measurements_format(&log, &before, &err) == 0, "measurements");
	need(results_measurements(before.data, before.len, "f", &upload, &after, &err) == 0, "with an upload: %s",
	     err.message);
	end = strstr(buf_text(&before), "\n}\n");
	need(end, "an end");
	ok(strncmp(buf_text(&after), buf_text(&before), (size_t)(end - buf_text(&before))) == 0,
	   "the measurements stay byte for byte as they were");
	ok_str(buf_text(&after) + (end - buf_text(&before)),
	       ",\n  \"ImageId\": \"ami-1\",\n  \"SnapshotId\": \"snap-1\",\n  \"Region\": \"eu-north-1\",\n"
	       "  \"Time\": \"2026-11-27T02:10:32Z\"\n}\n", "and the upload stands behind them");
	other.image = (char *)"ami-2";
	need(results_measurements(after.data, after.len, "f", &other, &again, &err) == 0, "once more");
	ok(strstr(buf_text(&again), "ami-2") && !strstr(buf_text(&again), "ami-1"), "a later upload takes its place");
	buf_truncate(&again, 0);
	ok(results_measurements("{\"Measurements\": {}}", 20, "f", &upload, &again, &err) < 0 && again.len == 0,
	   "what has no measurements is refused");
	ok(results_measurements("{\"x\": 1}", 8, "f", &upload, &again, &err) < 0, "and what has something else");
	return tap_done();
}
