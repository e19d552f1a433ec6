/* SPDX-License-Identifier: Apache-2.0 */
#include "examine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/clock.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/json.h"
#include "boot_options.h"
#include "console.h"
#include "frame.h"
#include "machine.h"
#include "peer.h"
#include "qmp.h"
#include "screen.h"

#define STEP_MS 100
#define KNOCK_MS 1000			/* between knocks at a machine that is coming up */
#define ALIVE_MS 15000			/* to an answer of a machine that is up */
#define TYPING_MS 4000			/* for an answer to what was typed */
#define PRESS_MS 6000			/* for a button's effect to begin */
#define PLUGGING_MS 10000		/* for a new keyboard to be taken into use */
#define QUIET_MS 3000			/* the console's silence after which a boot is over */
#define QUIET_MAX_MS 60000
#define SCAN_MAX_MS 900000
#define FRAMES_AT_ONCE 64
#define OUTPUT_MAX ((size_t)1 << 20)
#define SCREEN_MAX ((size_t)64 << 20)
/* A cursor, where it was and where it is. */
#define SCREEN_CELLS 2

struct examination {
	struct machine *machine;
	struct peer *peer;
	struct qmp qmp;
	struct buf console, second;	/* what the serial lines have said since they were last asked */
	struct live *live;
	const char *directory;		/* for the screens */
	bool ended;			/* the machine is off, or of no use any more */
	bool scanned;			/* its ports were tried */
	size_t next;			/* of the steps */
};

/* ---------------------------------------------------------------- the machine goes on */

static void take_frames(struct examination *x)
{
	const int fd = machine_sockets(x->machine)->network;
	uint8_t frame[FRAME_MAX];
	ssize_t n;

	while ((n = recv(fd, frame, sizeof(frame), MSG_DONTWAIT)) > 0)
		peer_receive(x->peer, frame, (size_t)n);
}

/* As many as the socket takes; what it refuses is lost, as on a cable, and the peer sees to that. */
static bool give_frames(struct examination *x)
{
	const int fd = machine_sockets(x->machine)->network;

	for (int i = 0; i < FRAMES_AT_ONCE; i++) {
		CLEANUP_BUF struct buf frame = BUF_INIT(FRAME_MAX);
		struct pollfd room = { .fd = fd, .events = POLLOUT };

		if (poll(&room, 1, 0) <= 0 || !peer_next(x->peer, clock_ms(), &frame))
			return false;
		(void)send(fd, frame.data, frame.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	return true;
}

static int read_second_console(struct examination *x, struct error *err)
{
	char data[4096];
	ssize_t n;

	while ((n = recv(machine_sockets(x->machine)->second_console, data, sizeof(data), MSG_DONTWAIT)) > 0)
		if (buf_add(&x->second, data, (size_t)n) < 0)
			return error_outside(err, "the second serial line says more than can be kept");
	return 0;
}

static int step(struct examination *x, struct error *err)
{
	const struct machine_sockets *s = machine_sockets(x->machine);
	bool more = give_frames(x);
	struct pollfd extra[] = {
		{ .fd = s->network, .events = POLLIN },
		{ .fd = s->control, .events = POLLIN },
		{ .fd = s->second_console, .events = POLLIN },
	};
	int r = machine_step(x->machine, extra, ARRAY_SIZE(extra), more ? 0 : STEP_MS / 10, &x->console, err);

	if (r == 0)
		r = qmp_read(&x->qmp, err);
	if (r == 0)
		r = read_second_console(x, err);
	take_frames(x);
	if (x->console.len && strstr(buf_text(&x->console), PEER_USER_DATA_MARK))
		live_list_add(&x->live->user_data, "and ran the script that it got");
	if (r == 0 && machine_ended(x->machine, NULL))
		x->ended = true;
	return r;
}

/* Until it is so (or, without a condition, all the time), the machine has ended or the time is up. */
static int go_on(struct examination *x, int64_t ms, bool (*until)(const struct examination *x), struct error *err)
{
	const int64_t deadline = clock_ms() + ms;
	int r = 0;

	while (r == 0 && !x->ended && clock_ms() < deadline && !(until && until(x)))
		r = step(x, err);
	return r;
}

static bool is_answered(const struct examination *x)
{
	return peer_is_answered(x->peer);
}

static bool is_obeyed(const struct examination *x)
{
	return qmp_is_done(&x->qmp);
}

static bool is_scanned(const struct examination *x)
{
	return !peer_is_scanning(x->peer);
}

/* Does the service answer, as it did? */
static int check_alive(struct examination *x, bool *ret, struct error *err)
{
	const int64_t deadline = clock_ms() + ALIVE_MS;
	int r = 0;

	*ret = false;
	while (r == 0 && !*ret && !x->ended && clock_ms() < deadline) {
		peer_knock(x->peer, clock_ms());
		r = go_on(x, KNOCK_MS, is_answered, err);
		*ret = peer_is_answered(x->peer);
	}
	return r;
}

/* ---------------------------------------------------------------- coming up */

static int no_answer(const struct examination *x, const char *what, struct error *err)
{
	CLEANUP_BUF struct buf tail = BUF_INIT(1400);

	(void)console_tail(machine_console(x->machine), tail.max - 1, &tail);	/* as much as there is room for */
	return error_outside(err, "%s; the last lines of its console:\n%s", what, buf_text(&tail));
}

static int await_service(struct examination *x, unsigned int timeout_s, struct error *err)
{
	const int64_t begin = clock_ms(), deadline = begin + (int64_t)timeout_s * 1000;
	bool answered = false;
	int r = 0;

	while (r == 0 && !answered && !x->ended && !machine_console(x->machine)->fatal[0] && clock_ms() < deadline) {
		peer_knock(x->peer, clock_ms());
		r = go_on(x, KNOCK_MS, is_answered, err);
		answered = peer_is_answered(x->peer);
		log_step_update((uint64_t)(clock_ms() - begin) / 1000, timeout_s, "s");
		buf_truncate(&x->console, 0);
	}
	if (r < 0)
		return r;
	return answered ? 0 : no_answer(x, "the machine's service did not begin to answer", err);
}

/* What is started after the service may want to be tried, too. */
static int await_quiet(struct examination *x, struct error *err)
{
	const int64_t deadline = clock_ms() + QUIET_MAX_MS;
	int r;

	do {
		buf_truncate(&x->console, 0);
		buf_truncate(&x->second, 0);
		r = go_on(x, QUIET_MS, NULL, err);
	} while (r == 0 && !x->ended && x->console.len && clock_ms() < deadline);
	return r;
}

/* ---------------------------------------------------------------- what came of it */

static void note(struct examination *x, enum live_touch touch, const char *effect)
{
	if (!x->live->effects[touch])
		x->live->effects[touch] = string_copy(effect);
}

static void note_text(struct examination *x, enum live_touch touch, const struct buf *said)
{
	CLEANUP_BUF struct buf text = BUF_INIT(600);
	struct console c = CONSOLE_INIT;

	console_feed(&c, said->data, said->len);
	(void)console_tail(&c, text.max - 1, &text);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\n')
			text.data[i] = '|';
	if (text.len)
		note(x, touch, buf_text(&text));
}

/* Whoever could switch the machine off or have it stop has got further than nowhere. */
static int note_end(struct examination *x, enum live_touch touch, struct error *err)
{
	CLEANUP_BUF struct buf reason = BUF_INIT(1024);
	bool up = false;
	int r = check_alive(x, &up, err);

	if (r < 0 || up)
		return r;
	note(x, touch, machine_ended(x->machine, &reason) ? buf_text(&reason) : "the service does not answer any more");
	x->ended = true;
	return 0;
}

/* ---------------------------------------------------------------- QEMU's commands */

static int obey(struct examination *x, struct json_t *command, struct error *err)
{
	int r = qmp_ask(&x->qmp, command, err);

	if (r == 0)
		r = go_on(x, ALIVE_MS, is_obeyed, err);
	if (r == 0 && !x->ended && !qmp_is_done(&x->qmp))
		r = error_outside(err, "QEMU does not obey");
	return r;
}

/* Keys by QEMU's names ("ctrl alt delete"), down all at once. */
static int press(struct examination *x, const char *keys, struct error *err)
{
	struct json_t *command = qmp_command("send-key"), *list;

	list = json_put_array(json_put_object(command, "arguments"), "keys");
	while (*keys) {
		CLEANUP_FREE char *key = string_printf("%.*s", (int)strcspn(keys, " "), keys);
		struct json_t *item = json_put_object(list, NULL);

		json_put_string(item, "type", "qcode");
		json_put_string(item, "data", key);
		keys += strlen(key);
		keys += strspn(keys, " ");
	}
	return obey(x, command, err);
}

static int plug_in_keyboard(struct examination *x, struct error *err)
{
	struct json_t *command = qmp_command("device_add"), *arguments = json_put_object(command, "arguments");

	json_put_string(arguments, "driver", "usb-kbd");
	json_put_string(arguments, "id", "keyboard");
	json_put_string(arguments, "bus", "usb.0");
	return obey(x, command, err);
}

static int send_break(struct examination *x, const char *line, struct error *err)
{
	struct json_t *command = qmp_command("chardev-send-break");

	json_put_string(json_put_object(command, "arguments"), "id", line);
	return obey(x, command, err);
}

static int take_screen(struct examination *x, const char *name, struct buf *ret, struct error *err)
{
	CLEANUP_FREE char *path = path_join(x->directory, name);
	struct json_t *command = qmp_command("screendump");
	int r;

	json_put_string(json_put_object(command, "arguments"), "filename", path);
	r = obey(x, command, err);
	return r < 0 || x->ended ? r : io_read_file(path, SCREEN_MAX, ret, err);
}

/* ---------------------------------------------------------------- serial lines */

/* What somebody types who hopes for a login, a shell, a debugger or a boot menu. */
static const char *const typed[] = { "\r", "root\r", "\r", "\003\004", "id; echo kiln-$((6*7))\r", "\033[A\r", "\033\r" };

static int type_on_serial(struct examination *x, struct error *err)
{
	const int second = machine_sockets(x->machine)->second_console;
	int r = 0;

	buf_truncate(&x->console, 0);
	buf_truncate(&x->second, 0);
	for (size_t i = 0; i < ARRAY_SIZE(typed) && r == 0 && !x->ended; i++) {
		machine_type(x->machine, typed[i], strlen(typed[i]));
		(void)send(second, typed[i], strlen(typed[i]), MSG_NOSIGNAL | MSG_DONTWAIT);
		r = go_on(x, TYPING_MS / 4, NULL, err);
	}
	if (r == 0)
		r = go_on(x, TYPING_MS, NULL, err);
	note_text(x, LIVE_SERIAL, &x->console);
	note_text(x, LIVE_SECOND_SERIAL, &x->second);
	return r;
}

/* ---------------------------------------------------------------- keyboards */

static int type_words(struct examination *x, struct error *err)
{
	static const char *const keys[] = {
		"ret", "r", "o", "o", "t", "ret", "ret", "i", "d", "ret", "alt f2", "ret", "alt f9", "ret", "alt f1", "ret",
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && r == 0 && !x->ended; i++) {
		r = press(x, keys[i], err);
		if (r == 0)
			r = go_on(x, 250, NULL, err);	/* longer than QEMU holds a key */
	}
	return r == 0 ? go_on(x, TYPING_MS, NULL, err) : r;
}

static int compare_screens(struct examination *x, enum live_touch touch, const struct buf *before,
			   const struct buf *after, struct error *err)
{
	CLEANUP_FREE char *text = NULL;
	struct screen a, b;
	size_t cells;

	if (!screen_parse(before->data, before->len, &a) || !screen_parse(after->data, after->len, &b))
		return error_outside(err, "QEMU's picture of the screen is no pixmap");
	cells = screen_difference(&a, &b);
	if (cells <= SCREEN_CELLS)
		return 0;
	text = string_printf("the screen shows something else at %zu characters' places", cells);
	note(x, touch, cells == SIZE_MAX ? "the screen changed its size" : text);
	return 0;
}

static int type_on_keyboard(struct examination *x, enum live_touch touch, struct error *err)
{
	CLEANUP_BUF struct buf before = BUF_INIT(SCREEN_MAX), after = BUF_INIT(SCREEN_MAX);
	int r = take_screen(x, "before.ppm", &before, err);

	buf_truncate(&x->console, 0);
	if (r == 0)
		r = type_words(x, err);
	if (r == 0 && !x->ended)
		r = take_screen(x, "after.ppm", &after, err);
	if (r == 0 && !x->ended)
		r = compare_screens(x, touch, &before, &after, err);
	note_text(x, touch, &x->console);
	return r;
}

static int try_keyboard(struct examination *x, struct error *err)
{
	return type_on_keyboard(x, LIVE_KEYBOARD, err);
}

/* ---------------------------------------------------------------- SysRq, Ctrl-Alt-Del, the power button */

/* Linux, Documentation/admin-guide/sysrq: h for help, then b for a reset; a break before it on a serial line. */
static int try_sysrq(struct examination *x, struct error *err)
{
	static const char *const keys[] = { "h", "b" };
	int r = 0;

	buf_truncate(&x->console, 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys) && r == 0 && !x->ended; i++) {
		CLEANUP_FREE char *chord = string_printf("alt sysrq %s", keys[i]);

		r = send_break(x, "console", err);
		if (r == 0)
			machine_type(x->machine, keys[i], 1);
		if (r == 0 && !x->ended)
			r = press(x, chord, err);
		if (r == 0)
			r = go_on(x, TYPING_MS / 2, NULL, err);
	}
	note_text(x, LIVE_SYSRQ, &x->console);
	return r;
}

/* systemd.conf(5), CtrlAltDelBurstAction=: more than 7 times in 2 seconds. */
static int press_ctrl_alt_del(struct examination *x, struct error *err)
{
	int r = 0;

	for (int i = 0; i < 12 && r == 0 && !x->ended; i++) {
		r = press(x, "ctrl alt delete", err);
		if (r == 0)
			r = go_on(x, 120, NULL, err);	/* QEMU holds keys for 100 ms */
	}
	return r;
}

/*
 * From now on QEMU's keys are this keyboard's. What the kernel says of a new device is no answer to one, and may come late.
 */
static int try_usb_keyboard(struct examination *x, struct error *err)
{
	int r = plug_in_keyboard(x, err);

	if (r == 0)
		r = go_on(x, PLUGGING_MS, NULL, err);
	if (r == 0 && !x->ended)
		r = type_on_keyboard(x, LIVE_USB_KEYBOARD, err);
	return r == 0 && !x->ended ? press_ctrl_alt_del(x, err) : r;
}

static int push_power_button(struct examination *x, struct error *err)
{
	return obey(x, qmp_command("system_powerdown"), err);
}

/* ---------------------------------------------------------------- ports */

static int scan(struct examination *x, enum live_scan_kind kind, struct error *err)
{
	int r;

	peer_scan(x->peer, kind);
	log_debug("trying %s", live_scan_names[kind]);
	r = go_on(x, SCAN_MAX_MS, is_scanned, err);
	if (r < 0)
		return r;
	if (x->ended || peer_has_failed(x->peer) || peer_is_scanning(x->peer))
		return no_answer(x, "the machine stopped answering while its ports were tried", err);
	return 0;
}

static int scan_all(struct examination *x, struct error *err)
{
	int r = 0;

	for (int kind = 0; kind < LIVE_SCANS && r == 0; kind++)
		r = scan(x, (enum live_scan_kind)kind, err);
	return r;
}

/* ---------------------------------------------------------------- the whole of it */

static const struct step {
	int (*act)(struct examination *x, struct error *err);
	enum live_touch touch;
} steps[] = {
	{ type_on_serial, LIVE_SERIAL },
	{ try_keyboard, LIVE_KEYBOARD },
	{ press_ctrl_alt_del, LIVE_CTRL_ALT_DEL },
	{ try_sysrq, LIVE_SYSRQ },
	{ try_usb_keyboard, LIVE_USB_KEYBOARD },
	{ push_power_button, LIVE_POWER_BUTTON },
};

static int take_step(struct examination *x, const struct step *s, struct error *err)
{
	int r = s->act(x, err);

	if (r == 0)
		r = go_on(x, PRESS_MS, NULL, err);
	return r < 0 ? r : note_end(x, s->touch, err);
}

static int take_steps(struct examination *x, struct error *err)
{
	int r = obey(x, qmp_command("qmp_capabilities"), err);

	if (r == 0 && !x->scanned)
		r = scan_all(x, err);
	if (r == 0) {
		x->scanned = true;
		r = await_quiet(x, err);
	}
	while (r == 0 && !x->ended && x->next < ARRAY_SIZE(steps))
		r = take_step(x, &steps[x->next++], err);
	return r;
}

static int boot(struct examination *x, unsigned int timeout_s, struct error *err)
{
	int r;

	log_step_begin(1, 2, "booting the disk until its service answers");
	r = await_service(x, timeout_s, err);
	log_step_end(r < 0 ? "failed" : "done");
	return r;
}

static int examine(struct examination *x, unsigned int timeout_s, struct error *err)
{
	int r = boot(x, timeout_s, err);

	if (r < 0)
		return r;
	log_step_begin(2, 2, "trying to get in: ports, serial lines, keyboards, buttons");
	r = take_steps(x, err);
	log_step_end(r < 0 ? "failed" : x->ended ? "the machine ended" : "done");
	return r;
}

/* What a step that ends the machine hides is tried on another one. */
static int examine_one(struct examination *x, const struct boot_options *options, unsigned int port, struct error *err)
{
	CLEANUP_MACHINE struct machine *machine = NULL;
	CLEANUP_PEER struct peer *peer = peer_new(port, x->live);
	int r = machine_start(options, port, false, &machine, err);

	if (r < 0)
		return r;
	x->machine = machine;
	x->peer = peer;
	x->ended = false;
	x->qmp = (struct qmp) QMP_INIT(machine_sockets(machine)->control);
	r = examine(x, options->timeout_s, err);
	qmp_close(&x->qmp);
	return r;
}

int boot_examine(const struct boot_options *options, unsigned int service_port, struct live *ret, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	struct boot_options examined = *options;
	struct examination x = { .live = ret, .console = BUF_INIT(OUTPUT_MAX), .second = BUF_INIT(OUTPUT_MAX) };
	int r = io_scratch_new(options->tmp, &scratch, err);

	examined.examined = true;
	x.directory = scratch.path;
	while (r == 0 && !(x.scanned && x.next == ARRAY_SIZE(steps)))
		r = examine_one(&x, &examined, service_port, err);
	buf_free(&x.console);
	buf_free(&x.second);
	return r;
}
