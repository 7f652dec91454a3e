// Copyright 2026 the ioq authors. MIT license.

/**
 * A queue of one backend in a process of its own, so that the compiler sees no other:
 * what ran in the same process before would make it slower for the next.
 *
 * For each line of its input, `WORK IN_FLIGHT COUNT ROOT`, it prints the nanoseconds
 * that it took, and the sum it got. Its argument is the options of the queue.
 *
 * @module
 */

import { createInterface } from "node:readline";
import process from "node:process";
import { Ioq, type IoqOptions, walk } from "@ioq/ioq";
import { LANE } from "../../../src/backends/open_backend.ts";
import { sideBySide } from "../../side_by_side.ts";
import { filesOf, linesOf } from "./work.ts";

/** What the argument says. */
interface Options extends IoqOptions {
  /** Whether no Workers may be started. */
  readonly mainThread?: boolean;
}

const { mainThread, ...options } = JSON.parse(Deno.args[0]!) as Options;
const ioq = await Ioq.open(
  (mainThread ? { ...options, [LANE]: null } : options) as IoqOptions,
);

function stat(paths: readonly string[], inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      sum += (await ioq.stat(paths[next++ % paths.length]!)).size;
    }
    return sum;
  });
}

function read(paths: readonly string[], inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      sum += (await ioq.readFile(paths[next++ % paths.length]!)).length;
    }
    return sum;
  });
}

async function walkWhole(root: string, count: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for await (const _ of walk(root, { ioq })) {
      sum++;
    }
  }
  return sum;
}

/** Do what a line says. */
function run(work: string, inFlight: number, count: number, root: string): Promise<number> {
  switch (work) {
    case "stat":
      return stat(filesOf(root), inFlight, count);
    case "read":
      return read(linesOf(root), inFlight, count);
    default:
      return walkWhole(root, count);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [, work, inFlight, count, root] = /^(\S+) (\S+) (\S+) (.*)$/.exec(line)!;
  const start = process.hrtime.bigint();
  const sum = await run(work!, Number(inFlight), Number(count), root!);
  console.log(`${process.hrtime.bigint() - start} ${sum}`);
}
await ioq.close();
