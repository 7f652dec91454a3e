// Copyright 2026 the ioq authors. MIT license.

/**
 * Attributes of files.
 *
 * In each form of the queue, see `../ops.ts`, which also tells why every one is written out.
 *
 * @module
 */

import { type Ioq, op } from "@ioq/ioq";
import { type Case, peer, subject } from "../../harness.ts";
import { sideBySide } from "../../side_by_side.ts";

function unexpected(name: string): Error {
  return new Error(`A completion of '${name}' came where none was expected`);
}

function statPromise(ioq: Ioq, files: string[], inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      const info = await ioq.stat(files[next++ % files.length]!);
      sum += info.size;
    }
    return sum;
  });
}

async function statStream(
  ioq: Ioq,
  files: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let sum = 0;
  while (next < count && next < inFlight) {
    ioq.submit(op.stat(files[next++ % files.length]!));
  }
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    if (completion.op !== "stat") {
      throw unexpected(completion.op);
    }
    sum += completion.value.size;
    if (next < count) {
      ioq.submit(op.stat(files[next++ % files.length]!));
    }
  }
  return sum;
}

async function statBatch(
  ioq: Ioq,
  files: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let sum = 0;
  while (next < count && next < inFlight) {
    ioq.submit(op.stat(files[next++ % files.length]!));
  }
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      if (!completion.ok) {
        throw completion.error;
      }
      if (completion.op !== "stat") {
        throw unexpected(completion.op);
      }
      sum += completion.value.size;
      if (next < count) {
        ioq.submit(op.stat(files[next++ % files.length]!));
      }
    }
  }
  return sum;
}

/** Deno, asynchronously. Suites may share this: it is the same work wherever it is done. */
export function statDeno(
  files: readonly string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let sum = 0;
    while (next < count) {
      const info = await Deno.stat(files[next++ % files.length]!);
      sum += info.size;
    }
    return sum;
  });
}

/** Deno, synchronously. */
export function statDenoSync(files: readonly string[], count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += Deno.statSync(files[i % files.length]!).size;
  }
  return sum;
}

/** Ask for the attributes of files, over and over. */
export function statCase(ioq: Ioq, files: string[], inFlight: number): Case {
  return {
    group: "stat",
    inFlight,
    runners: [
      subject("promise", (count) => statPromise(ioq, files, inFlight, count)),
      subject("stream", (count) => statStream(ioq, files, inFlight, count)),
      subject("batch", (count) => statBatch(ioq, files, inFlight, count)),
      peer("Deno.stat", (count) => statDeno(files, inFlight, count)),
      peer("Deno.statSync", (count) => statDenoSync(files, count)),
    ],
  };
}
