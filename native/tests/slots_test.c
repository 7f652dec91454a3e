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
static uintptr_t word_of(struct ioqq *ioqq, size_t i) {
	return atomic_load(&ioqq->slots[i & ioqq->mask]);
}

/** Wait until somebody sleeps on a slot. */
static void wait_blocked(struct ioqq *ioqq, size_t i) {
	while (!(word_of(ioqq, i) & BLOCKED)) {
		sched_yield();
	}
	// Marked, though perhaps not asleep yet: let both happen
	if (i & 1) {
		test_sleep(1);
	}
}

/** Create a queue; always succeeds. */
static struct ioqq *create(size_t size, int wake_fd) {
	struct ioqq *ioqq = ioqq_create(size, wake_fd);
	CHECK(ioqq);
	CHECK(ioqq->mask + 1 >= size);
	CHECK(ioqq->mask + 1 >= IOQQ_BATCH);
	CHECK_EQ(ioqq->mask & (ioqq->mask + 1), 0);
	return ioqq;
}

/** Destroy a queue that must be empty, with no mark left in it. */
static void destroy(struct ioqq *ioqq) {
	for (size_t i = 0; i <= ioqq->mask; ++i) {
		CHECK_EQ(word_of(ioqq, i), 0);
	}
	CHECK_EQ(ioqq_count(ioqq), 0);
	ioqq_destroy(ioqq);
}

/** One thread, any filling: items come out as they went in. */
static void test_order(void) {
	for (size_t size = 1; size <= 33; ++size) {
		struct ioqq *ioqq = create(size, -1);
		size_t in = 0, out = 0;
		for (size_t fill = 1; fill <= size; ++fill) {
			for (size_t i = 0; i < fill; ++i) {
				ioqq_push(ioqq, &items[in++]);
			}
			CHECK_EQ(ioqq_count(ioqq), fill);
			for (size_t i = 0; i < fill; ++i) {
				CHECK_EQ(number(ioqq_pop(ioqq, i & 1)), out++);
			}
		}
		destroy(ioqq);
	}
	ioqq_destroy(NULL);
}

/** Pops that find nothing leave marks, and pushes pass them by. */
static void test_skip(void) {
	struct ioqq *ioqq = create(8, -1);
	for (size_t i = 0; i < 5; ++i) {
		CHECK(!ioqq_pop(ioqq, false));
		CHECK_EQ(word_of(ioqq, i), SKIPS(1));
	}
	ioqq_push(ioqq, &items[0]);
	CHECK_EQ(atomic_load(&ioqq->head), 6);
	CHECK_EQ(number(ioqq_pop(ioqq, true)), 0);
	destroy(ioqq);

	// Many marks in each slot
	ioqq = create(8, -1);
	for (size_t i = 0; i < 24; ++i) {
		CHECK(!ioqq_pop(ioqq, false));
	}
	for (size_t i = 0; i < 8; ++i) {
		CHECK_EQ(word_of(ioqq, i), SKIPS(3));
	}
	ioqq_push(ioqq, &items[1]);
	CHECK_EQ(atomic_load(&ioqq->head), 25);
	CHECK_EQ(number(ioqq_pop(ioqq, false)), 1);
	destroy(ioqq);
}

/** A thread that pops one item. */
struct popper {
	/** From where. */
	struct ioqq *ioqq;
	/** What. */
	void *item;
};

/** Pop one item. */
static void *pop_one(void *arg) {
	struct popper *popper = arg;
	popper->item = ioqq_pop(popper->ioqq, true);
	return NULL;
}

/** Sleepers and marks in the same slot. */
static void test_skip_blocked(void) {
	struct ioqq *ioqq = create(8, -1);
	for (size_t i = 0; i < 8; ++i) {
		CHECK(!ioqq_pop(ioqq, false));
	}
	struct popper popper = {.ioqq = ioqq};
	pthread_t thread = test_thread(pop_one, &popper);
	wait_blocked(ioqq, 8);
	CHECK_EQ(word_of(ioqq, 8), SKIPS(1) | BLOCKED);

	// The sleeper's index is 8; one more mark comes into its slot by index 16
	for (size_t i = 9; i <= 16; ++i) {
		CHECK(!ioqq_pop(ioqq, false));
	}
	CHECK_EQ(word_of(ioqq, 0) & ~(uintptr_t)BLOCKED, SKIPS(2));

	ioqq_push(ioqq, &items[7]);
	pthread_join(thread, NULL);
	CHECK_EQ(number(popper.item), 7);
	CHECK_EQ(atomic_load(&ioqq->head), 17);
	destroy(ioqq);
}

/** Indices wrap around at SIZE_MAX. */
static void test_wrap(void) {
	for (size_t before = 0; before < 12; ++before) {
		struct ioqq *ioqq = create(8, -1);
		atomic_store(&ioqq->head, SIZE_MAX - before);
		atomic_store(&ioqq->tail, SIZE_MAX - before);
		size_t in = 0, out = 0;
		for (int round = 0; round < 10; ++round) {
			void *batch[] = {&items[in], &items[in + 1], &items[in + 2]};
			in += 3;
			ioqq_push_batch(ioqq, batch, 3);
			CHECK_EQ(ioqq_count(ioqq), 3);
			if (round & 1) {
				for (int i = 0; i < 3; ++i) {
					CHECK_EQ(number(ioqq_pop(ioqq, true)), out++);
				}
			} else {
				CHECK_EQ(number(ioqq_pop(ioqq, true)), out++);
				CHECK_EQ(number(ioqq_pop(ioqq, false)), out++);
				CHECK_EQ(ioqq_count(ioqq), 1);
				CHECK_EQ(number(ioqq_try(ioqq)), out++);
				// A mark, too
				CHECK(round & 2 || !ioqq_pop(ioqq, false));
				CHECK_EQ(ioqq_count(ioqq), 0);
			}
		}

		struct popper popper = {.ioqq = ioqq};
		size_t tail = atomic_load(&ioqq->tail);
		pthread_t thread = test_thread(pop_one, &popper);
		wait_blocked(ioqq, tail);
		CHECK_EQ(ioqq_count(ioqq), 0);
		ioqq_push(ioqq, &items[in]);
		pthread_join(thread, NULL);
		CHECK_EQ(number(popper.item), in);
		destroy(ioqq);
	}
}

/** A consumer that sleeps is woken by the push. */
static void test_pop_block(void) {
	struct ioqq *ioqq = create(8, -1);
	for (size_t i = 0; i < 40; ++i) {
		struct popper popper = {.ioqq = ioqq};
		pthread_t thread = test_thread(pop_one, &popper);
		wait_blocked(ioqq, i);
		ioqq_push(ioqq, &items[i]);
		pthread_join(thread, NULL);
		CHECK_EQ(number(popper.item), i);
	}
	destroy(ioqq);
}

/** Two queues, for one item that goes to and fro. */
struct ping {
	struct ioqq *to, *fro;
	size_t rounds;
};

/** Send back what comes. */
static void *pong(void *arg) {
	struct ping *ping = arg;
	for (size_t i = 0; i < ping->rounds; ++i) {
		ioqq_push(ping->fro, ioqq_pop(ping->to, true));
	}
	return NULL;
}

/** Both sides of a rendezvous at once, over and over. */
static void test_ping(void) {
	struct ping ping = {create(1, -1), create(1, -1), TEST_SCALE(40000)};
	pthread_t thread = test_thread(pong, &ping);
	for (size_t i = 0; i < ping.rounds; ++i) {
		ioqq_push(ping.to, &items[i & 1023]);
		CHECK_EQ(number(ioqq_pop(ping.fro, true)), i & 1023);
	}
	pthread_join(thread, NULL);
	destroy(ping.to);
	destroy(ping.fro);
}

/** Push one item. */
static void *push_one(void *arg) {
	struct popper *popper = arg;
	ioqq_push(popper->ioqq, popper->item);
	return NULL;
}

/** A push that laps a pop sleeps until the slot is empty. */
static void test_push_block(void) {
	for (int round = 0; round < 20; ++round) {
		struct ioqq *ioqq = create(8, -1);
		// Slots 0 and 1 behave differently in wait_blocked()
		size_t first = (size_t)round & 1;
		atomic_store(&ioqq->head, first);
		atomic_store(&ioqq->tail, first);
		for (size_t i = 0; i < 8; ++i) {
			ioqq_push(ioqq, &items[i]);
		}

		// A pop that claims its index and then is not scheduled for a while
		CHECK_EQ(atomic_fetch_add(&ioqq->tail, 1), first);
		struct popper popper = {.ioqq = ioqq, .item = &items[8]};
		pthread_t thread = test_thread(push_one, &popper);
		wait_blocked(ioqq, first);
		CHECK_EQ(word_of(ioqq, first), (uintptr_t)&items[0] | BLOCKED);

		// Here it goes on
		atomic_store(&ioqq->tail, first);
		if (round & 2) {
			CHECK_EQ(number(ioqq_try(ioqq)), 0);
		} else {
			CHECK_EQ(number(ioqq_pop(ioqq, true)), 0);
		}
		pthread_join(thread, NULL);
		for (long i = 1; i <= 8; ++i) {
			CHECK_EQ(number(ioqq_pop(ioqq, false)), i);
		}
		destroy(ioqq);
	}
}

/** Several pushes sleep on one slot, and each gets it in the end. */
static void test_push_block_many(void) {
	struct ioqq *ioqq = create(8, -1);
	for (size_t i = 0; i < 8; ++i) {
		ioqq_push(ioqq, &items[i]);
	}
	// Three laps over the same slot
	struct popper poppers[3];
	pthread_t threads[3];
	for (size_t i = 0; i < 3; ++i) {
		poppers[i] = (struct popper) {.ioqq = ioqq, .item = &items[8 + i]};
		atomic_store(&ioqq->head, 8 * (i + 1));
		threads[i] = test_thread(push_one, &poppers[i]);
		while (atomic_load(&ioqq->head) == 8 * (i + 1)) {
			sched_yield();
		}
	}
	wait_blocked(ioqq, 0);
	uint64_t seen = 0;
	for (size_t lap = 0; lap < 4; ++lap) {
		// Always slot 0: lap by lap, as its pops would come
		atomic_store(&ioqq->tail, 8 * lap);
		seen |= (uint64_t)1 << number(ioqq_pop(ioqq, true));
	}
	for (size_t i = 0; i < 3; ++i) {
		pthread_join(threads[i], NULL);
	}
	CHECK_EQ(seen, 1 | 7 << 8);
	CHECK_EQ(word_of(ioqq, 0), 0);
	ioqq_destroy(ioqq);
}

/** Batches keep their order, whatever marks they meet. */
static void test_batch(void) {
	uint64_t seed = 88172645463325252u;
	struct ioqq *ioqq = create(64, -1);
	size_t in = 0, out = 0;
	while (in < 30000) {
		for (uint32_t i = test_random(&seed) % 12; in == out && i > 0; --i) {
			CHECK(!ioqq_pop(ioqq, false));
		}
		void *batch[40];
		size_t count = 1 + test_random(&seed) % 24;
		for (size_t i = 0; i < count; ++i) {
			batch[i] = &items[in++];
		}
		ioqq_push_batch(ioqq, batch, count);
		while (out < in && (in - out > 24 || test_random(&seed) % 4 != 0)) {
			// Also more than there are: the rest leaves marks
			for (size_t wanted = 1 + test_random(&seed) % 40; wanted > 0; --wanted) {
				void *item = ioqq_pop(ioqq, out < in && test_random(&seed) & 1);
				CHECK_EQ(item != NULL, out < in);
				if (item) {
					CHECK_EQ(number(item), out++);
				}
			}
		}
	}
	while (out < in) {
		CHECK_EQ(number(ioqq_pop(ioqq, true)), out++);
	}
	// Use up the marks that are left
	while (atomic_load(&ioqq->tail) != atomic_load(&ioqq->head)) {
		ioqq_push(ioqq, &items[0]);
		CHECK_EQ(number(ioqq_pop(ioqq, true)), 0);
	}
	destroy(ioqq);

	// A batch as long as the queue that must go around
	ioqq = create(8, -1);
	CHECK(!ioqq_pop(ioqq, false));
	void *batch[8];
	for (size_t i = 0; i < 8; ++i) {
		batch[i] = &items[i];
	}
	ioqq_push_batch(ioqq, batch, 8);
	for (size_t i = 0; i < 8; ++i) {
		CHECK(ioqq_pop(ioqq, false) == batch[i]);
	}
	ioqq_push_batch(ioqq, batch, 0);
	destroy(ioqq);
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
	struct ioqq *ioqq = create(8, fd);
	for (size_t i = 0; i < 20; ++i) {
		// However often it looks, no index is burnt
		for (int j = 0; j < 10; ++j) {
			CHECK(!ioqq_try(ioqq));
		}
		CHECK_EQ(atomic_load(&ioqq->tail), 2 * i);

		ioqq_push(ioqq, &items[i]);
		CHECK_EQ(events(fd), 0);
		CHECK(!ioqq_arm(ioqq));
		CHECK_EQ(number(ioqq_try(ioqq)), i);

		CHECK(ioqq_arm(ioqq));
		CHECK(ioqq_arm(ioqq));
		CHECK(!ioqq_try(ioqq));
		ioqq_push(ioqq, &items[i]);
		CHECK_EQ(events(fd), 1);
		CHECK(!ioqq_arm(ioqq));
		CHECK_EQ(events(fd), 0);
		CHECK_EQ(number(ioqq_try(ioqq)), i);
	}

	// Armed, and then a batch: one write is enough
	CHECK(ioqq_arm(ioqq));
	void *batch[] = {&items[0], &items[1], &items[2]};
	ioqq_push_batch(ioqq, batch, 3);
	CHECK_EQ(events(fd), 1);
	for (long i = 0; i < 3; ++i) {
		CHECK_EQ(number(ioqq_try(ioqq)), i);
	}

	// A full counter is no reason to wait
	uint64_t full = UINT64_MAX - 1;
	CHECK_EQ(write(fd, &full, sizeof(full)), sizeof(full));
	CHECK(ioqq_arm(ioqq));
	ioqq_push(ioqq, &items[3]);
	CHECK_EQ(number(ioqq_try(ioqq)), 3);
	destroy(ioqq);
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
	struct ioqq *ioqq;
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
		ioqq_push_batch(crowd->ioqq, batch, count);
	}
	return NULL;
}

/** Note what was popped. Returns whether to end. */
static bool consume_item(struct crowd *crowd, void *item) {
	if (item == &stop) {
		ioqq_push(crowd->ioqq, &stop);
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
			if (ioqq_count(crowd->ioqq) == 0 && round % 16 != 0) {
				sched_yield();
				continue;
			}
		}
		void *item = ioqq_pop(crowd->ioqq, crowd->how != HOW_POLL);
		over |= item && consume_item(crowd, item);
	}
	return NULL;
}

/** Run a crowd: each item must come out exactly once. */
static void run_crowd(size_t size, unsigned int producers, unsigned int consumers, enum how how) {
	struct crowd crowd = {
		.ioqq = create(size, -1),
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
		ioqq_push(crowd.ioqq, &stop);
	}
	for (unsigned int i = 0; i < consumers; ++i) {
		pthread_join(threads[i], NULL);
	}
	for (size_t i = 0; i < crowd.total; ++i) {
		CHECK_EQ(atomic_load(&popped[i]), 1);
	}
	ioqq_destroy(crowd.ioqq);
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
		struct crowd crowd = {.ioqq = create(sizes[s], fd), .each = TEST_SCALE(20000)};
		crowd.total = 3 * crowd.each;
		memset((void *)popped, 0, sizeof(popped));
		pthread_t threads[3];
		size_t next[3] = {0};
		for (int i = 0; i < 3; ++i) {
			threads[i] = test_thread(produce, &crowd);
		}
		while (crowd.done < crowd.total) {
			void *item = ioqq_try(crowd.ioqq);
			if (!item) {
				// As turn_arm() and ioq_park() do
				events(fd);
				if (ioqq_arm(crowd.ioqq)) {
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
		CHECK(!ioqq_try(crowd.ioqq));
		ioqq_destroy(crowd.ioqq);
		close(fd);
	}
}

/** However full a queue is, its last message has room, and reaches everybody. */
static void test_stop(void) {
	static const size_t depths[] = {1, 7, 8, 9, 15, 16, 64, 1000};
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); ++i) {
		struct crowd crowd = {.ioqq = create(depths[i] + 1, -1), .total = depths[i]};
		memset((void *)popped, 0, sizeof(popped));
		for (size_t j = 0; j < depths[i]; ++j) {
			ioqq_push(crowd.ioqq, &items[j]);
		}
		// Nobody pops yet, so if this waited it would wait forever
		ioqq_push(crowd.ioqq, &stop);
		pthread_t threads[5];
		for (int j = 0; j < 5; ++j) {
			threads[j] = test_thread(consume, &crowd);
		}
		for (int j = 0; j < 5; ++j) {
			pthread_join(threads[j], NULL);
		}
		CHECK_EQ(atomic_load(&crowd.done), crowd.total);
		CHECK(ioqq_pop(crowd.ioqq, false) == &stop);
		ioqq_destroy(crowd.ioqq);
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
