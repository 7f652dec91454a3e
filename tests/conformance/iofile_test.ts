// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type IoqFile, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import {
  bytes,
  descriptorsUnder,
  errorOf,
  newSeed,
  randomFrom,
  sleep,
  TempDir,
  text,
  within,
} from "../fixtures.ts";

const BOTH = { read: true, write: true };

forEachBackend("a file reads and writes as Deno's does", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  /** The same calls for both. */
  const story = async (file: IoqFile | Deno.FsFile): Promise<unknown[]> => {
    const buffer = new Uint8Array(4);
    const seen: unknown[] = [];
    const read = async (target = buffer) => {
      const count = await file.read(target);
      seen.push(count, text(target.subarray(0, count ?? 0)));
    };
    await read();
    await read(new Uint8Array());
    seen.push(await file.seek(-2, Deno.SeekMode.End));
    await read();
    await read();
    await read(new Uint8Array());
    seen.push(await file.write(bytes("more")), await file.write(new Uint8Array()));
    seen.push(await file.seek(-6, Deno.SeekMode.Current));
    await read(new Uint8Array(100));
    await file.truncate(3);
    seen.push((await file.stat()).size);
    await file.truncate();
    seen.push((await file.stat()).size);
    await file.utime(-1.5, new Date(2 ** 42));
    const { atime, mtime } = await file.stat();
    seen.push(atime?.getTime(), mtime?.getTime());
    await file.sync();
    await file.syncData();
    await file.lock(true);
    await file.unlock();
    seen.push(await file.tryLock(true));
    await file.unlock();
    return seen;
  };
  await using ours = await ioq.openFile(dir.file("ours", "0123456789"), BOTH);
  using denos = await Deno.open(dir.file("denos", "0123456789"), BOTH);
  assertEquals(await story(ours), await story(denos));
  assertEquals((await ours.stat({ bigint: true })).size, 0n);

  await using appended = await ioq.openFile(dir.file("append", "a"), { append: true });
  await appended.write(bytes("b"));
  await appended.writeAt(bytes("c"), 0);
  assertEquals(Deno.readTextFileSync(dir.at("append")), "abc");
  await assertRejects(() => ioq.openFile(dir.at("none")), Deno.errors.NotFound);
}, ({ library }) => library);

forEachBackend("readAt() and writeAt() leave the position alone", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.file("file", "0123456789"), BOTH);
  const far = 2 ** 32 + 2 ** 31 + 3;
  assertEquals(await file.writeAt(bytes("far"), far), 3);
  const buffer = new Uint8Array(10);
  assertEquals(await file.readAt(buffer, far - 1), 4);
  assertEquals(text(buffer.subarray(0, 4)), "\0far");
  assertEquals(await file.readAt(buffer, far + 3), null);
  assertEquals(await file.readAt(new Uint8Array(), far + 3), 0);
  assertEquals((await file.stat()).size, far + 3);
  // A part of a buffer gets what belongs there, and nothing around it
  buffer.fill(0x2e);
  assertEquals(await file.readAt(buffer.subarray(2, 5), 4), 3);
  assertEquals(text(buffer), "..456.....");
  assertEquals(await file.read(buffer.subarray(0, 2)), 2);
  assertEquals(text(buffer), "01456.....");
  await assertRejects(() => file.readAt(buffer, -1), RangeError);
  await assertRejects(() => file.writeAt(buffer, 2 ** 53), RangeError);
});

forEachBackend("locks keep other files out", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  await using a = await ioq.openFile(path);
  await using b = await ioq.openFile(path);
  assertEquals(await a.tryLock(), true);
  assertEquals(await b.tryLock(), true);
  assertEquals(await b.tryLock(true), false);
  await a.unlock();
  assertEquals(await b.tryLock(true), true);
  assertEquals(await a.tryLock(), false);
  await b.close();
  await a.lock();
}, ({ library }) => library);

forEachBackend("streams carry the whole content and close the file", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const data = Uint8Array.from({ length: 1_000_003 }, (_, i) => i * 31 + (i >> 8));
  const [from, to] = [dir.at("from"), dir.at("to")];
  Deno.writeFileSync(from, data);
  const source = await ioq.openFile(from);
  assertStrictEquals(source.readable, source.readable);
  const target = await ioq.openFile(to, { write: true, create: true });
  assertStrictEquals(target.writable, target.writable);
  await source.readable.pipeTo(target.writable);
  const copy = Deno.readFileSync(to);
  assertEquals(copy.length, data.length);
  assert(copy.every((byte, i) => byte === data[i]));
  assertEquals(descriptorsUnder(dir.path), 0);

  const cancelled = await ioq.openFile(from);
  const reader = cancelled.readable.getReader();
  assert((await reader.read()).value!.length > 0);
  await reader.cancel();
  await assertRejects(() => cancelled.stat(), Deno.errors.BadResource);

  const aborted = await ioq.openFile(to, { write: true });
  await aborted.writable.abort();
  await assertRejects(() => aborted.stat(), Deno.errors.BadResource);

  // A stream that fails closes the file as well
  const unreadable = await ioq.openFile(to, { write: true });
  assertEquals((await errorOf(() => unreadable.readable.getReader().read())).name, "Error");
  const unwritable = await ioq.openFile(to);
  const failure = await errorOf(() => unwritable.writable.getWriter().write(bytes("x")));
  assertEquals((failure as { code?: string }).code, "EBADF");
  assertEquals(descriptorsUnder(dir.path), 0);

  // What was closed meanwhile needs no closing
  const closed = await ioq.openFile(from);
  const stream = closed.readable;
  await closed.close();
  await stream.cancel();
}, ({ library }) => library);

forEachBackend("a closed file refuses everything", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const file = await ioq.openFile(dir.file("file", "text"), BOTH);
  await file.close();
  const buffer = new Uint8Array(4);
  for (
    const call of [
      () => file.read(buffer),
      () => file.readAt(buffer, 0),
      () => file.write(buffer),
      () => file.writeAt(buffer, 0),
      () => file.seek(0, Deno.SeekMode.Start),
      () => file.truncate(),
      () => file.stat(),
      () => file.stat({ bigint: true }),
      () => file.sync(),
      () => file.syncData(),
      () => file.utime(0, 0),
      () => file.lock(),
      () => file.tryLock(),
      () => file.unlock(),
      () => file.close(),
      () => file.fd,
      () => file.readable.getReader().read(),
    ]
  ) {
    const error = await errorOf(call);
    assert(error instanceof Deno.errors.BadResource, `${call}: ${error}`);
    assertEquals(
      error.message,
      `${call}`.includes("readable")
        ? "The stream's underlying resource was closed or consumed"
        : "Bad resource ID",
    );
  }
  await file[Symbol.asyncDispose]();
  assertEquals(descriptorsUnder(dir.path), 0);
  assertEquals(Deno.readTextFileSync(dir.at("file")), "text");
});

forEachBackend("close() waits for what is in flight", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open({ depth: 4 });
  for (let round = 0; round < 20; round++) {
    const [mine, other] = [dir.file("mine"), dir.file("other", "untouched")];
    const file = await ioq.openFile(mine, BOTH);
    const controller = new AbortController();
    const writes = Array.from(
      { length: 20 },
      (_, i) =>
        file.writeAt(bytes("x"), i, i % 2 ? { signal: controller.signal } : {}).catch((e) => e),
    );
    const closing = file.close();
    await assertRejects(() => file.writeAt(bytes("y"), 0), Deno.errors.BadResource);
    controller.abort();
    const reused = closing.then(() => ioq.openFile(other, BOTH));
    const results = await Promise.all(writes);
    assert(results.filter((_, i) => i % 2 === 0).every((result) => result === 1));
    await (await reused).close();
    assertEquals(Deno.readTextFileSync(other), "untouched");
  }
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("an aborted read is over at once", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  await using ioq = await open();
  const file = await ioq.openFile(path, BOTH);
  const controller = new AbortController();
  const read = file.read(new Uint8Array(1), { signal: controller.signal });
  await sleep(20);
  controller.abort(new Error("mine"));
  await assertRejects(() => read, Error, "mine");
  await within(5000, file.close(), "close()");
  assertEquals(descriptorsUnder(path), 0);
}, (row) => row.interruptible);

forEachBackend("a signal that has fired lets nothing begin", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  const signal = AbortSignal.abort(new Error("mine"));
  await assertRejects(() => ioq.openFile(path, { signal }), Error, "mine");
  await assertRejects(() => ioq.readFile(path, { signal }), Error, "mine");
  await assertRejects(() => ioq.mkdir(dir.at("x/y"), { signal, recursive: true }), Error, "mine");
  await assertRejects(() => ioq.remove(path, { signal }), Error, "mine");
  const file = await ioq.openFile(path, BOTH);
  await assertRejects(() => file.write(bytes("x"), { signal }), Error, "mine");
  await assertRejects(() => file.truncate(0, { signal }), Error, "mine");
  await within(5000, file.close(), "close()");
  assertEquals(Deno.readTextFileSync(path), "text");
});

forEachBackend("a target that is gone at the completion is an error", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.file("file", "text"));
  const before = descriptorsUnder("/");
  const target = new Uint8Array(4);
  // With a signal, so that it is not over before that
  const read = file.readAt(target, 0, { signal: new AbortController().signal });
  structuredClone(target, { transfer: [target.buffer] });
  await assertRejects(() => read, TypeError, "detached");

  ioq.submit(op.readInto(file.fd, new Uint8Array(4), 0));
  const large = new Uint8Array(1_000_000);
  const request = op.readInto(file.fd, large, 0);
  ioq.submit(request);
  structuredClone(large, { transfer: [large.buffer] });
  let ok = 0;
  for await (const completion of ioq) {
    ok += Number(completion.ok);
  }
  assertEquals(ok, 1);
  const buffer = new Uint8Array(4);
  for (let i = 0; i < 100; i++) {
    assertEquals(await file.readAt(buffer, 0), 4);
  }
  assertEquals(text(buffer), "text");
  assertEquals(descriptorsUnder("/"), before);
});

forEachBackend("random transfers agree with an array in memory", async ({ open }) => {
  using dir = new TempDir();
  const seed = newSeed();
  const random = randomFrom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  await using ioq = await open({ depth: 8 });
  await using file = await ioq.openFile(dir.file("file"), BOTH);
  const model = new Uint8Array(600_000);
  let size = 0;
  for (let step = 0; step < 300; step++) {
    const what = `IOQ_SEED=${seed}, step ${step}`;
    const offset = below(300_000);
    const length = random() < 0.2 ? below(300_000) : below(100);
    const kind = random();
    if (kind < 0.45) {
      const data = new Uint8Array(length).fill(below(255) + 1);
      assertEquals(await file.writeAt(data, offset), length, what);
      model.set(data, offset);
      size = length === 0 ? size : Math.max(size, offset + length);
    } else if (kind < 0.55) {
      await file.truncate(offset);
      model.fill(0, offset);
      size = offset;
    } else {
      // Several at once: they do not disturb each other
      await Promise.all(Array.from({ length: 3 }, async (_, i) => {
        const at = offset + i * 1000;
        const target = new Uint8Array(length);
        const expected = model.subarray(at, Math.max(at, Math.min(size, at + length)));
        const count = await file.readAt(target, at);
        assertEquals(count, expected.length === 0 && length > 0 ? null : expected.length, what);
        assert(expected.every((byte, j) => byte === target[j]), what);
      }));
    }
  }
  assertEquals((await file.stat()).size, size, `IOQ_SEED=${seed}`);
  const all = await ioq.readFile(dir.at("file"));
  assert(all.every((byte, i) => byte === model[i]), `IOQ_SEED=${seed}`);
});

forEachBackend("files leave no descriptor behind", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  const before = descriptorsUnder("/");
  {
    await using ioq = await open();
    for (let i = 0; i < 50; i++) {
      const controller = new AbortController();
      const opening = ioq.openFile(path, { signal: controller.signal });
      if (i % 2) {
        await new Promise((resolve) => setTimeout(resolve, i % 3));
      }
      controller.abort();
      await opening.then((file) => file.close(), () => {});
      await using _ = await ioq.openFile(path, BOTH);
    }
  }
  assertEquals(descriptorsUnder("/"), before);
});
