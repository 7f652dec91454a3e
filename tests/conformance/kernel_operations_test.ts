// Copyright 2026 the ioq authors. MIT license.

/** Operations that Deno has no calls for. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Ioq, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import {
  bytes,
  errorOf,
  looksOf,
  MOD,
  runDeno,
  sleep,
  TempDir,
  text,
  valueOf,
  within,
} from "../fixtures.ts";

const BOTH = { read: true, write: true, create: true };

/** The code of an error. */
async function codeOf(run: () => Promise<unknown>): Promise<unknown> {
  return (await looksOf(run)).code;
}

forEachBackend("extended attributes by path, descriptor and directory", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  const first = await errorOf(() => ioq.setXattr(path, "user.ioq", bytes("value")))
    .catch(() => undefined);
  if ((first as { code?: string } | undefined)?.code === "ENOTSUP") {
    // This file system has none
    return;
  }
  assertEquals(first, undefined);
  const large = new Uint8Array(1000).fill(7);
  const fd = await ioq.run(op.open(path));
  const at = await ioq.run(op.openDir(dir.path));
  assertEquals(text(await ioq.getXattr(path, "user.ioq")), "value");
  assertEquals(text(await ioq.run(op.getXattr(fd, "user.ioq"))), "value");
  assertEquals(text(await ioq.getXattr("file", "user.ioq", { at })), "value");
  await ioq.run(op.setXattr(fd, "user.large", large, { create: true }));
  assertEquals(await ioq.getXattr(path, "user.large"), large);
  await ioq.setXattr("file", "user.empty", new Uint8Array(), { at });
  assertEquals((await ioq.getXattr(path, "user.empty")).length, 0);

  const names = ["user.empty", "user.ioq", "user.large"];
  for (
    const list of [ioq.listXattr(path), ioq.run(op.listXattr(fd)), ioq.listXattr("file", { at })]
  ) {
    assertEquals((await list).filter((name) => name.startsWith("user.")).sort(), names);
  }
  assertEquals(
    await codeOf(() => ioq.setXattr(path, "user.ioq", large, { create: true })),
    "EEXIST",
  );
  assertEquals(
    await codeOf(() => ioq.setXattr(path, "user.none", large, { replace: true })),
    "ENODATA",
  );
  await ioq.setXattr(path, "user.ioq", bytes("other"), { replace: true });
  assertEquals(text(await ioq.getXattr(path, "user.ioq")), "other");
  await ioq.removeXattr(path, "user.ioq");
  await ioq.run(op.removeXattr(fd, "user.large"));
  await ioq.removeXattr("file", "user.empty", { at });
  assertEquals(await looksOf(() => ioq.getXattr(path, "user.ioq")), {
    class: "Error",
    name: "Error",
    message: `No data available (os error 61): getxattr 'user.ioq' of '${path}'`,
    code: "ENODATA",
  });
  const { message } = await looksOf(() => ioq.run(op.getXattr(fd, "user.ioq")));
  assertEquals(
    message,
    `No data available (os error 61): getxattr 'user.ioq' of file descriptor ${fd}`,
  );

  // A link's own attributes: users may not give it any
  Deno.symlinkSync("nowhere", dir.at("link"));
  for (const options of [{ followSymlinks: false }, { followSymlinks: false, at }]) {
    const link = options.at === undefined ? dir.at("link") : "link";
    assertEquals(await ioq.listXattr(link, options), []);
    assertEquals(await codeOf(() => ioq.getXattr(link, "user.x", options)), "ENODATA");
  }
  assertEquals(await codeOf(() => ioq.getXattr(dir.at("link"), "user.x")), "ENOENT");
  assertEquals(await codeOf(() => ioq.listXattr("link", { at })), "ENOENT");
  assertThrows(() => op.getXattr(path, "a\0b"), TypeError);
  assertThrows(() => op.setXattr(path, "user.x", "text" as unknown as Uint8Array), TypeError);
  assertThrows(() => op.getXattr(path, 1 as unknown as string), TypeError);
  await ioq.run(op.closeDir(at));
  await ioq.run(op.close(fd));
}, ({ library }) => library);

forEachBackend("extended attributes, many at once", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  if (await codeOf(() => ioq.getXattr(path, "user.none")) === "ENOTSUP") {
    return;
  }
  // More than wait for the lanes: the ring takes some
  const errors = await Promise.all(
    Array.from({ length: 900 }, () => codeOf(() => ioq.getXattr(path, "user.none"))),
  );
  assert(errors.every((code) => code === "ENODATA"));
}, ({ library }) => library);

forEachBackend("splice() moves bytes through a pipe", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const pipe = await ioq.run(op.open(dir.fifo("fifo"), { read: true, write: true }));
  const from = await ioq.run(op.open(dir.file("from", "0123456789")));
  const to = await ioq.run(op.open(dir.at("to"), BOTH));
  assertEquals(await ioq.run(op.splice(from, pipe, 4, { from: 3 })), 4);
  assertEquals(await ioq.run(op.splice(pipe, to, 100, { to: 2, more: true })), 4);
  assertEquals(Deno.readTextFileSync(dir.at("to")), "\0\x003456");
  assertEquals(await ioq.run(op.splice(from, pipe, 2)), 2);
  assertEquals(await ioq.run(op.splice(pipe, to, 2)), 2);
  assertEquals(Deno.readTextFileSync(dir.at("to")), "013456");
  assertEquals(await ioq.run(op.splice(from, pipe, 100, { from: 10 })), 0);
  await assertRejects(
    () => ioq.run(op.splice(pipe, to, 1, { nonBlock: true })),
    Deno.errors.WouldBlock,
  );
  assertEquals(await codeOf(() => ioq.run(op.splice(from, to, 1))), "EINVAL");

  // It waits for the pipe, and can be cancelled
  const controller = new AbortController();
  const waiting = errorOf(() => ioq.run(op.splice(pipe, to, 1), { signal: controller.signal }));
  await sleep(5);
  controller.abort();
  assertEquals((await waiting).name, "AbortError");
  for (const fd of [pipe, from, to]) {
    await ioq.run(op.close(fd));
  }
}, ({ library, interruptible }) => library && interruptible);

forEachBackend("syncRange() takes every combination", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const fd = await ioq.run(op.open(dir.file("file", "x".repeat(10_000)), BOTH));
  await ioq.run(op.syncRange(fd));
  await ioq.run(op.syncRange(fd, 4096, 4096, { waitBefore: true, waitAfter: true }));
  await ioq.run(op.syncRange(fd, 2 ** 33, 2 ** 32 - 1, { write: false }));
  await ioq.run(op.close(fd));
  assertEquals(await codeOf(() => ioq.run(op.syncRange(10_000))), "EBADF");
  assertThrows(() => op.syncRange(0, -1), RangeError);
  assertThrows(() => op.syncRange(0, 0, 2 ** 32), RangeError);
}, ({ library }) => library);

forEachBackend("flush() hands over at once", async ({ open }) => {
  await using ioq = await open<number>();
  for (let i = 0; i < 10; i++) {
    ioq.submit(op.nop(), i);
  }
  assertEquals(ioq.completed.core, 0);
  // At once; but where this thread runs them, a turn that takes too long ends after one
  for (let turns = 0; ioq.completed.core < 10 && turns < 10; turns++) {
    ioq.flush();
    assert(ioq.completed.core > turns);
  }
  assertEquals(ioq.completed.core, 10);
  const promise = ioq.stat("/");
  ioq.flush();
  // Nothing left to be handed over
  ioq.flush();
  assert((await promise).isDirectory);
  let count = 0;
  for await (const _ of ioq) {
    count++;
  }
  assertEquals(count, 10);
  await ioq.close();
  assertThrows(() => ioq.flush(), Deno.errors.BadResource);
});

forEachBackend("resize() changes the depth of an idle queue", async ({ open, row }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open<number>({ depth: 2 });
  await ioq.stat("/");
  const fd = await ioq.run(op.open(path));
  const id = row.library ? ioq.id : undefined;
  if (id !== undefined) {
    await ioq.post(ioq, 5);
  }
  for (const depth of [600, 1, 8, 601]) {
    ioq.resize(depth);
    assertEquals([ioq.depth, ioq.size, ioq.capacity], [depth, 0, depth]);
    for (let i = 0; i < depth; i++) {
      ioq.submit(i % 2 ? op.stat(path) : op.readFile(path), i);
    }
    assertThrows(() => ioq.submit(op.nop(), -1), Deno.errors.WouldBlock);
    assertThrows(() => ioq.resize(10), Deno.errors.Busy);
    assertEquals(ioq.depth, depth);
    const seen = new Set<number>();
    for await (const completion of ioq) {
      seen.add(completion.data);
      assertEquals(completion.ok, true);
    }
    assertEquals(seen.size, depth);
  }
  // What the queue had stays
  assertEquals(text(await ioq.run(op.read(fd, 4))), "text");
  await ioq.run(op.close(fd));
  const sleeping = ioq.sleep(20);
  assertThrows(() => ioq.resize(10), Deno.errors.Busy);
  await sleeping;
  if (id !== undefined) {
    assertEquals(ioq.id, id);
    assertEquals(await ioq.receive(), 5);
    const reading = ioq.receive();
    assertThrows(() => ioq.resize(10), Deno.errors.Busy);
    await ioq.post(id, 6);
    assertEquals(await within(5000, reading, "the message"), 6);
  }
  for (const depth of [0, -1, 65537, 1.5]) {
    assertThrows(() => ioq.resize(depth), RangeError);
  }
  await ioq.close();
  assertThrows(() => ioq.resize(10), Deno.errors.BadResource);
});

/** An SQE. */
function sqe(opcode: number, fd = -1): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  bytes[0] = opcode;
  view.setInt32(4, fd, true);
  return bytes;
}

const NOP = 0, FSYNC = 3, SOCKET = 45;

forEachBackend("raw SQEs are for queues that are opened for them", async ({ open, row }) => {
  await using ioq = await open<number>({ unsafeRawSqe: true });
  if (row.options.backend === "uring") {
    assertEquals(ioq.backend.ring?.restricted, false);
    assertEquals(await ioq.run(op.rawSqe(sqe(NOP))), 0);
    const { message } = await looksOf(() => ioq.run(op.rawSqe(sqe(FSYNC, 10_000))));
    assertEquals(message, `Bad file descriptor (os error 9): sqe opcode ${FSYNC}`);
    ioq.submit(op.rawSqe(sqe(NOP)), 1);
    assertEquals(valueOf((await ioq[Symbol.asyncIterator]().next()).value, "rawSqe"), 0);
    if (ioq.backend.ring!.operations.includes("getXattr")) {
      // An opcode that the library has no use for: 5.19, as that one is
      const socket = sqe(SOCKET, 1);
      socket[8] = 1;
      const fd = await ioq.run(op.rawSqe(socket));
      await ioq.run(op.close(fd));
    }
  } else {
    await assertRejects(() => ioq.run(op.rawSqe(sqe(NOP))), Deno.errors.NotSupported);
  }
  await using other = await open();
  assertThrows(() => other.submit(op.rawSqe(sqe(NOP))), TypeError, "unsafeRawSqe");
  await assertRejects(() => other.run(op.rawSqe(sqe(NOP))), TypeError, "unsafeRawSqe");
});

Deno.test("op.rawSqe() takes 64 bytes that ask for a completion", () => {
  for (const length of [0, 63, 65, 128]) {
    assertThrows(() => op.rawSqe(new Uint8Array(length)), RangeError);
  }
  assertThrows(() => op.rawSqe("sqe" as unknown as Uint8Array), TypeError);
  const silent = sqe(NOP);
  silent[1] = 1 << 6;
  assertThrows(() => op.rawSqe(silent), TypeError, "CQE_SKIP");
});

Deno.test("unsafeRawSqe takes all permissions", async () => {
  await assertRejects(() => Ioq.open({ unsafeRawSqe: 1 as unknown as boolean }), TypeError);
  const script = `
    import { Ioq } from ${JSON.stringify(MOD)};
    await Ioq.open({ unsafeRawSqe: true }).catch(({ name, message }) => console.log(name, message));
  `;
  const flags = ["--allow-ffi", "--allow-read", "--allow-write", "--allow-env"];
  const { stdout, stderr } = await runDeno(script, { flags });
  assertEquals(
    stdout,
    "NotCapable Requires all access for unsafeRawSqe, run again with the --allow-all flag\n",
    stderr,
  );
});
