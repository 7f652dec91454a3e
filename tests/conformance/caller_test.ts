// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { EventLoop } from "../../src/loop/mod.ts";
import { type Ioq, type IoqFile, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";

/** What awaits a call: it is what a stack must show. */
async function whoAwaitsIt(call: () => Promise<unknown>): Promise<void> {
  await call();
}

/** The stack of what a call rejects with, as far as it tells of its caller. */
async function stackOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await whoAwaitsIt(call);
  } catch (error) {
    return (error as Error).stack!;
  }
  throw new Error("It did not fail");
}

const NOPE = "/nope/nope";

/** A failing call of each promise form. */
const FORMS: Record<string, (ioq: Ioq) => Promise<unknown>> = {
  run: (ioq) => ioq.run(op.stat(NOPE)),
  stat: (ioq) => ioq.stat(NOPE),
  lstat: (ioq) => ioq.lstat(NOPE),
  readDir: (ioq) => ioq.readDir(NOPE),
  readFile: (ioq) => ioq.readFile(NOPE),
  readTextFile: (ioq) => ioq.readTextFile(NOPE),
  openFile: (ioq) => ioq.openFile(NOPE),
  writeFile: (ioq) => ioq.writeFile(NOPE, new Uint8Array(1)),
  writeTextFile: (ioq) => ioq.writeTextFile(NOPE, "text"),
  copyFile: (ioq) => ioq.copyFile(NOPE, NOPE),
  mkdir: (ioq) => ioq.mkdir(NOPE),
  "mkdir, recursive": (ioq) => ioq.mkdir("/dev/null/a", { recursive: true }),
  remove: (ioq) => ioq.remove(NOPE),
  rename: (ioq) => ioq.rename(NOPE, NOPE),
  link: (ioq) => ioq.link(NOPE, NOPE),
  symlink: (ioq) => ioq.symlink("target", NOPE),
  readLink: (ioq) => ioq.readLink(NOPE),
  realPath: (ioq) => ioq.realPath(NOPE),
  truncate: (ioq) => ioq.truncate(NOPE),
  chmod: (ioq) => ioq.chmod(NOPE, 0o600),
  chown: (ioq) => ioq.chown(NOPE, null, null),
  utime: (ioq) => ioq.utime(NOPE, 0, 0),
  // More frames of ours may be between than a stack has
  "remove, recursive": (ioq) => ioq.remove(NOPE, { recursive: true }),
  removeTree: (ioq) => ioq.removeTree(NOPE),
  emptyDir: (ioq) => ioq.emptyDir("/dev/null/a"),
  ensureDir: (ioq) => ioq.ensureDir("/dev/null/a"),
  move: (ioq) => ioq.move(NOPE, "/nope/other"),
  writeFiles: (ioq) => ioq.writeFiles([{ path: NOPE, data: "text" }]),
  "writeFile, in pieces": (ioq) => ioq.writeFile(NOPE, new Uint8Array(9 << 20)),
  "writeFile, atomic": (ioq) => ioq.writeFile(NOPE, new Uint8Array(9 << 20), { atomic: true }),
  "writeFile of a stream": (ioq) => ioq.writeFile(NOPE, new Blob(["text"]).stream()),
};

/** Those that take the library. */
const NATIVE_FORMS: Record<string, (ioq: Ioq) => Promise<unknown>> = {
  copyTree: (ioq) => ioq.copyTree(NOPE, "/nope/other"),
  post: (ioq) => ioq.post(0xffff_ffff, 0),
  getXattr: (ioq) => ioq.getXattr(NOPE, "user.a"),
  setXattr: (ioq) => ioq.setXattr(NOPE, "user.a", new Uint8Array(1)),
  listXattr: (ioq) => ioq.listXattr(NOPE),
  removeXattr: (ioq) => ioq.removeXattr(NOPE, "user.a"),
  "nop, in time": (ioq) => ioq.run(op.timeout(3_600_000_000_000n), { timeoutMs: 1 }),
};

/** Of a file that is open for writing only, or for reading only. */
const FILE_FORMS: Record<string, (reader: IoqFile, writer: IoqFile) => Promise<unknown>> = {
  read: (_, writer) => writer.read(new Uint8Array(1)),
  readAt: (_, writer) => writer.readAt(new Uint8Array(1), 0),
  readv: (_, writer) => writer.readv([new Uint8Array(1)]),
  write: (reader) => reader.write(new Uint8Array(1)),
  writeAt: (reader) => reader.writeAt(new Uint8Array(1), 0),
  "writeAt, in pieces": (reader) => reader.writeAt(new Uint8Array(5 << 20), 0),
  truncate: (reader) => reader.truncate(0),
};

forEachBackend("a rejection shows who awaits the call", async ({ open, row }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  const all = { ...FORMS, ...(row.nativeThreads ? NATIVE_FORMS : {}) };
  for (const [name, form] of Object.entries(all)) {
    const stack = await stackOf(() => form(ioq));
    assert(stack.includes("whoAwaitsIt"), `${name}: ${stack}`);
  }
  await using reader = await ioq.openFile(path);
  await using writer = await ioq.openFile(path, { read: false, write: true });
  for (const [name, form] of Object.entries(FILE_FORMS)) {
    const stack = await stackOf(() => form(reader, writer));
    assert(stack.includes("whoAwaitsIt"), `${name} of a file: ${stack}`);
  }
});

forEachBackend("a rejection within Promise.all() shows who awaits that", async ({ open }) => {
  await using ioq = await open();
  const stack = await stackOf(() => Promise.all([ioq.stat("/"), ioq.stat(NOPE)]));
  assert(stack.includes("whoAwaitsIt"), stack);
});

Deno.test("a rejection in a task shows who awaits the call", async () => {
  await using loop = await EventLoop.open();
  const stack = await loop.async((io) => stackOf(() => io.stat(NOPE)));
  assert(stack.includes("whoAwaitsIt"), stack);
});

forEachBackend("a rejection says what it said before", async ({ open }) => {
  await using ioq = await open();
  const stack = await stackOf(() => ioq.stat(NOPE));
  const [said] = stack.split("\n    at ");
  assertEquals(said, `NotFound: No such file or directory (os error 2): stat '${NOPE}'`);
  assert(!stack.includes("failing"), stack);
});
