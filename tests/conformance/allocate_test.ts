// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import {
  bytes,
  errorOf,
  LIBRARY,
  looksOf,
  MOD,
  runDeno,
  sleep,
  TempDir,
  text,
  until,
} from "../fixtures.ts";

forEachBackend("transfers by allocated memory need no copy", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "0123456789");
  await using ioq = await open();
  using buffer = ioq.allocate(100_000);
  const memory = buffer.bytes;
  assertEquals([buffer.byteLength, memory.byteLength, memory.byteOffset], [100_000, 100_000, 0]);
  assert(memory.every((byte) => byte === 0));
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  assertEquals(await ioq.run(op.readInto(fd, memory.subarray(50_000, 50_004), 3)), 4);
  assertEquals(text(memory.subarray(49_999, 50_005)), "\x003456\0");
  assertEquals(await ioq.run(op.readInto(fd, memory, 8)), 2);
  assertEquals(await ioq.run(op.readInto(fd, memory, 10)), 0);
  assertEquals(await ioq.run(op.readInto(fd, memory.subarray(0, 0), 0)), 0);

  memory.set(bytes("abc"), 7);
  assertEquals(await ioq.run(op.write(fd, memory.subarray(7, 10), 4)), 3);
  assertEquals(Deno.readTextFileSync(path), "0123abc789");
  // By position, and to another part of the same at the same time
  const results = await Promise.all(
    Array.from(
      { length: 100 },
      (_, i) => ioq.run(op.readInto(fd, memory.subarray(i * 10, i * 10 + 10), 0)),
    ),
  );
  assert(results.every((count) => count === 10));
  assertEquals(text(memory.subarray(0, 1000)), "0123abc789".repeat(100));
  // Other ways copy from it and to it as ever
  assertEquals(await ioq.run(op.readv(fd, [memory.subarray(0, 2), memory.subarray(5, 7)], 4)), 4);
  assertEquals(text(memory.subarray(0, 10)), "ab23ac7789");
  await ioq.writeFile(dir.at("copy"), memory.subarray(0, 10));
  assertEquals(Deno.readTextFileSync(dir.at("copy")), "ab23ac7789");
  await ioq.run(op.close(fd));
  assertEquals(await looksOf(() => ioq.run(op.readInto(fd, memory, 0))), {
    class: "Error",
    name: "Error",
    message: `Bad file descriptor (os error 9): read file descriptor ${fd}`,
    code: "EBADF",
  });
});

forEachBackend(
  "memory that was given back is detached, and freed in time",
  async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    const path = dir.fifo("fifo");
    using fifo = Deno.openSync(path, { read: true, write: true });
    const fd = await ioq.run(op.open(path));
    const buffer = ioq.allocate(8192);
    const memory = buffer.bytes;
    const request = op.readInto(fd, memory);
    const reading = errorOf(() => ioq.run(request));
    await sleep(5);
    buffer[Symbol.dispose]();
    buffer[Symbol.dispose]();
    assertEquals([buffer.byteLength, memory.byteLength], [0, 0]);
    // The kernel goes on writing where it was to write
    fifo.writeSync(new Uint8Array(8192).fill(7));
    assert(await reading instanceof TypeError);
    fifo.writeSync(bytes("data"));
    assertEquals((await errorOf(() => ioq.run(request))).constructor, TypeError);

    // Far more in turn than there may be at a time
    for (let i = 0; i < 3000; i++) {
      using other = ioq.allocate(1);
      other.bytes[0] = 1;
    }
    const many = Array.from({ length: 1024 }, () => ioq.allocate(4096));
    assertEquals((await looksOf(() => ioq.allocate(1))).code, "ENOMEM");
    await ioq.run(op.close(fd));
    const cancelled = ioq.receive().catch(() => {});
    await ioq.close();
    await cancelled;
    assert(many.every(({ byteLength }) => byteLength === 0));
    assertThrows(() => ioq.allocate(1), Deno.errors.BadResource);
  },
  (row) => row.nativeThreads,
);

forEachBackend("aborted reads keep their memory until they are over", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const fd = await ioq.run(op.open(dir.fifo("fifo"), { read: true, write: true }));
  for (let i = 0; i < 30; i++) {
    using buffer = ioq.allocate(2 ** 16);
    const controller = new AbortController();
    const { signal } = controller;
    const reading = errorOf(() => ioq.run(op.readInto(fd, buffer.bytes), { signal }));
    await sleep(i % 3);
    controller.abort();
    assertEquals((await reading).name, "AbortError");
  }
  await until(() => ioq.size === 0, "slots");
  await ioq.run(op.close(fd));
  for (const length of [0, -1, 0.5, 2 ** 31]) {
    assertThrows(() => ioq.allocate(length), RangeError);
  }
  assertThrows(() => ioq.allocate("1" as unknown as number), TypeError);
}, (row) => row.nativeThreads);

Deno.test("allocate() takes unrestricted FFI, and says so", async () => {
  const script = `
    import { Ioq } from ${JSON.stringify(MOD)};
    await using ioq = await Ioq.open({ library: Deno.args[0] });
    try { ioq.allocate(1); } catch ({ name, message }) { console.log(name, message); }
  `;
  const flags = [`--allow-ffi=${LIBRARY}`, "--allow-read"];
  const { stdout, stderr } = await runDeno(script, { flags, args: [LIBRARY] });
  assertEquals(
    stdout,
    "NotCapable Requires unscoped ffi access for allocate(), run again with the --allow-ffi flag\n",
    stderr,
  );
});

forEachBackend("memory that was given back is nobody else's", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "contents");
  await using ioq = await open();
  const fd = await ioq.run(op.open(path));
  // By a request of ours that was not submitted yet
  const buffer = ioq.allocate(4096);
  const reading = errorOf(() => ioq.run(op.readInto(fd, buffer.bytes)));
  buffer[Symbol.dispose]();
  using next = ioq.allocate(4096);
  await reading;
  assertEquals(next.bytes, new Uint8Array(4096));
  await ioq.run(op.close(fd));

  // By a call of the runtime's that is not over
  const fifo = dir.fifo("fifo");
  using reader = Deno.openSync(fifo, { read: true, write: true });
  const other = ioq.allocate(4096);
  const pending = reader.read(other.bytes);
  other[Symbol.dispose]();
  const later = Array.from({ length: 20 }, () => ioq.allocate(4096));
  reader.writeSync(bytes("late"));
  await pending;
  for (const { bytes } of later) {
    assertEquals(bytes, new Uint8Array(4096));
  }
}, (row) => row.nativeThreads);

forEachBackend("a buffer that was transferred holds up no closing", async ({ open }) => {
  const ioq = await open();
  const transferred = ioq.allocate(4096);
  const seen = new Uint8Array(transferred.bytes.buffer.transfer()).fill(7);
  const structured = structuredClone(ioq.allocate(4096).bytes.buffer, {});
  assertEquals(structured.byteLength, 4096);
  assertEquals(transferred.byteLength, 0);
  transferred[Symbol.dispose]();
  transferred[Symbol.dispose]();
  const { buffer } = ioq.allocate(4096).bytes;
  const held = new Uint8Array(buffer.transfer());
  await ioq.close();
  // Nothing crashes, whatever is there
  seen.fill(1);
  held.fill(1);
});

Deno.test("what a Worker allocated and transferred survives it", async () => {
  using dir = new TempDir();
  const worker = dir.file(
    "worker.ts",
    `import { Ioq } from "${MOD}";
     const ioq = await Ioq.open({ library: "${LIBRARY}" });
     const { buffer } = ioq.allocate(1 << 20).bytes;
     self.postMessage(buffer, [buffer]);`,
  );
  const { stdout, stderr, code } = await runDeno(`
    const worker = new Worker("file://${worker}", { type: "module" });
    const buffer = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    worker.terminate();
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      new Uint8Array(buffer).fill(i);
    }
    console.log(buffer.byteLength);
  `);
  assertEquals([stdout, stderr, code], ["1048576\n", "", 0]);
});
