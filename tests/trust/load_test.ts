// Copyright 2026 the ioq authors. MIT license.

/** Load: many files one after the other, many requests at once, and none at all. */

import { assert, assertEquals } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { descriptorsUnder, sleep, TempDir, text } from "../fixtures.ts";
import { times } from "./full.ts";

forEachBackend("many files are opened, read and closed", async ({ open }) => {
  using dir = new TempDir();
  const paths = Array.from({ length: 100 }, (_, i) => dir.file(`file ${i}`, `text ${i}`));
  await using ioq = await open();
  const total = times(2000, 1_000_000);
  let next = 0;
  let right = 0;
  await Promise.all(Array.from({ length: 64 }, async () => {
    while (next < total) {
      const i = next++ % paths.length;
      const fd = await ioq.run(op.open(paths[i]!));
      const read = await ioq.run(op.read(fd, 100, 0));
      await ioq.run(op.close(fd));
      right += Number(text(read) === `text ${i}`);
    }
  }));
  assertEquals(right, total);
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("many requests wait their turn at a small depth", async ({ open }) => {
  await using ioq = await open({ depth: 64 });
  const total = times(20_000, 100_000);
  let most = 0;
  let done = 0;
  const all = Array.from(
    { length: total },
    (_, i) =>
      ioq.run(i % 2 ? op.kernelNop() : op.stat("/")).then(() => {
        done++;
        most = Math.max(most, ioq.size);
      }),
  );
  assertEquals(ioq.size, 64);
  // The event loop has its share meanwhile: its turns come while requests still wait. How many is
  // the machine's affair
  let turns = 0;
  while (done < total) {
    await sleep(0);
    turns += Number(done < total);
  }
  await Promise.all(all);
  assert(most <= 64, `${most} at most`);
  assert(turns > 0, "no turn of the event loop before the last request had completed");
  assertEquals(ioq.size, 0);
});

/** Processor time of this process, in ticks of the kernel's clock. */
function ticks(): number {
  const stat = Deno.readTextFileSync("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

forEachBackend("an idle queue takes no processor time", async ({ open }) => {
  await using ioq = await open();
  await Promise.all(Array.from({ length: 100 }, () => ioq.stat("/")));
  await sleep(200);
  // What else runs here (the engine's own threads) may take some
  let least = Infinity;
  for (let i = 0; i < 5 && least > 0; i++) {
    const before = ticks();
    await sleep(300);
    least = Math.min(least, ticks() - before);
  }
  assertEquals(least, 0);
});
