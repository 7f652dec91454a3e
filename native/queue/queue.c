// Copyright 2026 the ioq authors. MIT license.

#include "queue/queue.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

void queue_free(struct ioq *ioq) {
	lanes_stop(ioq->lanes);
	caller_close(ioq->caller);
	scratch_release(&ioq->scratch);
	// Before the eventfd goes, and the ring
	mailbox_close(ioq->mailbox);
	ring_close(&ioq->ring);
	waits_close(&ioq->waits);
	if (ioq->wake_fd >= 0) {
		close(ioq->wake_fd);
	}
	arena_free(&ioq->arena);
	pool_drain(&ioq->pool);
	regions_free(ioq->regions);
	if (ioq->library) {
		// Not the last one: our caller holds another to call us by
		dlclose(ioq->library);
	}
	free(ioq);
}
