// Copyright 2026 the ioq authors. MIT license.

/**
 * All that writes, in memory and on a disk, beside Deno, Node and the commands.
 *
 * Each sample has a directory of its own, and begins when what was written before has
 * reached the disk. It does a fixed number of operations.
 *
 * @module
 */

import { Ioq } from "@ioq/ioq";
import { LineProgram, startNode } from "../peers.ts";
import { inMemory, onDisk, type Place } from "../places.ts";
import type { Goal, OpenSuite, Suite, SuiteOptions } from "../suite.ts";
import { callCases, CALLS } from "./write/calls.ts";
import { COPY_LENGTHS, copyCases } from "./write/copies.ts";
import { fileCases, MANY } from "./write/files.ts";
import type { Writers } from "./write/sample.ts";
import { LARGE_TREES, treeCases, TREES } from "./write/trees.ts";

/** What is compared in each place. */
function goalsOf({ name, keeps }: Place): Goal[] {
  return [
    ...MANY.flatMap(({ group, inFlight }) =>
      ["Deno", "Node"].map((peer) => ({
        group: `${name}: ${group}`,
        subject: "ioq",
        inFlight: [inFlight],
        peer,
        atLeast: 1,
      }))
    ),
    ...COPY_LENGTHS.map(({ group, inFlight }) => ({
      group: `${name}: ${group}`,
      subject: "ioq",
      inFlight: [inFlight],
      peer: "Deno",
      atLeast: 1,
    })),
    ...[...TREES, ...(keeps ? [] : LARGE_TREES)].map(({ group, command }) => ({
      group: `${name}: ${group}`,
      subject: "ioq",
      inFlight: [1],
      peer: command,
      atLeast: command === "cp -a" ? 1.2 : 1,
    })),
    ...CALLS.map(({ group, inFlight }) => ({
      group: `${name}: ${group}`,
      subject: "ioq",
      inFlight: [inFlight],
      peer: "Deno",
      atLeast: 1,
    })),
  ];
}

/** Open the suite for a place; without one there is nothing to measure. */
async function openWrite(
  findPlace: (stack: AsyncDisposableStack) => Place | undefined,
  { quick }: SuiteOptions,
): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const place = findPlace(stack);
  const ioq = stack.use(await Ioq.open());
  const node = await startNode("write");
  if (node instanceof LineProgram) {
    stack.use(node);
  }
  const cases = place === undefined
    ? []
    : [fileCases, copyCases, treeCases, callCases].flatMap((make) => {
      const writers: Writers = { ioq, node, place, quick };
      return make(writers);
    });
  const made = stack.move();
  return {
    notes: {},
    backend: ioq.backend,
    cases,
    goals: quick || place === undefined ? [] : goalsOf(place),
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite in memory. */
export const write: Suite = {
  name: "write",
  summary: "all that writes, in memory: files, copies, trees",
  open: (options) => openWrite(inMemory, options),
};

/** The suite on a disk. */
export const writeDisk: Suite = {
  name: "write-disk",
  summary: "all that writes, on a disk: files, copies, trees",
  open: (options) => openWrite(onDisk, options),
};
