// Copyright 2026 the ioq authors. MIT license.

/** Transfers past the page cache, many at a time: some are submitted while others are answered. */

import { assertEquals } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";

const BLOCK = 4096;
const BLOCKS = 64;

forEachBackend("direct transfers side by side, some of them aborted", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  const contents = Uint8Array.from({ length: BLOCK * BLOCKS }, (_, i) => (i >> 12) + i % 7);
  Deno.writeFileSync(path, contents);
  await using ioq = await open({ depth: 16 });
  const options = { read: true, write: true, direct: true };
  const file = await ioq.openFile(path, options).catch(() => undefined);
  if (file === undefined) {
    // Neither every file system nor every backend has that
    return;
  }
  await using _ = file;
  const reason = new Error("enough");
  let next = 0;
  let aborted = 0;
  await Promise.all(Array.from({ length: 12 }, async (_, lane) => {
    const buffer = new Uint8Array(BLOCK);
    while (next < 400) {
      const i = next++;
      const at = BLOCK * (i * 7 % BLOCKS);
      const controller = new AbortController();
      const signal = i % 5 === 0 ? { signal: controller.signal } : undefined;
      const reading = file.readAt(buffer, at, signal);
      if (i % 10 === 0) {
        controller.abort(reason);
      }
      const count = await reading.catch((error) => error);
      if (count === reason) {
        aborted++;
      } else {
        assertEquals(count, BLOCK);
        assertEquals(buffer, contents.subarray(at, at + BLOCK));
      }
      if (i % 3 === lane % 3) {
        assertEquals(await file.writeAt(contents.slice(at, at + BLOCK), at), BLOCK);
      }
    }
  }));
  assertEquals(aborted, 40);
  // Not at a block: the file system may refuse it, and then all of them
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => file.readAt(new Uint8Array(BLOCK), 1)),
  );
  assertEquals(new Set(results.map(({ status }) => status)).size, 1);
  assertEquals(Deno.readFileSync(path), contents);
});
