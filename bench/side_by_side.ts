// Copyright 2026 the ioq authors. MIT license.

/**
 * How a form that awaits one operation after the other has several in flight.
 *
 * @module
 */

/**
 * Run `inFlight` loops side by side; the sum of their sums.
 *
 * It is called once a sample and may be shared by all that is measured. The loops
 * may not: the compiler makes each of them fast for what it does itself.
 */
export async function sideBySide(inFlight: number, loop: () => Promise<number>): Promise<number> {
  const sums = await Promise.all(Array.from({ length: inFlight }, loop));
  return sums.reduce((a, b) => a + b);
}
