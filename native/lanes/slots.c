// Copyright 2026 the ioq authors. MIT license.

/**
 * The slot queue
 * ==============
 *
 * A fixed array of slots. A push claims the next index from `head`, a pop the
 * next one from `tail`, each with one unconditional fetch-and-add; there is no
 * loop that a neighbour can make fail. What remains is a rendezvous of one
 * pushing and one popping thread at one slot:
 *
 *               tail           head
 *                |              |
 *                v              v
 *     +-------+-------+-------+-------+-------+
 *     | empty | item  | item  | empty | empty |
 *     +-------+-------+-------+-------+-------+
 *
 * A slot is one word. Items are aligned, so its low bits are free for tags:
 *
 *     empty        0
 *     item         the pointer
 *     skip(n)      SKIP + n * SKIP_ONE: n pops claimed this slot, found nothing
 *                  and left; the next n pushes must pass it by
 *     + BLOCKED    somebody sleeps until this slot changes
 *
 *     push:   empty   → item     done
 *             skip(1) → empty    passed by: claim another index
 *             skip(n) → skip(n-1)  likewise
 *             item    → item+BLOCKED, sleep: its pop was claimed but is not done
 *     pop:    item    → empty    done
 *     (block) empty   → empty+BLOCKED, sleep; skip(n) likewise
 *     (not)   empty   → skip(1); skip(n) → skip(n+1): leave
 *
 * Whoever replaces a word that has BLOCKED wakes its sleepers. They sleep on one
 * of a small pool of monitors, chosen by the slot's index. Sharing one costs
 * only spurious wake-ups, since a sleeper always looks at its slot again.
 *
 * A pop that does not block burns an index if it finds nothing. With several
 * consumers there is no way around that, but whoever polls in a loop may outrun
 * the pushes forever. A single consumer uses slots_try() instead: nobody else
 * moves `tail`, so it can look at the slot before it claims it.
 */

#include "lanes/slots.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#  define spin_pause() __builtin_ia32_pause()
#elif defined(__aarch64__)
#  define spin_pause() __asm__ volatile("yield")
#else
#  define spin_pause() ((void)0)
#endif

/** Somebody sleeps until this slot changes. */
#define SLOT_BLOCKED ((uintptr_t)1)
/** This slot holds a count of pushes that must pass it by. */
#define SLOT_SKIP ((uintptr_t)2)
/** One such push. */
#define SLOT_SKIP_ONE ((uintptr_t)4)

static_assert(SLOTS_ALIGN > (SLOT_BLOCKED | SLOT_SKIP), "the tags fit below an item");

/** Monitors of one queue at the most. */
#define MONITORS_MAX 64
/** Pauses of the last round of spinning; the rounds double from 1. */
#define SPIN_MAX 64

/** What threads sleep on. */
struct slots_monitor {
	alignas(CACHE_LINE) pthread_mutex_t mutex;
	pthread_cond_t cond;
};

/** The smallest power of two that is at least `n`. */
static size_t bit_ceil(size_t n) {
	size_t power = 1;
	while (power < n) {
		power *= 2;
	}
	return power;
}

struct slots *slots_create(size_t size, int wake_fd) {
	// At least one line of slots, so that a batch never laps itself
	size = bit_ceil(size < SLOTS_PER_LINE ? SLOTS_PER_LINE : size);
	size_t nmonitors = size < MONITORS_MAX ? size : MONITORS_MAX;

	size_t bytes = sizeof(struct slots) + size * sizeof(slots_word);
	bytes = (bytes + CACHE_LINE - 1) & ~((size_t)CACHE_LINE - 1);
	struct slots *slots = aligned_alloc(CACHE_LINE, bytes);
	if (!slots) {
		return NULL;
	}

	// Everything that slots_destroy() reads is set before anything can fail
	slots->mask = size - 1;
	slots->monitor_mask = nmonitors - 1;
	slots->wake_fd = wake_fd;
	atomic_init(&slots->head, 0);
	atomic_init(&slots->tail, 0);
	for (size_t i = 0; i < size; ++i) {
		atomic_init(&slots->words[i], 0);
	}

	slots->monitors = aligned_alloc(CACHE_LINE, nmonitors * sizeof(struct slots_monitor));
	if (!slots->monitors) {
		free(slots);
		errno = ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < nmonitors; ++i) {
		// With default attributes neither can fail on Linux
		pthread_mutex_init(&slots->monitors[i].mutex, NULL);
		pthread_cond_init(&slots->monitors[i].cond, NULL);
	}
	return slots;
}

void slots_destroy(struct slots *slots) {
	if (!slots) {
		return;
	}
	for (size_t i = 0; i <= slots->monitor_mask; ++i) {
		pthread_cond_destroy(&slots->monitors[i].cond);
		pthread_mutex_destroy(&slots->monitors[i].mutex);
	}
	free(slots->monitors);
	free(slots);
}

/** The monitor of a slot. */
static struct slots_monitor *slot_monitor(struct slots *slots, size_t i) {
	return &slots->monitors[i & slots->monitor_mask];
}

/** Wake whoever sleeps on a slot. */
static void slot_wake(struct slots *slots, size_t i) {
	if (slots->wake_fd >= 0) {
		// An eventfd whose counter is full is readable anyway, so EAGAIN is fine
		uint64_t one = 1;
		ssize_t ret;
		do {
			ret = write(slots->wake_fd, &one, sizeof(one));
		} while (ret < 0 && errno == EINTR);
	}

	struct slots_monitor *monitor = slot_monitor(slots, i);
	pthread_mutex_lock(&monitor->mutex);
	pthread_cond_broadcast(&monitor->cond);
	pthread_mutex_unlock(&monitor->mutex);
}

/** Wait until a slot no longer holds `prev`, and return what it holds. */
static uintptr_t slot_wait(struct slots *slots, size_t i, uintptr_t prev) {
	slots_word *slot = &slots->words[i & slots->mask];

	// A partner that is on its way needs nanoseconds, a sleep microseconds
	for (unsigned int round = 1; round <= SPIN_MAX; round *= 2) {
		for (unsigned int j = 0; j < round; ++j) {
			spin_pause();
		}
		uintptr_t next = atomic_load_explicit(slot, memory_order_acquire);
		if ((next & ~SLOT_BLOCKED) != (prev & ~SLOT_BLOCKED)) {
			return next;
		}
		prev = next;
	}

	// x → x+BLOCKED, so that whoever changes x knows that it must wake us
	if (!(prev & SLOT_BLOCKED)) {
		uintptr_t blocked = prev | SLOT_BLOCKED;
		if (!atomic_compare_exchange_strong_explicit(slot, &prev, blocked,
				memory_order_acquire, memory_order_acquire)) {
			return prev;
		}
		prev = blocked;
	}

	struct slots_monitor *monitor = slot_monitor(slots, i);
	pthread_mutex_lock(&monitor->mutex);
	uintptr_t next;
	while ((next = atomic_load_explicit(slot, memory_order_acquire)) == prev) {
		pthread_cond_wait(&monitor->cond, &monitor->mutex);
	}
	pthread_mutex_unlock(&monitor->mutex);
	return next;
}

/** One pass fewer to be skipped: skip(1) → empty, skip(n) → skip(n - 1). */
static uintptr_t skip_less(uintptr_t word) {
	word -= SLOT_SKIP_ONE;
	return word < SLOT_SKIP_ONE ? word & SLOT_BLOCKED : word;
}

/** One more: empty → skip(1), skip(n) → skip(n + 1). */
static uintptr_t skip_more(uintptr_t word) {
	return (word | SLOT_SKIP) + SLOT_SKIP_ONE;
}

/** Whether a word is an item. */
static bool is_item(uintptr_t word) {
	return !(word & SLOT_SKIP) && (word & ~SLOT_BLOCKED);
}

/** Push to a claimed index. Returns false if it had to be passed by. */
static bool slot_push(struct slots *slots, size_t i, void *item) {
	slots_word *slot = &slots->words[i & slots->mask];
	uintptr_t prev = atomic_load_explicit(slot, memory_order_relaxed);
	while (true) {
		if (is_item(prev)) {
			prev = slot_wait(slots, i, prev);
			continue;
		}

		bool skip = prev & SLOT_SKIP;
		uintptr_t next = skip ? skip_less(prev) : (uintptr_t)item;
		if (!atomic_compare_exchange_weak_explicit(slot, &prev, next,
				memory_order_release, memory_order_relaxed)) {
			continue;
		}
		// A sleeper on skip(n) waits for an item: skip_less() kept its BLOCKED,
		// but its word has changed under it
		if (prev & SLOT_BLOCKED) {
			slot_wake(slots, i);
		}
		return !skip;
	}
}

/** Pop from a claimed index. */
static void *slot_pop(struct slots *slots, size_t i, bool block) {
	slots_word *slot = &slots->words[i & slots->mask];
	uintptr_t prev = atomic_load_explicit(slot, memory_order_relaxed);
	while (true) {
		bool item = is_item(prev);
		if (!item && block) {
			prev = slot_wait(slots, i, prev);
			continue;
		}

		uintptr_t next = item ? 0 : skip_more(prev);
		if (!atomic_compare_exchange_weak_explicit(slot, &prev, next,
				memory_order_acquire, memory_order_relaxed)) {
			continue;
		}
		if (!item) {
			// A pop that sleeps here compares the whole word: let it look again
			if (prev & SLOT_BLOCKED) {
				slot_wake(slots, i);
			}
			return NULL;
		}
		if (prev & SLOT_BLOCKED) {
			slot_wake(slots, i);
		}
		return (void *)(prev & ~SLOT_BLOCKED);
	}
}

void slots_push(struct slots *slots, void *item) {
	slots_push_batch(slots, &item, 1);
}

void slots_push_batch(struct slots *slots, void *const items[], size_t count) {
	size_t done = 0;
	while (done < count) {
		size_t claimed = count - done;
		size_t i = atomic_fetch_add_explicit(&slots->head, claimed, memory_order_relaxed);
		for (size_t j = 0; j < claimed; ++j) {
			assert(((uintptr_t)items[done] & (SLOTS_ALIGN - 1)) == 0);
			if (slot_push(slots, i + j, items[done])) {
				++done;
			}
		}
	}
}

void *slots_pop(struct slots *slots, bool block) {
	return slot_pop(slots, atomic_fetch_add_explicit(&slots->tail, 1, memory_order_relaxed), block);
}

size_t slots_count(const struct slots *slots) {
	size_t tail = atomic_load_explicit(&slots->tail, memory_order_relaxed);
	size_t head = atomic_load_explicit(&slots->head, memory_order_relaxed);
	// Consumers that wait have claimed more than there is
	size_t count = head - tail;
	return count > slots->mask + 1 ? 0 : count;
}

void *slots_try(struct slots *slots) {
	size_t i = atomic_load_explicit(&slots->tail, memory_order_relaxed);
	slots_word *slot = &slots->words[i & slots->mask];
	uintptr_t word = atomic_load_explicit(slot, memory_order_relaxed);
	assert(!(word & SLOT_SKIP));
	if (!is_item(word)) {
		return NULL;
	}

	// Only a push that sleeps can still change the word, by adding BLOCKED
	word = atomic_exchange_explicit(slot, 0, memory_order_acquire);
	atomic_store_explicit(&slots->tail, i + 1, memory_order_relaxed);
	if (word & SLOT_BLOCKED) {
		slot_wake(slots, i);
	}
	return (void *)(word & ~SLOT_BLOCKED);
}

bool slots_arm(struct slots *slots) {
	size_t i = atomic_load_explicit(&slots->tail, memory_order_relaxed);
	slots_word *slot = &slots->words[i & slots->mask];
	// empty → empty+BLOCKED; the push that fills the slot will see it
	uintptr_t word = 0;
	return atomic_compare_exchange_strong_explicit(slot, &word, SLOT_BLOCKED,
			memory_order_relaxed, memory_order_relaxed)
		|| !is_item(word);
}
