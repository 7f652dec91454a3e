// Copyright 2026 the ioq authors. MIT license.

/**
 * The library itself
 * ==================
 *
 * It may be loaded from memory that has a descriptor, by the path /proc/self/fd/N. The
 * number has to stay taken for as long as the library is loaded, since the loader takes
 * whatever has the same path for the same library. A JavaScript Worker that is terminated
 * runs no line that could close the descriptor, but it does unload the library: so the
 * library closes it, as the last thing, once it has been given it.
 */

#include "queue/turn.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <unistd.h>

/** The descriptor of the memory that this was loaded from, or -1. */
static atomic_int memory_fd = -1;

/**
 * A JavaScript Worker that is terminated unloads the library without closing its queues,
 * and their lanes would run into nothing, as would what closes them then
 * (queue/thread_exit.c).
 */
void *library_hold(void) {
	Dl_info info;
	if (dladdr((void *)(uintptr_t)library_hold, &info) == 0) {
		return NULL;
	}
	return dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

void ioq_adopt(int32_t fd) {
	atomic_store(&memory_fd, fd);
}

void library_close_memory(void) {
	int fd = atomic_exchange(&memory_fd, -1);
	if (fd >= 0) {
		close(fd);
	}
}

/** The library is unloaded. */
__attribute__((destructor))
static void library_unload(void) {
	library_close_memory();
}
