// Copyright 2026 the ioq authors. MIT license.

/** Files whose queue closes meanwhile: whatever is called then, no descriptor stays. */

import { assert, assertEquals } from "@std/assert";
import type { Ioq, IoqFile } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { descriptorsUnder, sleep, TempDir } from "../fixtures.ts";

const CALLS: Record<string, (file: IoqFile) => Promise<unknown>> = {
  read: (file) => file.read(new Uint8Array(1)),
  write: (file) => file.write(new Uint8Array(1)),
  seek: (file) => file.seek(1, Deno.SeekMode.Start),
  stat: (file) => file.stat(),
  readable: (file) => file.readable.getReader().read(),
  writable: (file) => file.writable.getWriter().write(new Uint8Array(1)),
  dispose: (file) => Promise.resolve(file[Symbol.dispose]()),
};

/** Close a queue that has a request in flight. */
function closeBusy(ioq: Ioq): Promise<void> {
  ioq.sleep(10_000).catch(() => {});
  return ioq.close();
}

forEachBackend("what is called while the queue closes leaves nothing behind", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  for (const [name, call] of Object.entries(CALLS)) {
    const ioq = await open();
    const file = await ioq.openFile(path, { read: true, write: true });
    const closing = closeBusy(ioq);
    await call(file).catch((error) => assert(error instanceof Deno.errors.BadResource, `${error}`));
    await closing;
    assertEquals(descriptorsUnder(dir.path), 0, name);
  }
});

forEachBackend("a file that is read when its queue closes is closed with it", async ({ open }) => {
  using dir = new TempDir();
  Deno.writeFileSync(dir.at("file"), new Uint8Array(6 * 2 ** 20));
  for (let ms = 0; ms < 4; ms++) {
    const ioq = await open();
    const closed = sleep(ms).then(() => ioq.close());
    try {
      await using file = await ioq.openFile(dir.at("file"));
      await Promise.all([0, 1, 2].map((i) => file.readAt(new Uint8Array(3 * 2 ** 20), i)));
    } catch (error) {
      assert(!(error instanceof SuppressedError), `${error}`);
    }
    await closed;
    assertEquals(descriptorsUnder(dir.path), 0);
  }
  // Nobody awaits its closing, which the queue's waits for: no rejection is left over
  const ioq = await open();
  const file = await ioq.openFile(dir.at("file"));
  file.readAt(new Uint8Array(3 * 2 ** 20), 0).catch(() => {});
  file.close();
  await ioq.close();
  assertEquals(descriptorsUnder(dir.path), 0);
});
