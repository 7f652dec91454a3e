// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptors, errorOf, sleep, TempDir, within } from "../fixtures.ts";

const NOTHING = {
  readable: false,
  writable: false,
  priority: false,
  error: false,
  hangUp: false,
};

forEachBackend("poll() waits until a descriptor is ready", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open({ threads: 1 });
  const path = dir.fifo("fifo");
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  assertEquals(await ioq.run(op.poll(fd, { writable: true })), { ...NOTHING, writable: true });

  // Several of the same, and none of them keeps the only worker thread busy
  const polls = [1, 2, 3].map(() => ioq.run(op.poll(fd)));
  await sleep(3);
  await ioq.readDir("/");
  await ioq.run(op.write(fd, bytes("x")));
  for (const events of await within(5000, Promise.all(polls), "polling")) {
    assertEquals(events, { ...NOTHING, readable: true });
  }
  await ioq.run(op.close(fd));

  const file = await ioq.run(op.open(dir.file("file")));
  assertEquals(await ioq.run(op.poll(file, { readable: true, writable: true })), {
    ...NOTHING,
    readable: true,
    writable: true,
  });
  await ioq.run(op.close(file));
  await assertRejects(() => ioq.run(op.poll(10_000)), Error, "Bad file descriptor");
}, ({ library }) => library);

forEachBackend("poll() tells that the other end is closed", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.fifo("fifo");
  const both = await ioq.run(op.open(path, { read: true, write: true }));
  const writer = await ioq.run(op.open(path, { write: true }));
  await ioq.run(op.close(both));
  const events = await ioq.run(op.poll(writer, {}));
  assertEquals(events, { ...NOTHING, error: true });
  await ioq.run(op.close(writer));
}, ({ library }) => library);

forEachBackend("poll() can be cancelled, and leaves no descriptor", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const fd = await ioq.run(op.open(dir.fifo("fifo"), { read: true, write: true }));
  await ioq.sleep(0);
  const before = descriptors().size;
  const controller = new AbortController();
  const { signal } = controller;
  const polls = Array.from({ length: 20 }, () => errorOf(() => ioq.run(op.poll(fd), { signal })));
  await sleep(2);
  controller.abort();
  for (const error of await within(5000, Promise.all(polls), "aborting")) {
    assertEquals(error.name, "AbortError");
  }
  const left = errorOf(() => ioq.run(op.poll(fd)));
  await sleep(2);
  const closing = ioq.run(op.close(fd));
  ioq.cancelAll();
  assert(await within(5000, left, "cancelling") instanceof Deno.errors.Interrupted);
  await closing;
  assertEquals(descriptors().size, before - 1);
}, ({ library }) => library);
