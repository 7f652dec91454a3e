// Copyright 2026 the ioq authors. MIT license.

/** `utime()` by times that are exact, and of links themselves. */

import { assertEquals, assertRejects } from "@std/assert";
import { op, utime } from "../../mod.ts";
import { defaultQueue } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";

/** A `Temporal.Instant`, or what is like one where there are none. */
function instantOf(epochNanoseconds: bigint): { readonly epochNanoseconds: bigint } {
  const { Temporal } = globalThis as {
    Temporal?: { Instant: new (ns: bigint) => { readonly epochNanoseconds: bigint } };
  };
  return Temporal === undefined ? { epochNanoseconds } : new Temporal.Instant(epochNanoseconds);
}

forEachBackend("utime() takes exact times", async ({ open, row }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file");
  await using file = await ioq.openFile(path, { read: true, write: true });
  const times = [0n, 1n, -1n, 999_999_999n, -1_000_000_001n, 1_700_000_000_123_456_789n];
  for (const time of times) {
    const calls = [
      () => ioq.utime(path, time, instantOf(time + 5n)),
      () => file.utime(instantOf(time), time + 5n),
      () => ioq.run(op.utime(path, time, time + 5n)),
    ];
    for (const call of calls) {
      if (!row.library) {
        await assertRejects(call, Deno.errors.NotSupported);
        continue;
      }
      await call();
      const { atimeNs, mtimeNs } = await ioq.stat(path, { bigint: true });
      assertEquals([atimeNs, mtimeNs], [time, time + 5n]);
    }
  }
  // Without the library as well, where no more than milliseconds are told
  await ioq.utime(path, 1_700_000_000_123_000_000n, instantOf(1_600_000_000_321_000_000n));
  const { atime, mtime } = Deno.statSync(path);
  assertEquals([atime!.getTime(), mtime!.getTime()], [1_700_000_000_123, 1_600_000_000_321]);
});

forEachBackend("utime() of a link itself leaves its target alone", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file");
  const link = dir.at("link");
  Deno.symlinkSync("file", link);
  Deno.utimeSync(path, 5000, 6000);
  await ioq.utime(link, 1000, 2000, { followSymlinks: false });
  const timesOf = ({ mtime, atime }: Deno.FileInfo) => [atime!.getTime(), mtime!.getTime()];
  assertEquals(timesOf(Deno.lstatSync(link)), [1_000_000, 2_000_000]);
  assertEquals(timesOf(Deno.statSync(path)), [5_000_000, 6_000_000]);
  await ioq.utime(link, 3000, 4000);
  assertEquals(timesOf(Deno.statSync(path)), [3_000_000, 4_000_000]);
  const before = timesOf(Deno.lstatSync(link))[1];
  assertEquals(before, 2_000_000);
});

Deno.test("utime() as a function takes exact times, too", async () => {
  using dir = new TempDir();
  await using ioq = await defaultQueue();
  const path = dir.file("file");
  await utime(path, 5n, new Date(7), { followSymlinks: true });
  assertEquals(Deno.statSync(path).mtime!.getTime(), 7);
  assertEquals(ioq.accepts, true);
});
