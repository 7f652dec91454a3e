// Copyright 2026 the ioq authors. MIT license.

/**
 * A tiny test harness: tests run in order and say nothing unless they fail; the
 * first failure ends the run, and so does a test that hangs.
 *
 *     static void test_foo(void) { CHECK(1 + 1 == 2); }
 *     int main(void) { test_begin("foo_test"); TEST(test_foo); return test_end(); }
 *
 * TEST_VERBOSE=1 in the environment names each test with its time, and
 * TEST_ONLY=word runs those whose name contains the word.
 */

#ifndef IOQ_TEST_H
#define IOQ_TEST_H

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_feature)
#  define TEST_HAS_FEATURE(x) __has_feature(x)
#else
#  define TEST_HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || TEST_HAS_FEATURE(address_sanitizer)
#  define TEST_FLAVOUR "asan"
#  define TEST_ASAN 1
/** Returns nonzero if there are leaks, which it prints. */
int __lsan_do_recoverable_leak_check(void);
#elif defined(__SANITIZE_THREAD__) || TEST_HAS_FEATURE(thread_sanitizer)
#  define TEST_FLAVOUR "tsan"
#  define TEST_TSAN 1
#else
#  define TEST_FLAVOUR "plain"
#  define TEST_PLAIN 1
#endif

/** Sanitizers cost time: how much of a test's usual work to do. */
#ifdef TEST_PLAIN
#  define TEST_SCALE(n) (n)
#else
#  define TEST_SCALE(n) ((n) / 4)
#endif

/** Seconds that one test may take. */
#define TEST_SECONDS 50
/** Seconds of processor time that all of them may take, should no alarm get through. */
#define TEST_CPU_SECONDS 240

/** What the tests came to so far; in test.c. */
extern struct test_state {
	/** What is being tested. */
	const char *suite;
	/** The test that runs. */
	char name[128];
	/** Who counts; children do not. */
	pid_t pid;
	/** Tests that passed. */
	unsigned int passed;
	/** Tests that did not apply here. */
	unsigned int skipped;
	/** Whether the test that runs was skipped. */
	bool skipping;
	/** Threads that there are while no test runs. */
	unsigned int threads;
	/** When it began. */
	struct timespec start;
} test;

/** Seconds since a point in time. */
static inline double test_since(const struct timespec *start) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/** End the run as failed: also from a signal handler, hence no stdio. */
static inline _Noreturn void test_give_up(const char *why) {
	char text[512];
	int length = snprintf(text, sizeof(text), "%s (%s %s): %s\n", test.name, test.suite, TEST_FLAVOUR, why);
	if (getpid() == test.pid && length > 0 && (size_t)length < sizeof(text)) {
		length += snprintf(text + length, sizeof(text) - (size_t)length,
			"native (%s %s): %u passed, 1 failed\n", test.suite, TEST_FLAVOUR, test.passed);
	}
	length = length < (int)sizeof(text) ? length : (int)sizeof(text) - 1;
	ssize_t ignored = length > 0 ? write(STDOUT_FILENO, text, (size_t)length) : 0;
	(void)ignored;
	_exit(1);
}

/** End the run because a check failed. */
__attribute__((format(printf, 3, 4)))
static inline _Noreturn void test_fail(const char *file, int line, const char *format, ...) {
	va_list args;
	va_start(args, format);
	char what[256], text[384];
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(text, sizeof(text), "%s:%d: %s", file, line, what);
	test_give_up(text);
}

/** End the run unless a condition holds. */
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			test_fail(__FILE__, __LINE__, "not so: %s", #condition); \
		} \
	} while (0)

/** End the run unless a whole number is what it must be. */
#define CHECK_EQ(actual, expected) \
	do { \
		long long actual_ = (long long)(actual); \
		long long expected_ = (long long)(expected); \
		if (actual_ != expected_) { \
			test_fail(__FILE__, __LINE__, "%s is %lld, not %lld (%s)", #actual, actual_, expected_, #expected); \
		} \
	} while (0)

/** Leave the running test, as one that does not apply here. */
#define SKIP(why) \
	do { \
		printf("%s (%s %s): skipped: %s\n", test.name, test.suite, TEST_FLAVOUR, why); \
		test.skipping = true; \
		return; \
	} while (0)

/** A test hangs. */
static inline void test_alarm(int signal_number) {
	(void)signal_number;
	test_give_up("hangs");
}

/** Start a thread; always succeeds. */
static inline pthread_t test_thread(void *(*function)(void *), void *arg) {
	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, function, arg), 0);
	return thread;
}

/** A thread that does nothing. */
static inline void *test_nothing(void *arg) {
	return arg;
}

static inline unsigned int test_count_threads(void);

/** Begin a suite. */
static inline void test_begin(const char *suite) {
	test.suite = suite;
	test.pid = getpid();
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct sigaction action = {.sa_handler = test_alarm};
	sigaction(SIGALRM, &action, NULL);
	// A sanitizer may hold the alarm back while a thread spins; this it cannot
	struct rlimit limit = {.rlim_cur = TEST_CPU_SECONDS, .rlim_max = TEST_CPU_SECONDS};
	setrlimit(RLIMIT_CPU, &limit);
	// A sanitizer may start a thread of its own with the first of ours
	pthread_join(test_thread(test_nothing, NULL), NULL);
	test.threads = test_count_threads();
}

/** Names in a directory of /proc that count. */
static inline unsigned int test_count_entries(const char *path, bool threads) {
	DIR *dir = opendir(path);
	if (!dir) {
		return 0;
	}
	unsigned int count = 0;
	const struct dirent *de;
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.') {
			continue;
		}
		if (threads) {
			// The kernel's own threads, "iou-wrk-…", stay a while
			char file[512], name[32] = "";
			snprintf(file, sizeof(file), "%s/%s/comm", path, de->d_name);
			FILE *comm = fopen(file, "re");
			if (!comm) {
				continue;
			}
			bool kernels = fgets(name, sizeof(name), comm) && strncmp(name, "iou-", 4) == 0;
			fclose(comm);
			if (kernels) {
				continue;
			}
		}
		++count;
	}
	closedir(dir);
	return count;
}

/** Open descriptors of this process; the one for looking counts, always. */
static inline unsigned int test_count_fds(void) {
	return test_count_entries("/proc/self/fd", false);
}

/** Threads of this process. */
static inline unsigned int test_count_threads(void) {
	return test_count_entries("/proc/self/task", true);
}

/** Sleep some milliseconds. */
static inline void test_sleep(unsigned int ms) {
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	while (nanosleep(&left, &left) != 0) {
		// EINTR
	}
}

/** Wait until no more threads are left than there were: a joined one goes late. */
static inline unsigned int test_settled_threads(unsigned int before) {
	unsigned int count = test_count_threads();
	for (int i = 0; i < 2000 && count > before; ++i) {
		test_sleep(1);
		count = test_count_threads();
	}
	return count;
}

/** Run a test that leaks on purpose in a process of its own. */
static inline void test_in_child(void (*function)(const void *), const void *arg) {
	fflush(stdout);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		// Alarms are not inherited
		alarm(TEST_SECONDS);
		unsigned int fds = test_count_fds(), threads = test_count_threads();
		function(arg);
		CHECK_EQ(test_count_fds(), fds);
		CHECK_EQ(test_settled_threads(threads), threads);
		_exit(test.skipping ? 2 : 0);
	}
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	test.skipping = WIFEXITED(status) && WEXITSTATUS(status) == 2;
	CHECK(test.skipping || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

/** How to run a test. */
enum test_where {
	/** In this process, where leaks are looked for. */
	TEST_HERE,
	/** In a process of its own. */
	TEST_CHILD,
};

/** Run a test. */
static inline void test_run(const char *name, enum test_where where, void (*function)(const void *), const void *arg) {
	const char *only = getenv("TEST_ONLY");
	if (only && !strstr(name, only)) {
		return;
	}
	snprintf(test.name, sizeof(test.name), "%s", name);
	test.skipping = false;
	clock_gettime(CLOCK_MONOTONIC, &test.start);
	alarm(TEST_SECONDS);

	// What was there before may still be about to end
	unsigned int threads = test_settled_threads(test.threads), fds = test_count_fds();
	if (where == TEST_CHILD) {
		test_in_child(function, arg);
	} else {
		function(arg);
	}
	CHECK_EQ(test_count_fds(), fds);
	CHECK_EQ(test_settled_threads(threads), threads);
#ifdef TEST_ASAN
	CHECK(__lsan_do_recoverable_leak_check() == 0);
#endif

	alarm(0);
	*(test.skipping ? &test.skipped : &test.passed) += 1;
	if (getenv("TEST_VERBOSE")) {
		printf("  %6.0f ms  %s\n", test_since(&test.start) * 1000, name);
	}
}

/** Run a test function that takes nothing. */
#define TEST(function) \
	test_run(#function, TEST_HERE, test_call, &(struct test_call) {function})

/** A test function that takes nothing. */
struct test_call {
	void (*function)(void);
};

/** Call one. */
static inline void test_call(const void *arg) {
	((const struct test_call *)arg)->function();
}

/** End a suite. Returns the exit status. */
static inline int test_end(void) {
	printf("native (%s %s): %u passed, 0 failed", test.suite, TEST_FLAVOUR, test.passed);
	if (test.skipped > 0) {
		printf(", %u skipped", test.skipped);
	}
	printf("\n");
	return 0;
}

/** A small random number generator (xorshift), so that failures repeat. */
static inline uint32_t test_random(uint64_t *state) {
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32);
}

#endif // IOQ_TEST_H
