// Copyright 2026 the ioq authors. MIT license.

/**
 * Walks that ask for the attributes of everything. What is summed up are the lengths.
 *
 * @module
 */

import { type Ioq, walk } from "@ioq/ioq";
import { type Case, type Effort, peer, subject } from "../../harness.ts";

async function oneByOneWithStat(ioq: Ioq, root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const { info } of walk(root, { ioq, stat: true })) {
      sum += info!.size;
    }
  }
  return sum;
}

async function inBatchesWithStat(ioq: Ioq, root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const entries of walk.batches(root, { ioq, stat: true })) {
      for (const { info } of entries) {
        sum += info!.size;
      }
    }
  }
  return sum;
}

async function denoWithStat(root: string, count: number): Promise<number> {
  const below = async (path: string): Promise<number> => {
    let sum = (await Deno.lstat(path)).size;
    for await (const entry of Deno.readDir(path)) {
      const child = `${path}/${entry.name}`;
      sum += entry.isDirectory ? await below(child) : (await Deno.lstat(child)).size;
    }
    return sum;
  };
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += await below(root);
  }
  return sum;
}

/** Walk a tree with attributes. */
export function statCase(ioq: Ioq, group: string, root: string, effort: Effort): Case {
  return {
    group,
    inFlight: 1,
    effort,
    runners: [
      subject("walk, stat", (count) => oneByOneWithStat(ioq, root, count)),
      subject("walk.batches, stat", (count) => inBatchesWithStat(ioq, root, count)),
      peer("Deno.readDir + lstat", (count) => denoWithStat(root, count)),
    ],
  };
}
