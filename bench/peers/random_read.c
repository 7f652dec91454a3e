// Copyright 2026 the ioq authors. MIT license.

/**
 * Random reads through liburing, as a C program does them: the peer of the same
 * loop over a queue. The ring is set up as ours is; a batch is submitted, what is
 * complete is taken in, and each completion makes the next request.
 *
 *     random_read FILE LENGTH IN_FLIGHT DIRECT
 *
 * For each count that it reads from its input, one a line, it does so many reads
 * and prints the nanoseconds that they took, and the sum of the bytes read.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <liburing.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static uint64_t now_ns(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int main(int argc, char **argv) {
	if (argc != 5) {
		return 2;
	}
	unsigned int length = (unsigned int)atoi(argv[2]);
	unsigned int depth = (unsigned int)atoi(argv[3]);
	int fd = open(argv[1], O_RDONLY | (atoi(argv[4]) ? O_DIRECT : 0));
	struct stat sb;
	if (fd < 0 || fstat(fd, &sb) != 0 || length == 0 || depth == 0) {
		perror(argv[1]);
		return 1;
	}
	uint32_t blocks = (uint32_t)((uint64_t)sb.st_size / length);
	uint8_t *buffers = aligned_alloc(4096, (size_t)length * depth);
	struct io_uring ring;
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
	};
	int ret = io_uring_queue_init_params(256, &ring, &params);
	if (ret < 0 || !buffers) {
		fprintf(stderr, "io_uring_queue_init: %d\n", ret);
		return 1;
	}

	uint32_t seed = 1;
	long count;
	while (scanf("%ld", &count) == 1) {
		uint64_t start = now_ns();
		uint64_t sum = 0;
		long next = 0, done = 0;
		uintptr_t ready[256];
		unsigned int readies = 0;
		for (unsigned int i = 0; i < depth; ++i) {
			ready[readies++] = i;
		}
		while (done < count) {
			while (readies > 0 && next < count) {
				uintptr_t buffer = ready[--readies];
				seed = seed * 1664525 + 1013904223;
				struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
				io_uring_prep_read(sqe, fd, buffers + buffer * length, length,
					(uint64_t)((seed >> 8) % blocks) * length);
				sqe->user_data = buffer;
				++next;
			}
			io_uring_submit_and_wait(&ring, 1);
			struct io_uring_cqe *cqe;
			unsigned int head, seen = 0;
			io_uring_for_each_cqe(&ring, head, cqe) {
				if (cqe->res < 0) {
					fprintf(stderr, "read: %d\n", cqe->res);
					return 1;
				}
				sum += (uint64_t)cqe->res;
				ready[readies++] = (uintptr_t)cqe->user_data;
				++seen;
			}
			io_uring_cq_advance(&ring, seen);
			done += seen;
		}
		printf("%llu %llu\n", (unsigned long long)(now_ns() - start), (unsigned long long)sum);
		fflush(stdout);
	}
	io_uring_queue_exit(&ring);
	return 0;
}
