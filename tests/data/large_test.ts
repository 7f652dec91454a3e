// Copyright 2026 the ioq authors. MIT license.

/** Files that are larger than any request, and those that are large enough to hold others up. */

import { assert, assertEquals } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { TempDir, text } from "../fixtures.ts";

/** Make a file of holes but for its last bytes. */
function makeSparse(path: string, length: number): void {
  using file = Deno.openSync(path, { write: true, create: true });
  file.truncateSync(length - 3);
  file.seekSync(0, Deno.SeekMode.End);
  file.writeSync(new TextEncoder().encode("end"));
}

forEachBackend("readFiles() of a large file leaves the event loop its turns", async ({ open }) => {
  using dir = new TempDir();
  const length = 64 * 1024 * 1024;
  makeSparse(dir.at("large"), length);
  await using ioq = await open();
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns++;
    if (!isOver) {
      setImmediate(turn);
    }
  };
  setImmediate(turn);
  const [read] = await Array.fromAsync(ioq.readFiles([dir.at("large")]));
  isOver = true;
  assertEquals(read!.bytes.length, length);
  assertEquals(text(read!.bytes.subarray(-3)), "end");
  // There are 32 pieces, of which some come in one turn
  assert(turns >= 4, String(turns));
  // Without library and Worker it is one call of Deno's, as long as it takes
}, ({ library, concurrent }) => library || concurrent);

Deno.test({
  name: "a file of more than 2 GiB is read and written as Deno does",
  ignore: Deno.env.get("IOQ_TEST_FULL") === undefined,
  fn: async () => {
    const { Ioq } = await import("../../mod.ts");
    using dir = new TempDir();
    const length = 2_200_000_000;
    makeSparse(dir.at("huge"), length);
    await using ioq = await Ioq.open();
    const bytes = await ioq.readFile(dir.at("huge"));
    assertEquals([bytes.length, text(bytes.subarray(-3))], [length, "end"]);
    await ioq.writeFile(dir.at("copy"), bytes);
    assertEquals(Deno.statSync(dir.at("copy")).size, length);
    await using file = await ioq.openFile(dir.at("copy"));
    assertEquals(await file.readAt(bytes, 0), length);
    assertEquals(text(bytes.subarray(-3)), "end");
  },
});
