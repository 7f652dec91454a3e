// Copyright 2026 the ioq authors. MIT license.

/**
 * Walks in the process: ours, Deno's, fdir. What is counted are the entries.
 *
 * @module
 */

import { type Ioq, walk } from "@ioq/ioq";
import { type Case, type Effort, peer, type Run, subject } from "../../harness.ts";
import { LineProgram, type Missing } from "../../peers.ts";
import { denoAsync, denoSync } from "./deno.ts";

async function oneByOne(ioq: Ioq, root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const _ of walk(root, { ioq })) {
      sum++;
    }
  }
  return sum;
}

/** In batches. */
export async function inBatches(ioq: Ioq, root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const entries of walk.batches(root, { ioq })) {
      sum += entries.length;
    }
  }
  return sum;
}

/** What walks. */
export interface Walkers {
  readonly ioq: Ioq;
  /** Node with fdir. */
  readonly node: LineProgram | Missing;
  /** fdir in this process. */
  readonly fdir: ((root: string) => Run) | Missing;
}

/** Walk a tree with each of them. */
export function libraryCase(
  { ioq, node, fdir }: Walkers,
  group: string,
  root: string,
  effort: Effort,
): Case {
  return {
    group,
    inFlight: 1,
    effort,
    runners: [
      subject("walk", (count) => oneByOne(ioq, root, count)),
      subject("walk.batches", (count) => inBatches(ioq, root, count)),
      peer("Deno.readDir", (count) => denoAsync(root, count)),
      peer("Deno.readDirSync", (count) => denoSync(root, count)),
      peer(
        "fdir, Node",
        node instanceof LineProgram ? (count) => node.ask(`${root} ${count}`) : node,
      ),
      peer("fdir, Deno", typeof fdir === "function" ? fdir(root) : fdir),
    ],
  };
}
