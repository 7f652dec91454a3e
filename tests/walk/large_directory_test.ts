// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { walk } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";

const COUNT = 4500;
/** Entries between which nothing else runs, at the most. */
const AT_ONCE_MAX = 2500;

/** Counts the rounds of the event loop. */
class Rounds implements Disposable {
  count = 0;
  #stopped = false;

  constructor() {
    const round = () => {
      this.count++;
      if (!this.#stopped) {
        setImmediate(round);
      }
    };
    setImmediate(round);
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
  }
}

/** Read by all rows: to make and to remove it takes longer than to walk it. */
const dir = new TempDir();
const names = Array.from({ length: COUNT }, (_, i) => `${(i * 7919) % COUNT}`);
for (const name of names) {
  dir.file(name);
}
Deno.test.afterAll(() => dir[Symbol.dispose]());

forEachBackend("a large directory holds up nothing else", async ({ open }) => {
  await using ioq = await open();
  for (const options of [{}, { stat: true }, { sort: true }, { sort: true, stat: true }] as const) {
    using rounds = new Rounds();
    const inRound = new Map<number, number>();
    const looked = {
      test() {
        inRound.set(rounds.count, (inRound.get(rounds.count) ?? 0) + 1);
        return true;
      },
    };
    const found: string[] = [];
    const match = [Object.assign(/./, looked)];
    for await (const batch of walk.batches(dir.path, { ...options, match, ioq })) {
      if (!("sort" in options)) {
        assert(batch.length <= AT_ONCE_MAX, `${batch.length} at once`);
      }
      found.push(...batch.map((entry) => entry.path));
    }
    const most = Math.max(...inRound.values());
    assert(most <= AT_ONCE_MAX, `${JSON.stringify(options)}: ${most} in one round`);
    const expected = [dir.path, ...names.map((name) => dir.at(name)).sort()];
    assertEquals("sort" in options ? found : found.sort(), expected);
  }
});
