// Copyright 2026 the ioq authors. MIT license.

/**
 * Where messages from other queues of this process arrive. See waits/mailbox.c.
 */

#ifndef IOQ_MAILBOX_H
#define IOQ_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

struct mailbox;

/**
 * Make a mailbox that others can find.
 *
 * @param wake_fd
 *         An eventfd to be written to when a message has come.
 * @return The mailbox, or NULL with errno set.
 */
struct mailbox *mailbox_open(int wake_fd);

/** Its owner is gone: nobody finds it any more. NULL is fine. */
void mailbox_close(struct mailbox *mailbox);

/** What others find it by: not 0. */
uint32_t mailbox_id(const struct mailbox *mailbox);

/** The mailbox of an id, to be given back by mailbox_release(), or NULL. */
struct mailbox *mailbox_find(uint32_t id);

/** Give back what mailbox_find() gave. */
void mailbox_release(struct mailbox *mailbox);

/**
 * Put a message in.
 *
 * @return 0, -EAGAIN if it is full, or -IOQ_ENOQUEUE if its owner is gone.
 */
int mailbox_post(struct mailbox *mailbox, uint64_t message);

/** Take a message out. For the owner. */
bool mailbox_take(struct mailbox *mailbox, uint64_t *message);

/** Whether it has a message. For the owner. */
bool mailbox_has(struct mailbox *mailbox);

#endif // IOQ_MAILBOX_H
