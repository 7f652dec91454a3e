// Copyright 2026 the ioq authors. MIT license.

/**
 * Samples of writing.
 *
 * @module
 */

import type { Ioq } from "@ioq/ioq";
import type { Effort, Run } from "../../harness.ts";
import { LineProgram, type Missing } from "../../peers.ts";
import type { Place } from "../../places.ts";

/** What writes, and where. */
export interface Writers {
  /** Our queue. */
  readonly ioq: Ioq;
  /** Node with `peers/write.mjs`. */
  readonly node: LineProgram | Missing;
  /** Where. */
  readonly place: Place;
  /** Whether a little will do. */
  readonly quick: boolean;
}

/** A sample is as long as its operations take. */
export function effortOf({ quick }: Writers): Effort {
  return { rounds: quick ? 1 : 3, sampleMs: 0, warmRuns: 1, verifyOperations: 0 };
}

/** From so many operations on, a sample makes many files. */
const MANY_FILES = 100;
let samples = 0;

/** Makes what a sample needs in its directory. */
export type Before = (at: string) => void;

/**
 * A run of a fixed number of operations in a directory of their own, told as if it
 * were of as many as asked for.
 */
export function sampleOf(
  { place }: Writers,
  operations: number,
  before: Before | undefined,
  work: (at: string) => Promise<unknown> | void,
): Run {
  return async (count) => {
    const at = `${place.path}/sample_${samples++}`;
    Deno.mkdirSync(at);
    try {
      before?.(at);
      await place.settle();
      const start = performance.now();
      const result = await work(at);
      // A process tells its own time
      const ms = isTimed(result) ? result.ms : performance.now() - start;
      return { ms: ms * count / operations, sum: count };
    } finally {
      if (!place.keeps || operations < MANY_FILES) {
        Deno.removeSync(at, { recursive: true });
      }
    }
  };
}

function isTimed(result: unknown): result is { ms: number } {
  return typeof result === "object" && result !== null && "ms" in result;
}

/** The same by Node. */
export function nodeSample(
  writers: Writers,
  kind: string,
  inFlight: number,
  operations: number,
  length: number,
  before?: Before,
): Run | Missing {
  const { node } = writers;
  if (!(node instanceof LineProgram)) {
    return node;
  }
  const words = `${inFlight} ${operations} ${length}`;
  return sampleOf(writers, operations, before, (at) => node.ask(`${kind} ${at} ${words}`));
}

/** Loops side by side, each of which takes the next number. */
export async function many(
  inFlight: number,
  count: number,
  loop: (take: () => number | undefined) => Promise<void>,
): Promise<void> {
  let next = 0;
  const take = () => next < count ? next++ : undefined;
  await Promise.all(Array.from({ length: inFlight }, () => loop(take)));
}
