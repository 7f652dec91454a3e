// Copyright 2026 the ioq authors. MIT license.

/** The rows of the conformance suite, with an event loop on each. */

import { EventLoop, type EventLoopLimits } from "@ioq/ioq/loop";
import { type Bench, forEachBackend, type Row } from "../backends.ts";

/** What a test of the event loop gets. */
export interface LoopBench extends Bench {
  /** A loop over a queue of the row at hand. */
  readonly loop: EventLoop;
}

/** A test for each backend. The loop and its queue are closed at its end. */
export function forEachLoop(
  name: string,
  test: (bench: LoopBench) => void | Promise<void>,
  limits: EventLoopLimits = {},
  which: (row: Row) => boolean = () => true,
): void {
  forEachBackend(name, async (bench) => {
    await using ioq = await bench.open();
    await using loop = new EventLoop(ioq, limits);
    await test({ ...bench, loop });
  }, which);
}
