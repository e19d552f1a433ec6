/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "error.h"
#include "process.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t caught[ARRAY_SIZE(signals)];
static int event_fd = -1;

/* The first signal of any kind gives all of them back to the system: the second one kills. */
static void on_signal(int number)
{
	const uint64_t one = 1;
	int code = errno;

	(void)number;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (caught[i])
			(void)signal(signals[i], SIG_DFL);
	interrupted = 1;
	/* The event is never read, so the descriptor stays readable for every loop there is. */
	if (write(event_fd, &one, sizeof(one)) < 0)
		interrupted = 1;	/* the flag alone has to do */
	errno = code;
}

int process_catch_signals(struct error *err)
{
	/* SA_RESTART: libraries that wait are not taught EINTR by us. */
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigaction before;

	if (event_fd >= 0)
		return 0;
	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event_fd < 0)
		return error_system(err, errno, "cannot prepare for signals");
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		/* What was ignored when we were started (nohup) stays ignored. */
		if (sigaction(signals[i], NULL, &before) < 0)
			return error_system(err, errno, "cannot prepare for signals");
		if (before.sa_handler == SIG_IGN)
			continue;
		caught[i] = 1;
		if (sigaction(signals[i], &action, NULL) < 0)
			return error_system(err, errno, "cannot prepare for signals");
	}
	return 0;
}

int process_signal_fd(void)
{
	return event_fd;
}

int process_check_interrupt(struct error *err)
{
	if (!interrupted)
		return 0;
	(void)error_outside(err, "interrupted");
	err->code = EINTR;
	return -EINTR;
}
