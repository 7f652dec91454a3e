// Copyright 2026 the ioq authors. MIT license.

#include "waits/receivers.h"

#include <errno.h>

void receivers_open(struct receivers *receivers) {
	*receivers = (struct receivers) {.tail = &receivers->first};
}

void receivers_add(struct receivers *receivers, struct entry *entry) {
	entry->next = NULL;
	*receivers->tail = entry;
	receivers->tail = &entry->next;
}

/** The next one that was cancelled, taken out of those that wait. */
static struct entry *receivers_next_cancelled(struct receivers *receivers) {
	struct entry **at = &receivers->first;
	while (*at && !entry_is_cancelled(*at)) {
		at = &(*at)->next;
	}
	struct entry *entry = *at;
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

struct entry *receivers_reap(struct receivers *receivers, struct mailbox *mailbox) {
	struct entry *entry = receivers->cancelled ? receivers_next_cancelled(receivers) : NULL;
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

bool receivers_arm(const struct receivers *receivers, struct mailbox *mailbox) {
	return !receivers->first || (!receivers->cancelled && !mailbox_has(mailbox));
}
