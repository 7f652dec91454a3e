// Copyright 2026 the ioq authors. MIT license.

/** A thread that is parked in the queue under test. */

#ifndef IOQ_TEST_PARKED_H
#define IOQ_TEST_PARKED_H


/** Arm and park in another thread. */
void park(void);

/** Check that the thread is still parked after a while. */
void check_parked(void);

/** Wait until the thread is back. */
void unpark(void);

#endif // IOQ_TEST_PARKED_H
