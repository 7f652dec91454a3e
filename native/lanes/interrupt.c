// Copyright 2026 the ioq authors. MIT license.

/**
 * Interrupting threads
 * ====================
 *
 * Opening a FIFO, reading a terminal or waiting for a lock may take forever, and
 * only a signal ends such a system call before its time: one whose handler does
 * not ask for restarting. The handler does nothing.
 *
 * The process is not ours, so neither are its signals. One of the real-time
 * signals is taken that has no handler yet, from the end that the C library does
 * not use, and given back with the last queue. Should someone take it over
 * meanwhile, it is not sent any more. Lanes alone receive it: it is sent to a
 * thread, never to the process, and other threads have no part in it.
 *
 * A signal that comes just before the system call begins is lost, and one that
 * comes after it has ended hits the next one. So the first kind is sent again,
 * ever less often, until the operation is over; see cancel_interrupt(). The second
 * has an operation run again that nobody cancelled; see entry_settle().
 */

#include "lanes/interrupt.h"

#include <signal.h>
#include <stddef.h>

/** Guards what follows. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/** Who holds the signal. */
static unsigned int holders;
/** The signal, or 0 if there is none. */
static int number;

/** Does nothing: being called is enough. */
static void on_signal(int signal_number) {
	(void)signal_number;
}

/** Take a signal that nobody uses. */
static int take_signal(void) {
	for (int candidate = SIGRTMAX; candidate >= SIGRTMIN; --candidate) {
		struct sigaction current;
		if (sigaction(candidate, NULL, &current) == 0 && !(current.sa_flags & SA_SIGINFO)
				&& current.sa_handler == SIG_DFL) {
			struct sigaction ours = {.sa_handler = on_signal};
			sigemptyset(&ours.sa_mask);
			return sigaction(candidate, &ours, NULL) == 0 ? candidate : 0;
		}
	}
	return 0;
}

/** Whether the signal still has our handler. */
static bool is_ours(void) {
	struct sigaction current;
	return number != 0 && sigaction(number, NULL, &current) == 0
		&& !(current.sa_flags & SA_SIGINFO) && current.sa_handler == on_signal;
}

void interrupt_acquire(void) {
	pthread_mutex_lock(&mutex);
	if (holders++ == 0) {
		number = take_signal();
	}
	pthread_mutex_unlock(&mutex);
}

void interrupt_release(void) {
	pthread_mutex_lock(&mutex);
	if (--holders == 0) {
		if (is_ours()) {
			struct sigaction none = {.sa_handler = SIG_DFL};
			sigemptyset(&none.sa_mask);
			sigaction(number, &none, NULL);
		}
		number = 0;
	}
	pthread_mutex_unlock(&mutex);
}

void interrupt_accept(void) {
	pthread_mutex_lock(&mutex);
	if (number != 0) {
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, number);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	}
	pthread_mutex_unlock(&mutex);
}

bool interrupt_thread(pthread_t thread) {
	pthread_mutex_lock(&mutex);
	bool sent = is_ours() && pthread_kill(thread, number) == 0;
	pthread_mutex_unlock(&mutex);
	return sent;
}
