// Copyright 2026 the ioq authors. MIT license.

#include "waits/receivers.h"

#include <errno.h>

void receivers_open(struct ioq_receivers *receivers) {
	*receivers = (struct ioq_receivers) {.tail = &receivers->first};
}

void receivers_add(struct ioq_receivers *receivers, struct ioq_entry *entry) {
	entry->next = NULL;
	*receivers->tail = entry;
	receivers->tail = &entry->next;
}

/** The next one that was cancelled, taken out of those that wait. */
static struct ioq_entry *receivers_next_cancelled(struct ioq_receivers *receivers) {
	struct ioq_entry **at = &receivers->first;
	while (*at && !ioq_entry_is_cancelled(*at)) {
		at = &(*at)->next;
	}
	struct ioq_entry *entry = *at;
	receivers->cancelled = entry;
	if (entry) {
		*at = entry->next;
		if (!*at) {
			receivers->tail = at;
		}
		entry->result = -EINTR;
	}
	return entry;
}

struct ioq_entry *receivers_reap(struct ioq_receivers *receivers, struct ioq_mailbox *mailbox) {
	struct ioq_entry *entry = receivers->cancelled ? receivers_next_cancelled(receivers) : NULL;
	if (entry) {
		return entry;
	}
	entry = receivers->first;
	if (entry && mailbox_take(mailbox, &entry->offset)) {
		receivers->first = entry->next;
		if (!entry->next) {
			receivers->tail = &receivers->first;
		}
		entry->result = 0;
		return entry;
	}
	return NULL;
}

bool receivers_arm(const struct ioq_receivers *receivers, struct ioq_mailbox *mailbox) {
	return !receivers->first || (!receivers->cancelled && !mailbox_has(mailbox));
}
