// Copyright 2026 the ioq authors. MIT license.

/** Calls that transfer nothing, and seeks that lead nowhere: what Deno makes of them. */

import { assertEquals } from "@std/assert";
import type { IoqFile } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";

/** What a call tells: its value, or the kind of its error and its number. */
async function told(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    const { name, message } = error as Error;
    return [name, /os error \d+|Invalid seek mode: .*$/.exec(message)?.[0]];
  }
}

const NOTHING = new Uint8Array();

forEachBackend("calls that transfer nothing tell what Deno's do", async ({ open, row }) => {
  using dir = new TempDir();
  const path = dir.file("file", "0123456789");
  await using ioq = await open();
  const story = async (file: IoqFile | Deno.FsFile) => [
    await told(() => file.read(NOTHING)),
    await told(() => file.write(NOTHING)),
    row.name === "worker without library" ? 0 : await told(() => file.readSync(NOTHING)),
  ];
  for (const how of [{ read: true }, { write: true }, { append: true }]) {
    await using ours = await ioq.openFile(path, how);
    using denos = await Deno.open(path, how);
    assertEquals(await story(ours), await story(denos), JSON.stringify(how));
    assertEquals(await ours.readAt(NOTHING, 0), 0);
  }
});

forEachBackend("seeks lead where Deno's do", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const story = async (file: IoqFile | Deno.FsFile) => {
    const seen: unknown[] = [];
    for (const offset of [5.7, 1.2, 3n, -0.5]) {
      for (const whence of [0, 1, 2]) {
        seen.push(await told(() => file.seek(offset, whence)));
      }
    }
    for (const whence of [3, -1]) {
      seen.push(await told(() => file.seek(0, whence)));
    }
    return seen;
  };
  const both = { read: true, write: true };
  for (const path of [dir.file("file", "0123456789"), dir.fifo("fifo")]) {
    await using ours = await ioq.openFile(path, both);
    using denos = await Deno.open(path, both);
    assertEquals(await story(ours), await story(denos), path);
  }
});
