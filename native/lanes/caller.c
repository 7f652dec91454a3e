// Copyright 2026 the ioq authors. MIT license.

/**
 * Callers
 * =======
 *
 * A queue without lanes runs its requests on the thread that calls it, which is
 * then a JavaScript Worker. Nothing else of that thread goes on meanwhile, so what
 * has it interrupted must come from another one:
 *
 *     Worker:  turn 7 ──▶ caller_enter(entry) ──▶ open("fifo") ··· EINTR ──▶ caller_enter(NULL)
 *     main:    ioq_interrupt(id, 7) ──▶ entry cancelled, signal ──┘
 *
 * The other thread cannot know whether the operation that it means is still the one
 * at hand, so it names the turn, and both sides hold the caller's lock: a signal is
 * only sent to a thread that is within an operation of that very turn. One that
 * ends at that moment has the signal hit what comes next, at worst a system call
 * of another entry, which is run again since nobody cancelled that.
 *
 * Whoever interrupts has only a number: the Worker may have been terminated.
 *
 * A thread that ends has what is at hand for it interrupted as well, before it closes the
 * descriptors that it leaves (queue/descriptors.c).
 */

#include "lanes/caller.h"

#include "lanes/interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct caller {
	/** What it is found by. */
	uint32_t id;
	/** For whom it runs operations. */
	owner_id owner;
	/** The thread. */
	pthread_t thread;
	/** The next one in the list. */
	struct caller *next;
	/** Guards what follows. */
	pthread_mutex_t mutex;
	/** The turn it is at. */
	uint32_t turn;
	/** What it runs, or NULL. */
	struct entry *entry;
};

/** Guards the list. */
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
/** All callers. */
static struct caller *list;
/** The last id that was given. */
static uint32_t last_id;

struct caller *caller_open(owner_id owner) {
	struct caller *caller = calloc(1, sizeof(*caller));
	if (!caller) {
		return NULL;
	}
	pthread_mutex_init(&caller->mutex, NULL);
	caller->owner = owner;
	caller->thread = pthread_self();
	interrupt_acquire();
	interrupt_accept();

	pthread_mutex_lock(&list_mutex);
	bool taken = true;
	while (taken) {
		// After 2^32 of them there may be an old one under that number
		caller->id = ++last_id;
		taken = caller->id == 0;
		for (const struct caller *other = list; other && !taken; other = other->next) {
			taken = other->id == caller->id;
		}
	}
	caller->next = list;
	list = caller;
	pthread_mutex_unlock(&list_mutex);
	return caller;
}

void caller_close(struct caller *caller) {
	if (!caller) {
		return;
	}
	pthread_mutex_lock(&list_mutex);
	struct caller **at = &list;
	while (*at != caller) {
		at = &(*at)->next;
	}
	*at = caller->next;
	pthread_mutex_unlock(&list_mutex);
	pthread_mutex_destroy(&caller->mutex);
	free(caller);
	interrupt_release();
}

uint32_t caller_id(const struct caller *caller) {
	return caller->id;
}

void caller_turn(struct caller *caller) {
	pthread_mutex_lock(&caller->mutex);
	++caller->turn;
	pthread_mutex_unlock(&caller->mutex);
}

void caller_enter(struct caller *caller, struct entry *entry) {
	pthread_mutex_lock(&caller->mutex);
	caller->entry = entry;
	pthread_mutex_unlock(&caller->mutex);
	// Whoever waits for the last one to be over has let the owner end before
	if (entry && caller->owner != 0 && !owner_lives(caller->owner)) {
		atomic_store_explicit(&entry->cancelled, true, memory_order_relaxed);
	}
}

int caller_interrupt(uint32_t id, uint32_t turn) {
	int ret = -ESRCH;
	pthread_mutex_lock(&list_mutex);
	struct caller *caller = list;
	while (caller && caller->id != id) {
		caller = caller->next;
	}
	if (caller) {
		pthread_mutex_lock(&caller->mutex);
		if (caller->entry && caller->turn == turn && !entry_is_close(caller->entry)) {
			atomic_store_explicit(&caller->entry->cancelled, true, memory_order_release);
			interrupt_thread(caller->thread);
			ret = 0;
		}
		pthread_mutex_unlock(&caller->mutex);
	}
	pthread_mutex_unlock(&list_mutex);
	return ret;
}

bool callers_interrupt(owner_id owner) {
	bool any = false;
	pthread_mutex_lock(&list_mutex);
	for (struct caller *caller = list; caller; caller = caller->next) {
		pthread_mutex_lock(&caller->mutex);
		if (caller->owner == owner && caller->entry) {
			any = true;
			if (!entry_is_close(caller->entry)) {
				atomic_store_explicit(&caller->entry->cancelled, true, memory_order_release);
				interrupt_thread(caller->thread);
			}
		}
		pthread_mutex_unlock(&caller->mutex);
	}
	pthread_mutex_unlock(&list_mutex);
	return any;
}

bool callers_use(owner_id owner, int fd) {
	bool used = false;
	pthread_mutex_lock(&list_mutex);
	for (struct caller *caller = list; caller && !used; caller = caller->next) {
		pthread_mutex_lock(&caller->mutex);
		used = caller->owner == owner && caller->entry && entry_uses(caller->entry, fd);
		pthread_mutex_unlock(&caller->mutex);
	}
	pthread_mutex_unlock(&list_mutex);
	return used;
}
