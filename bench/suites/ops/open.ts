// Copyright 2026 the ioq authors. MIT license.

/**
 * Opening and closing files. What comes back is the number of pairs.
 *
 * In each form of the queue, see `../ops.ts`, which also tells why every one is written out.
 *
 * @module
 */

import { type Ioq, op } from "@ioq/ioq";
import { type Case, peer, subject } from "../../harness.ts";
import { sideBySide } from "../../side_by_side.ts";

function openPromise(ioq: Ioq, files: string[], inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let done = 0;
    while (next < count) {
      const fd = await ioq.run(op.open(files[next++ % files.length]!));
      await ioq.run(op.close(fd));
      done++;
    }
    return done;
  });
}

async function openStream(
  ioq: Ioq,
  files: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    ioq.submit(op.open(files[next++ % files.length]!));
  }
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    if (completion.op === "open") {
      ioq.submit(op.close(completion.value));
      continue;
    }
    done++;
    if (next < count) {
      ioq.submit(op.open(files[next++ % files.length]!));
    }
  }
  return done;
}

async function openBatch(
  ioq: Ioq,
  files: string[],
  inFlight: number,
  count: number,
): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    ioq.submit(op.open(files[next++ % files.length]!));
  }
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      if (!completion.ok) {
        throw completion.error;
      }
      if (completion.op === "open") {
        ioq.submit(op.close(completion.value));
        continue;
      }
      done++;
      if (next < count) {
        ioq.submit(op.open(files[next++ % files.length]!));
      }
    }
  }
  return done;
}

function openDeno(files: string[], inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let done = 0;
    while (next < count) {
      const file = await Deno.open(files[next++ % files.length]!);
      file.close();
      done++;
    }
    return done;
  });
}

function openDenoSync(files: string[], count: number): number {
  let done = 0;
  for (let i = 0; i < count; i++) {
    Deno.openSync(files[i % files.length]!).close();
    done++;
  }
  return done;
}

/** Open files and close them again, over and over. */
export function openCase(ioq: Ioq, files: string[], inFlight: number): Case {
  return {
    group: "open + close",
    inFlight,
    runners: [
      subject("promise", (count) => openPromise(ioq, files, inFlight, count)),
      subject("stream", (count) => openStream(ioq, files, inFlight, count)),
      subject("batch", (count) => openBatch(ioq, files, inFlight, count)),
      peer("Deno.open", (count) => openDeno(files, inFlight, count)),
      peer("Deno.openSync", (count) => openDenoSync(files, count)),
    ],
  };
}
