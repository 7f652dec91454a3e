// Copyright 2026 the ioq authors. MIT license.

/** Tests of the slot queue. They look into its slots: see lanes/slots.c for the words. */

#include "test.h"

#include "lanes/slots.h"

#include <poll.h>
#include <sys/eventfd.h>

/** The tags of a slot's word. */
#define BLOCKED 1u
#define SKIP_TAG 2u
#define SKIP_ONE 4u

/** A slot's word for n pops that left. */
#define SKIPS(n) (SKIP_TAG + (n) * SKIP_ONE)

/** Items: only their addresses count. */
static uint64_t items[1 << 16];
/** How often each item was popped. */
static _Atomic uint8_t popped[1 << 16];

/** The number of an item, or -1 if it is none. */
static long number(const void *item) {
	const uint64_t *p = item;
	return p >= items && p < items + sizeof(items) / sizeof(items[0]) ? p - items : -1;
}

/** A slot's word. */
static uintptr_t word_of(struct slots *slots, size_t i) {
	return atomic_load(&slots->words[i & slots->mask]);
}

/** Wait until somebody sleeps on a slot. */
static void wait_blocked(struct slots *slots, size_t i) {
	while (!(word_of(slots, i) & BLOCKED)) {
		sched_yield();
	}
	// Marked, though perhaps not asleep yet: let both happen
	if (i & 1) {
		test_sleep(1);
	}
}

/** Create a queue; always succeeds. */
static struct slots *create(size_t size, int wake_fd) {
	struct slots *slots = slots_create(size, wake_fd);
	CHECK(slots);
	CHECK(slots->mask + 1 >= size);
	CHECK(slots->mask + 1 >= SLOTS_PER_LINE);
	CHECK_EQ(slots->mask & (slots->mask + 1), 0);
	return slots;
}

/** Destroy a queue that must be empty, with no mark left in it. */
static void destroy(struct slots *slots) {
	for (size_t i = 0; i <= slots->mask; ++i) {
		CHECK_EQ(word_of(slots, i), 0);
	}
	CHECK_EQ(slots_count(slots), 0);
	slots_destroy(slots);
}

/** One thread, any filling: items come out as they went in. */
static void test_order(void) {
	for (size_t size = 1; size <= 33; ++size) {
		struct slots *slots = create(size, -1);
		size_t in = 0, out = 0;
		for (size_t fill = 1; fill <= size; ++fill) {
			for (size_t i = 0; i < fill; ++i) {
				slots_push(slots, &items[in++]);
			}
			CHECK_EQ(slots_count(slots), fill);
			for (size_t i = 0; i < fill; ++i) {
				CHECK_EQ(number(slots_pop(slots, i & 1)), out++);
			}
		}
		destroy(slots);
	}
	slots_destroy(NULL);
}

/** Pops that find nothing leave marks, and pushes pass them by. */
static void test_skip(void) {
	struct slots *slots = create(8, -1);
	for (size_t i = 0; i < 5; ++i) {
		CHECK(!slots_pop(slots, false));
		CHECK_EQ(word_of(slots, i), SKIPS(1));
	}
	slots_push(slots, &items[0]);
	CHECK_EQ(atomic_load(&slots->head), 6);
	CHECK_EQ(number(slots_pop(slots, true)), 0);
	destroy(slots);

	// Many marks in each slot
	slots = create(8, -1);
	for (size_t i = 0; i < 24; ++i) {
		CHECK(!slots_pop(slots, false));
	}
	for (size_t i = 0; i < 8; ++i) {
		CHECK_EQ(word_of(slots, i), SKIPS(3));
	}
	slots_push(slots, &items[1]);
	CHECK_EQ(atomic_load(&slots->head), 25);
	CHECK_EQ(number(slots_pop(slots, false)), 1);
	destroy(slots);
}

/** A thread that pops one item. */
struct popper {
	/** From where. */
	struct slots *slots;
	/** What. */
	void *item;
};

/** Pop one item. */
static void *pop_one(void *arg) {
	struct popper *popper = arg;
	popper->item = slots_pop(popper->slots, true);
	return NULL;
}

/** Sleepers and marks in the same slot. */
static void test_skip_blocked(void) {
	struct slots *slots = create(8, -1);
	for (size_t i = 0; i < 8; ++i) {
		CHECK(!slots_pop(slots, false));
	}
	struct popper popper = {.slots = slots};
	pthread_t thread = test_thread(pop_one, &popper);
	wait_blocked(slots, 8);
	CHECK_EQ(word_of(slots, 8), SKIPS(1) | BLOCKED);

	// The sleeper's index is 8; one more mark comes into its slot by index 16
	for (size_t i = 9; i <= 16; ++i) {
		CHECK(!slots_pop(slots, false));
	}
	CHECK_EQ(word_of(slots, 0) & ~(uintptr_t)BLOCKED, SKIPS(2));

	slots_push(slots, &items[7]);
	pthread_join(thread, NULL);
	CHECK_EQ(number(popper.item), 7);
	CHECK_EQ(atomic_load(&slots->head), 17);
	destroy(slots);
}

/** Indices wrap around at SIZE_MAX. */
static void test_wrap(void) {
	for (size_t before = 0; before < 12; ++before) {
		struct slots *slots = create(8, -1);
		atomic_store(&slots->head, SIZE_MAX - before);
		atomic_store(&slots->tail, SIZE_MAX - before);
		size_t in = 0, out = 0;
		for (int round = 0; round < 10; ++round) {
			void *batch[] = {&items[in], &items[in + 1], &items[in + 2]};
			in += 3;
			slots_push_batch(slots, batch, 3);
			CHECK_EQ(slots_count(slots), 3);
			if (round & 1) {
				for (int i = 0; i < 3; ++i) {
					CHECK_EQ(number(slots_pop(slots, true)), out++);
				}
			} else {
				CHECK_EQ(number(slots_pop(slots, true)), out++);
				CHECK_EQ(number(slots_pop(slots, false)), out++);
				CHECK_EQ(slots_count(slots), 1);
				CHECK_EQ(number(slots_try(slots)), out++);
				// A mark, too
				CHECK(round & 2 || !slots_pop(slots, false));
				CHECK_EQ(slots_count(slots), 0);
			}
		}

		struct popper popper = {.slots = slots};
		size_t tail = atomic_load(&slots->tail);
		pthread_t thread = test_thread(pop_one, &popper);
		wait_blocked(slots, tail);
		CHECK_EQ(slots_count(slots), 0);
		slots_push(slots, &items[in]);
		pthread_join(thread, NULL);
		CHECK_EQ(number(popper.item), in);
		destroy(slots);
	}
}

/** A consumer that sleeps is woken by the push. */
static void test_pop_block(void) {
	struct slots *slots = create(8, -1);
	for (size_t i = 0; i < 40; ++i) {
		struct popper popper = {.slots = slots};
		pthread_t thread = test_thread(pop_one, &popper);
		wait_blocked(slots, i);
		slots_push(slots, &items[i]);
		pthread_join(thread, NULL);
		CHECK_EQ(number(popper.item), i);
	}
	destroy(slots);
}

/** Two queues, for one item that goes to and fro. */
struct ping {
	struct slots *to, *fro;
	size_t rounds;
};

/** Send back what comes. */
static void *pong(void *arg) {
	struct ping *ping = arg;
	for (size_t i = 0; i < ping->rounds; ++i) {
		slots_push(ping->fro, slots_pop(ping->to, true));
	}
	return NULL;
}

/** Both sides of a rendezvous at once, over and over. */
static void test_ping(void) {
	struct ping ping = {create(1, -1), create(1, -1), TEST_SCALE(40000)};
	pthread_t thread = test_thread(pong, &ping);
	for (size_t i = 0; i < ping.rounds; ++i) {
		slots_push(ping.to, &items[i & 1023]);
		CHECK_EQ(number(slots_pop(ping.fro, true)), i & 1023);
	}
	pthread_join(thread, NULL);
	destroy(ping.to);
	destroy(ping.fro);
}

/** Push one item. */
static void *push_one(void *arg) {
	struct popper *popper = arg;
	slots_push(popper->slots, popper->item);
	return NULL;
}

/** A push that laps a pop sleeps until the slot is empty. */
static void test_push_block(void) {
	for (int round = 0; round < 20; ++round) {
		struct slots *slots = create(8, -1);
		// Slots 0 and 1 behave differently in wait_blocked()
		size_t first = (size_t)round & 1;
		atomic_store(&slots->head, first);
		atomic_store(&slots->tail, first);
		for (size_t i = 0; i < 8; ++i) {
			slots_push(slots, &items[i]);
		}

		// A pop that claims its index and then is not scheduled for a while
		CHECK_EQ(atomic_fetch_add(&slots->tail, 1), first);
		struct popper popper = {.slots = slots, .item = &items[8]};
		pthread_t thread = test_thread(push_one, &popper);
		wait_blocked(slots, first);
		CHECK_EQ(word_of(slots, first), (uintptr_t)&items[0] | BLOCKED);

		// Here it goes on
		atomic_store(&slots->tail, first);
		if (round & 2) {
			CHECK_EQ(number(slots_try(slots)), 0);
		} else {
			CHECK_EQ(number(slots_pop(slots, true)), 0);
		}
		pthread_join(thread, NULL);
		for (long i = 1; i <= 8; ++i) {
			CHECK_EQ(number(slots_pop(slots, false)), i);
		}
		destroy(slots);
	}
}

/** Several pushes sleep on one slot, and each gets it in the end. */
static void test_push_block_many(void) {
	struct slots *slots = create(8, -1);
	for (size_t i = 0; i < 8; ++i) {
		slots_push(slots, &items[i]);
	}
	// Three laps over the same slot
	struct popper poppers[3];
	pthread_t threads[3];
	for (size_t i = 0; i < 3; ++i) {
		poppers[i] = (struct popper) {.slots = slots, .item = &items[8 + i]};
		atomic_store(&slots->head, 8 * (i + 1));
		threads[i] = test_thread(push_one, &poppers[i]);
		while (atomic_load(&slots->head) == 8 * (i + 1)) {
			sched_yield();
		}
	}
	wait_blocked(slots, 0);
	uint64_t seen = 0;
	for (size_t lap = 0; lap < 4; ++lap) {
		// Always slot 0: lap by lap, as its pops would come
		atomic_store(&slots->tail, 8 * lap);
		seen |= (uint64_t)1 << number(slots_pop(slots, true));
	}
	for (size_t i = 0; i < 3; ++i) {
		pthread_join(threads[i], NULL);
	}
	CHECK_EQ(seen, 1 | 7 << 8);
	CHECK_EQ(word_of(slots, 0), 0);
	slots_destroy(slots);
}

/** Batches keep their order, whatever marks they meet. */
static void test_batch(void) {
	uint64_t seed = 88172645463325252u;
	struct slots *slots = create(64, -1);
	size_t in = 0, out = 0;
	while (in < 30000) {
		for (uint32_t i = test_random(&seed) % 12; in == out && i > 0; --i) {
			CHECK(!slots_pop(slots, false));
		}
		void *batch[40];
		size_t count = 1 + test_random(&seed) % 24;
		for (size_t i = 0; i < count; ++i) {
			batch[i] = &items[in++];
		}
		slots_push_batch(slots, batch, count);
		while (out < in && (in - out > 24 || test_random(&seed) % 4 != 0)) {
			// Also more than there are: the rest leaves marks
			for (size_t wanted = 1 + test_random(&seed) % 40; wanted > 0; --wanted) {
				void *item = slots_pop(slots, out < in && test_random(&seed) & 1);
				CHECK_EQ(item != NULL, out < in);
				if (item) {
					CHECK_EQ(number(item), out++);
				}
			}
		}
	}
	while (out < in) {
		CHECK_EQ(number(slots_pop(slots, true)), out++);
	}
	// Use up the marks that are left
	while (atomic_load(&slots->tail) != atomic_load(&slots->head)) {
		slots_push(slots, &items[0]);
		CHECK_EQ(number(slots_pop(slots, true)), 0);
	}
	destroy(slots);

	// A batch as long as the queue that must go around
	slots = create(8, -1);
	CHECK(!slots_pop(slots, false));
	void *batch[8];
	for (size_t i = 0; i < 8; ++i) {
		batch[i] = &items[i];
	}
	slots_push_batch(slots, batch, 8);
	for (size_t i = 0; i < 8; ++i) {
		CHECK(slots_pop(slots, false) == batch[i]);
	}
	slots_push_batch(slots, batch, 0);
	destroy(slots);
}

/** The eventfd's count, 0 if nobody wrote. */
static uint64_t events(int fd) {
	uint64_t count = 0;
	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

/** Looking without claiming, and waiting by an eventfd. */
static void test_try_arm(void) {
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(fd >= 0);
	struct slots *slots = create(8, fd);
	for (size_t i = 0; i < 20; ++i) {
		// However often it looks, no index is burnt
		for (int j = 0; j < 10; ++j) {
			CHECK(!slots_try(slots));
		}
		CHECK_EQ(atomic_load(&slots->tail), 2 * i);

		slots_push(slots, &items[i]);
		CHECK_EQ(events(fd), 0);
		CHECK(!slots_arm(slots));
		CHECK_EQ(number(slots_try(slots)), i);

		CHECK(slots_arm(slots));
		CHECK(slots_arm(slots));
		CHECK(!slots_try(slots));
		slots_push(slots, &items[i]);
		CHECK_EQ(events(fd), 1);
		CHECK(!slots_arm(slots));
		CHECK_EQ(events(fd), 0);
		CHECK_EQ(number(slots_try(slots)), i);
	}

	// Armed, and then a batch: one write is enough
	CHECK(slots_arm(slots));
	void *batch[] = {&items[0], &items[1], &items[2]};
	slots_push_batch(slots, batch, 3);
	CHECK_EQ(events(fd), 1);
	for (long i = 0; i < 3; ++i) {
		CHECK_EQ(number(slots_try(slots)), i);
	}

	// A full counter is no reason to wait
	uint64_t full = UINT64_MAX - 1;
	CHECK_EQ(write(fd, &full, sizeof(full)), sizeof(full));
	CHECK(slots_arm(slots));
	slots_push(slots, &items[3]);
	CHECK_EQ(number(slots_try(slots)), 3);
	destroy(slots);
	close(fd);
}

/** Ends a consumer, and is pushed again for the next. */
static uint64_t stop;

/** How a consumer of the crowd pops. */
enum how {
	/** Waiting. */
	HOW_BLOCK,
	/** Looking, now and then in vain. */
	HOW_POLL,
};

/** Many producers and consumers. */
struct crowd {
	struct slots *slots;
	enum how how;
	/** Items of each producer. */
	size_t each;
	/** The next producer's number. */
	atomic_uint producer;
	/** Items popped. */
	atomic_size_t done;
	/** Items in all. */
	size_t total;
};

/** Push each item of one producer, one by one or in batches. */
static void *produce(void *arg) {
	struct crowd *crowd = arg;
	size_t me = atomic_fetch_add(&crowd->producer, 1);
	uint64_t seed = 1234567 + me;
	for (size_t i = 0; i < crowd->each;) {
		void *batch[6];
		size_t count = 1 + test_random(&seed) % 6;
		count = count < crowd->each - i ? count : crowd->each - i;
		for (size_t j = 0; j < count; ++j) {
			batch[j] = &items[me * crowd->each + i++];
		}
		slots_push_batch(crowd->slots, batch, count);
	}
	return NULL;
}

/** Note what was popped. Returns whether to end. */
static bool consume_item(struct crowd *crowd, void *item) {
	if (item == &stop) {
		slots_push(crowd->slots, &stop);
		return true;
	}
	long i = number(item);
	CHECK(i >= 0 && (size_t)i < crowd->total);
	CHECK_EQ(atomic_fetch_add(&popped[i], 1), 0);
	atomic_fetch_add(&crowd->done, 1);
	return false;
}

/** Pop until it is over. */
static void *consume(void *arg) {
	struct crowd *crowd = arg;
	bool over = false;
	for (unsigned int round = 0; !over; ++round) {
		if (crowd->how == HOW_POLL) {
			over = atomic_load(&crowd->done) == crowd->total;
			// Mostly as the spare lanes do, at times on the off chance
			if (slots_count(crowd->slots) == 0 && round % 16 != 0) {
				sched_yield();
				continue;
			}
		}
		void *item = slots_pop(crowd->slots, crowd->how != HOW_POLL);
		over |= item && consume_item(crowd, item);
	}
	return NULL;
}

/** Run a crowd: each item must come out exactly once. */
static void run_crowd(size_t size, unsigned int producers, unsigned int consumers, enum how how) {
	struct crowd crowd = {
		.slots = create(size, -1),
		.how = how,
		.each = TEST_SCALE(how == HOW_POLL ? 16000 : 48000) / producers,
	};
	crowd.total = crowd.each * producers;
	memset((void *)popped, 0, sizeof(popped));

	pthread_t threads[16];
	unsigned int count = 0;
	for (unsigned int i = 0; i < consumers; ++i) {
		threads[count++] = test_thread(consume, &crowd);
	}
	for (unsigned int i = 0; i < producers; ++i) {
		threads[count++] = test_thread(produce, &crowd);
	}
	for (unsigned int i = consumers; i < count; ++i) {
		pthread_join(threads[i], NULL);
	}
	if (how != HOW_POLL) {
		slots_push(crowd.slots, &stop);
	}
	for (unsigned int i = 0; i < consumers; ++i) {
		pthread_join(threads[i], NULL);
	}
	for (size_t i = 0; i < crowd.total; ++i) {
		CHECK_EQ(atomic_load(&popped[i]), 1);
	}
	slots_destroy(crowd.slots);
}

/** Many threads at both ends of small queues: both ends sleep and lap. */
static void test_crowd_block(void) {
	run_crowd(8, 1, 1, HOW_BLOCK);
	run_crowd(8, 3, 3, HOW_BLOCK);
	run_crowd(64, 4, 1, HOW_BLOCK);
	run_crowd(16, 1, 4, HOW_BLOCK);
}

/** The same with pops that do not wait. */
static void test_crowd_poll(void) {
	run_crowd(16, 2, 2, HOW_POLL);
	run_crowd(1024, 3, 1, HOW_POLL);
}

/**
 * Many producers and one consumer that only looks, and waits by an eventfd. A
 * queue that is never full keeps each producer's order; in a small one, pushes
 * that wait for the same slot may overtake each other.
 */
static void test_crowd_try(void) {
	static const size_t sizes[] = {8, 64, 1 << 16};
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); ++s) {
		int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		CHECK(fd >= 0);
		struct crowd crowd = {.slots = create(sizes[s], fd), .each = TEST_SCALE(20000)};
		crowd.total = 3 * crowd.each;
		memset((void *)popped, 0, sizeof(popped));
		pthread_t threads[3];
		size_t next[3] = {0};
		for (int i = 0; i < 3; ++i) {
			threads[i] = test_thread(produce, &crowd);
		}
		while (crowd.done < crowd.total) {
			void *item = slots_try(crowd.slots);
			if (!item) {
				// As turn_arm() and ioq_park() do
				events(fd);
				if (slots_arm(crowd.slots)) {
					struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
					CHECK_EQ(poll(&poll_fd, 1, -1), 1);
				}
				continue;
			}
			CHECK(!consume_item(&crowd, item));
			if (sizes[s] >= crowd.total) {
				size_t i = (size_t)number(item);
				CHECK_EQ(i % crowd.each, next[i / crowd.each]++);
			}
		}
		for (int i = 0; i < 3; ++i) {
			pthread_join(threads[i], NULL);
		}
		CHECK(!slots_try(crowd.slots));
		slots_destroy(crowd.slots);
		close(fd);
	}
}

/** However full a queue is, its last message has room, and reaches everybody. */
static void test_stop(void) {
	static const size_t depths[] = {1, 7, 8, 9, 15, 16, 64, 1000};
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); ++i) {
		struct crowd crowd = {.slots = create(depths[i] + 1, -1), .total = depths[i]};
		memset((void *)popped, 0, sizeof(popped));
		for (size_t j = 0; j < depths[i]; ++j) {
			slots_push(crowd.slots, &items[j]);
		}
		// Nobody pops yet, so if this waited it would wait forever
		slots_push(crowd.slots, &stop);
		pthread_t threads[5];
		for (int j = 0; j < 5; ++j) {
			threads[j] = test_thread(consume, &crowd);
		}
		for (int j = 0; j < 5; ++j) {
			pthread_join(threads[j], NULL);
		}
		CHECK_EQ(atomic_load(&crowd.done), crowd.total);
		CHECK(slots_pop(crowd.slots, false) == &stop);
		slots_destroy(crowd.slots);
	}
}

int main(void) {
	test_begin("slots_test");
	TEST(test_order);
	TEST(test_skip);
	TEST(test_skip_blocked);
	TEST(test_wrap);
	TEST(test_pop_block);
	TEST(test_ping);
	TEST(test_push_block);
	TEST(test_push_block_many);
	TEST(test_batch);
	TEST(test_try_arm);
	TEST(test_crowd_block);
	TEST(test_crowd_poll);
	TEST(test_crowd_try);
	TEST(test_stop);
	return test_end();
}
