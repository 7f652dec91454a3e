// Copyright 2026 the ioq authors. MIT license.

/** The queue leaves the event loop its share, even when nothing ever has to wait. */

import { assert } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";

/** Operations after which a timer of a millisecond must have fired: seconds' worth. */
const OPERATIONS_MAX = 10_000_000;

/** Run rounds of operations until a timer fires. Returns whether it did. */
async function untilTimer(round: () => Promise<number>): Promise<boolean> {
  let fired = false;
  const timer = setTimeout(() => fired = true, 1);
  for (let count = 0; !fired && count < OPERATIONS_MAX;) {
    count += await round();
  }
  clearTimeout(timer);
  return fired;
}

forEachBackend("timers fire while promises of operations settle at once", async ({ open }) => {
  await using ioq = await open();
  assert(
    await untilTimer(async () => {
      await ioq.nop();
      return 1;
    }),
  );
});

forEachBackend("timers fire while the stream never runs dry", async ({ open }) => {
  await using ioq = await open({ depth: 64 });
  assert(
    await untilTimer(async () => {
      for (let i = 0; i < 64; i++) {
        ioq.submit(op.nop());
      }
      let count = 0;
      for await (const _ of ioq) {
        count++;
      }
      return count;
    }),
  );
});

forEachBackend("timers fire while batches never run dry", async ({ open }) => {
  await using ioq = await open({ depth: 64 });
  assert(
    await untilTimer(async () => {
      for (let i = 0; i < 64; i++) {
        ioq.submit(op.kernelNop());
      }
      let count = 0;
      for await (const batch of ioq.batches()) {
        count += batch.length;
      }
      return count;
    }),
  );
});
