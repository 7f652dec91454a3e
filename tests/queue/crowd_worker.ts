// Copyright 2026 the ioq authors. MIT license.

/** A producer or consumer of the slot queue, on a thread of its own. */

import { parentPort, workerData } from "node:worker_threads";
import { Ioqq } from "../../src/backends/worker/slot_queue.ts";

/** What each thread of a crowd is told. */
export interface Part {
  readonly buffer: SharedArrayBuffer;
  readonly size: number;
  /** Where in the buffer each item's count is, in bytes. */
  readonly counts: number;
  /** Items from here on to produce, none for a consumer. */
  readonly from: number;
  readonly to: number;
  /** The item that ends a consumer, and is passed on to the next. */
  readonly stop: number;
  /** Whether a consumer now and then takes a look without waiting. */
  readonly looks: boolean;
}

const { buffer, size, counts, from, to, stop, looks } = workerData as Part;
const queue = new Ioqq(buffer, 0, size);
const popped = new Int32Array(buffer, counts);
for (let item = from; item < to; item++) {
  queue.push(item);
}
for (let round = 0; from === to; round++) {
  const item = looks && round % 7 === 0 && queue.count > 0 ? queue.popNow() : queue.pop();
  if (item === stop) {
    queue.push(stop);
    break;
  }
  if (item >= 0) {
    Atomics.add(popped, item, 1);
  }
}
parentPort!.postMessage("done");
