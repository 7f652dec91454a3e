// Copyright 2026 the ioq authors. MIT license.

/** Whatever waits, or takes several requests, can be ended, and its end is told. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { EventLoop } from "../../src/loop/mod.ts";
import { forEachBackend } from "../backends.ts";
import { descriptorsUnder, errorOf, TempDir, within } from "../fixtures.ts";

const SECONDS = 5000;

forEachBackend("a locked stream leaves the file as it was", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file", "text");
  const stream = new ReadableStream<Uint8Array>({ pull() {} });
  const reader = stream.getReader();
  await assertRejects(() => ioq.writeFile(path, stream), TypeError);
  const texts = new ReadableStream<string>({ pull() {} });
  const other = texts.getReader();
  await assertRejects(() => ioq.writeTextFile(path, texts), TypeError);
  assertEquals(Deno.readTextFileSync(path), "text");
  assertEquals(descriptorsUnder(dir.path), 0);
  await Promise.all([reader.cancel(), other.cancel()]);
});

forEachBackend("a stream that waits for a pipe can be cancelled", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.fifo("fifo");
  const both = { read: true, write: true };
  const one = await ioq.openFile(path, both);
  const reader = one.readable.getReader();
  const read = reader.read();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await within(SECONDS, reader.cancel(), "cancel()");
  assertEquals((await read).done, true);

  const two = await ioq.openFile(path, both);
  const controller = new AbortController();
  const piping = two.readable.pipeTo(new WritableStream(), { signal: controller.signal });
  piping.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(new Error("mine"));
  const error = await within(SECONDS, errorOf(() => piping), "pipeTo()");
  assertEquals(error.message, "mine");

  // Opened once, so that the pipe keeps what is in it
  using _ = Deno.openSync(path, both);
  const three = await ioq.openFile(path, both);
  const writer = three.writable.getWriter();
  const writing = writer.write(new Uint8Array(200_000));
  writing.catch(() => {});
  writer.closed.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 5));
  await within(SECONDS, writer.abort(new Error("mine")), "abort()");
  await assertRejects(() => writing);
  assertEquals(descriptorsUnder(path), 1);
}, ({ concurrent, library }) => concurrent || !library);

forEachBackend("writing a stream to a full pipe ends by signal and by time", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.fifo("fifo");
  using _ = Deno.openSync(path, { read: true, write: true });
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(100_000));
      },
    });
  const late = errorOf(() => ioq.writeFile(path, endless(), { timeoutMs: 20 }));
  assert(await within(SECONDS, late, "writeFile()") instanceof Deno.errors.TimedOut);
  const controller = new AbortController();
  const writing = errorOf(() => ioq.writeFile(path, endless(), { signal: controller.signal }));
  setTimeout(() => controller.abort(new Error("mine")), 20);
  assertEquals((await within(SECONDS, writing, "writeFile()")).message, "mine");
  // A stream that brings nothing
  const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const waiting = errorOf(() =>
    ioq.writeFile(dir.at("file"), silent, { signal: AbortSignal.timeout(20) })
  );
  assertEquals((await within(SECONDS, waiting, "writeFile()")).name, "TimeoutError");
  const closed = errorOf(() =>
    ioq.writeFile(dir.at("file"), new ReadableStream({ pull: () => new Promise(() => {}) }))
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  await within(SECONDS, ioq.close(), "close()");
  await within(SECONDS, closed, "writeFile()");
  assertEquals(descriptorsUnder(dir.at("file")), 0);
}, ({ concurrent, library }) => concurrent || !library);

forEachBackend("what is not to be read to its end is bounded", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  for (const length of [0, 100, 20_000, 5_000_000]) {
    const path = dir.at(`file${length}`);
    Deno.writeFileSync(path, new Uint8Array(length));
    assertEquals((await ioq.readFile(path, { maxBytes: length })).length, length);
    if (length > 0) {
      const error = await errorOf(() => ioq.readFile(path, { maxBytes: length - 1 }));
      assertEquals((error as { code?: string }).code, "EFBIG");
    }
  }
  await assertRejects(() => ioq.readFile("/dev/null", { maxBytes: -1 }), RangeError);
});

forEachBackend("a file without an end is read as far as it may", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const error = await errorOf(() => ioq.readFile("/dev/zero", { maxBytes: 1_000_000 }));
  assertEquals((error as { code?: string }).code, "EFBIG");
  const seen: string[] = [];
  const missed: unknown[] = [];
  const options = {
    maxBytes: 100_000,
    onError: (_: Error, path: unknown) => missed.push(path),
  };
  for await (const { path } of ioq.readFiles(["/dev/zero", dir.file("short", "x")], options)) {
    seen.push(`${path}`);
  }
  assertEquals([seen, missed], [[dir.at("short")], ["/dev/zero"]]);
});

forEachBackend("reading a file without an end ends when it is asked to", async ({ open }) => {
  const ioq = await open();
  const told = (reading: Promise<unknown>) => within(SECONDS, errorOf(() => reading), "readFile()");
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("mine")), 5);
  const aborted = told(ioq.readFile("/dev/zero", { signal: controller.signal }));
  assertEquals((await aborted).message, "mine");
  const late = await told(ioq.readFile("/dev/zero", { timeoutMs: 5 }));
  assert(late instanceof Deno.errors.TimedOut, `${late}`);
  const reading = told(ioq.readFile("/dev/zero"));
  await ioq.nop();
  await within(SECONDS, ioq.close(), "close()");
  assert(/closed|Interrupted/.test((await reading).message), `${await reading}`);
  assertEquals([descriptorsUnder("/dev/zero"), ioq.size], [0, 0]);
});

forEachBackend("files that are long come in pieces, whole", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const data = Uint8Array.from({ length: 9_000_000 }, (_, i) => i * 31 + (i >> 8));
  Deno.writeFileSync(dir.at("long"), data);
  for await (const { bytes } of ioq.readFiles([dir.at("long"), dir.at("long")])) {
    assert(bytes.length === data.length && bytes.every((byte, i) => byte === data[i]));
  }
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("the end of the queue is not left out by readFiles", async ({ open }) => {
  using dir = new TempDir();
  const paths = Array.from({ length: 200 }, (_, i) => dir.file(`${i}`, "text"));
  const ioq = await open();
  const reading = errorOf(async () => {
    for await (const _ of ioq.readFiles(paths, { onError: "skip", concurrency: 8 })) {
      ioq.close();
    }
  });
  const error = await within(SECONDS, reading, "readFiles()");
  assert(/closed|Interrupted/.test(error.message), `${error}`);
  await ioq.close();
});

Deno.test("a task that is cancelled in a long transfer is told", async () => {
  using dir = new TempDir();
  const path = dir.at("file");
  Deno.writeFileSync(path, new Uint8Array(40_000_000));
  await using loop = await EventLoop.open();
  for (const call of ["readAt", "writeAt", "read", "write"] as const) {
    for (let round = 0; round < 4; round++) {
      let told: unknown;
      const task = loop.async(async (io) => {
        await using file = await io.openFile(path, { read: true, write: true });
        const bytes = new Uint8Array(40_000_000);
        try {
          told =
            await (call === "read" || call === "write" ? file[call](bytes) : file[call](bytes, 0));
        } catch (error) {
          told = (error as Error).name;
          throw error;
        }
      });
      await new Promise((resolve) => setTimeout(resolve, 1 + round));
      await task.cancel().catch(() => {});
      assert(told === undefined || told === "Canceled" || told === 40_000_000, `${call}: ${told}`);
    }
  }
});
