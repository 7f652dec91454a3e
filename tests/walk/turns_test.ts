// Copyright 2026 the ioq authors. MIT license.

/** Several walks at once leave the event loop its turns: what one of them does is bounded. */

import { assert, assertEquals } from "@std/assert";
import { walk } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";

const DIRECTORIES = 50;
const FILES = 60;
const WALKS = 20;
/** What all walks may look at in one turn: what they share, and a block that may go beyond it. */
const ENTRIES_MAX = 12_000;

forEachBackend("many walks at once take turns with all else", async ({ open }) => {
  using dir = new TempDir();
  for (let i = 0; i < DIRECTORIES; i++) {
    Deno.mkdirSync(dir.at(`${i}`));
    for (let j = 0; j < FILES; j++) {
      Deno.openSync(dir.at(`${i}/${j}`), { write: true, createNew: true }).close();
    }
  }
  await using ioq = await open();
  const looks: number[] = [0];
  const looking = Object.defineProperty(/x/, "test", {
    value() {
      looks[looks.length - 1]!++;
      return true;
    },
  });
  let over = false;
  const turns = (async () => {
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve));
      looks.push(0);
    }
  })();
  const found = await Promise.all(Array.from({ length: WALKS }, async () => {
    let count = 0;
    for await (const entries of walk.batches(dir.path, { match: [looking], ioq })) {
      count += entries.length;
    }
    return count;
  }));
  over = true;
  await turns;
  assertEquals(new Set(found), new Set([1 + DIRECTORIES * (FILES + 1)]));
  assert(Math.max(...looks) < ENTRIES_MAX, `${Math.max(...looks)} in one turn`);
});
