// Copyright 2026 the ioq authors. MIT license.

/**
 * Processors as a container has them: it may run on all of the machine's, but is
 * granted the time of a few (cpu.max of cgroup v2: microseconds of so many). Threads
 * beyond those are stopped for the rest of each period, with whatever they hold.
 */

#include "lanes/processors.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <unistd.h>

/** Where control groups are. */
#define ROOT "/sys/fs/cgroup"

/** Read a short file as a string. Returns whether there is one. */
static bool read_text(const char *path, char *text, size_t size) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	ssize_t length = read(fd, text, size - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/** Processors that a control group grants, or `most` if it says no less. */
static unsigned int granted(const char *group, unsigned int most) {
	char path[512], text[64];
	snprintf(path, sizeof(path), ROOT "%s/cpu.max", group);
	unsigned long quota, period;
	if (!read_text(path, text, sizeof(text)) || sscanf(text, "%lu %lu", &quota, &period) != 2 || period == 0) {
		// "max", or no such file
		return most;
	}
	unsigned long processors = (quota + period - 1) / period;
	return processors < 1 ? 1 : processors < most ? (unsigned int)processors : most;
}

unsigned int count_processors(void) {
	cpu_set_t set;
	// More of them than the set has room for: an error
	unsigned int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned int)CPU_COUNT(&set) : CPU_SETSIZE;
	char text[384];
	char *group = read_text("/proc/self/cgroup", text, sizeof(text)) ? strstr(text, "0::/") : NULL;
	if (!group) {
		return count;
	}
	group += strlen("0::");
	group[strcspn(group, "\n")] = '\0';
	// Each group's limit holds for those below, so the whole way up counts
	while (true) {
		count = granted(strcmp(group, "/") == 0 ? "" : group, count);
		char *slash = strrchr(group, '/');
		if (!slash || group[1] == '\0') {
			break;
		}
		slash[slash == group ? 1 : 0] = '\0';
	}
	return count;
}
