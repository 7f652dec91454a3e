// Copyright 2026 the ioq authors. MIT license.

/**
 * Operations that do nothing: what the queue and a turn of the ring cost.
 *
 * In each form of the queue, see `../ops.ts`, which also tells why every one is written out.
 *
 * @module
 */

import { type Ioq, op } from "@ioq/ioq";
import { type Case, subject } from "../../harness.ts";
import { sideBySide } from "../../side_by_side.ts";

function nopPromise(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let done = 0;
    while (next < count) {
      next++;
      await ioq.nop();
      done++;
    }
    return done;
  });
}

async function nopStream(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.nop());
  }
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    done++;
    if (next < count) {
      next++;
      ioq.submit(op.nop());
    }
  }
  return done;
}

async function nopBatch(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.nop());
  }
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      if (!completion.ok) {
        throw completion.error;
      }
      done++;
      if (next < count) {
        next++;
        ioq.submit(op.nop());
      }
    }
  }
  return done;
}

// Through the ring -----------------------------------------------------------

function kernelNopPromise(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  return sideBySide(inFlight, async () => {
    let done = 0;
    while (next < count) {
      next++;
      await ioq.run(op.kernelNop());
      done++;
    }
    return done;
  });
}

async function kernelNopStream(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.kernelNop());
  }
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    done++;
    if (next < count) {
      next++;
      ioq.submit(op.kernelNop());
    }
  }
  return done;
}

async function kernelNopBatch(ioq: Ioq, inFlight: number, count: number): Promise<number> {
  let next = 0;
  let done = 0;
  while (next < count && next < inFlight) {
    next++;
    ioq.submit(op.kernelNop());
  }
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      if (!completion.ok) {
        throw completion.error;
      }
      done++;
      if (next < count) {
        next++;
        ioq.submit(op.kernelNop());
      }
    }
  }
  return done;
}

// The cases -------------------------------------------------------------------

/** What the queue itself costs. */
export function nopCase(ioq: Ioq, inFlight: number): Case {
  return {
    group: "nop",
    inFlight,
    runners: [
      subject("promise", (count) => nopPromise(ioq, inFlight, count)),
      subject("stream", (count) => nopStream(ioq, inFlight, count)),
      subject("batch", (count) => nopBatch(ioq, inFlight, count)),
    ],
  };
}

/** What the ring costs with it. */
export function kernelNopCase(ioq: Ioq, inFlight: number): Case {
  return {
    group: "kernelNop",
    inFlight,
    runners: [
      subject("promise", (count) => kernelNopPromise(ioq, inFlight, count)),
      subject("stream", (count) => kernelNopStream(ioq, inFlight, count)),
      subject("batch", (count) => kernelNopBatch(ioq, inFlight, count)),
    ],
  };
}
