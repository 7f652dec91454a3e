// Copyright 2026 the ioq authors. MIT license.

/**
 * A request is a value: made by `op` and nothing else, the same for as long as it lives,
 * and made of nothing that an object inherits.
 */

import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { type IoqRequest, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, TempDir, text } from "../fixtures.ts";

// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

/** Every builder with arguments that are right. */
const REQUESTS: { readonly [K in keyof typeof op]: () => IoqRequest } = {
  nop: () => op.nop(),
  kernelNop: () => op.kernelNop(),
  open: () => op.open("/x"),
  close: () => op.close(3),
  stat: () => op.stat("/x"),
  lstat: () => op.lstat("/x"),
  fstat: () => op.fstat(3),
  openDir: () => op.openDir("/x"),
  readDirBlock: () => op.readDirBlock(3),
  closeDir: () => op.closeDir(3),
  readDir: () => op.readDir("/x"),
  read: () => op.read(3, 8),
  write: () => op.write(3, new Uint8Array(8)),
  readInto: () => op.readInto(3, new Uint8Array(8)),
  seek: () => op.seek(3, 0, 0),
  sync: () => op.sync(3),
  syncData: () => op.syncData(3),
  truncate: () => op.truncate("/x"),
  allocate: () => op.allocate(3, 0, 1),
  advise: () => op.advise(3, "normal"),
  unlink: () => op.unlink("/x"),
  rmdir: () => op.rmdir("/x"),
  rename: () => op.rename("/x", "/y"),
  mkdir: () => op.mkdir("/x"),
  symlink: () => op.symlink("/x", "/y"),
  link: () => op.link("/x", "/y"),
  readLink: () => op.readLink("/x"),
  realPath: () => op.realPath("/x"),
  chmod: () => op.chmod("/x", 0),
  chown: () => op.chown("/x", 0, 0),
  utime: () => op.utime("/x", 0, 0),
  access: () => op.access("/x"),
  lock: () => op.lock(3, "shared"),
  copyRange: () => op.copyRange(3, 4, 1),
  readFile: () => op.readFile("/x"),
  writeFile: () => op.writeFile("/x", new Uint8Array(8)),
  copyFile: () => op.copyFile("/x", "/y"),
  readv: () => op.readv(3, []),
  writev: () => op.writev(3, []),
  sleep: () => op.sleep(1),
  timeout: () => op.timeout(1),
  poll: () => op.poll(3),
  post: () => op.post(1, 1),
  receive: () => op.receive(),
  syncRange: () => op.syncRange(3),
  splice: () => op.splice(3, 4, 1),
  getXattr: () => op.getXattr("/x", "user.a"),
  setXattr: () => op.setXattr("/x", "user.a", new Uint8Array(1)),
  listXattr: () => op.listXattr("/x"),
  removeXattr: () => op.removeXattr("/x", "user.a"),
  rawSqe: () => op.rawSqe(new Uint8Array(64)),
};

Deno.test("a request shows its operation and nothing that could be changed", () => {
  assertEquals(Object.keys(REQUESTS).sort(), Object.keys(op).sort());
  for (const [name, make] of Object.entries(REQUESTS)) {
    const request = make();
    assertEquals(Reflect.ownKeys(request), [], name);
    // Nothing of the library's is above it, either
    assertEquals(Object.getPrototypeOf(request), Object.getPrototypeOf(op.nop()), name);
    assertThrows(() => any(request).op = "close", TypeError);
  }
  assertEquals(op.nop().op, "nop");
  assertEquals(Object.isFrozen(Object.getPrototypeOf(op.nop())), true);
  assertEquals(Deno.inspect(op.stat("/x")), "IoqRequest { stat '/x' }");
});

forEachBackend("nobody but op makes requests", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  const genuine = op.stat(path);
  const Made = any(genuine).constructor;
  const forged: unknown[] = [
    { op: "nop" },
    { ...genuine, op: "stat" },
    Object.create(genuine),
    Object.create(Object.getPrototypeOf(genuine)),
    new Proxy(genuine, {}),
    structuredClone({ op: "nop" }),
  ];
  for (const request of forged) {
    assertThrows(() => ioq.submit(any(request)), TypeError, "Expected a request");
    await assertRejects(() => ioq.run(any(request)), TypeError, "Expected a request");
  }
  for (const argument of [undefined, {}, Symbol("ioq.itself"), { name: "nop" }]) {
    assertThrows(() => new Made(argument), TypeError);
    assertThrows(
      () =>
        new (class extends Made {
          constructor() {
            super(argument);
          }
        })(),
      TypeError,
    );
  }
  // The same request once more is fine, and no other
  const again = Object.assign(new Made(genuine), { trusted: true, path: "/etc/passwd", code: 5 });
  assertEquals((any(await ioq.run(again))).size, 4);
  assertEquals(ioq.size, 0);
});

forEachBackend("what is assigned to a waiting request changes nothing", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  const request = op.readFile(path);
  const read = ioq.run(request);
  Object.assign(request, { path: "/etc/hostname", trusted: true, length: 1, access: 0 });
  assertEquals(text(await read), "text");
  // Any number of times, also at once
  const all = await Promise.all(Array.from({ length: 50 }, () => ioq.run(request)));
  assertEquals(new Set(all.map(text)), new Set(["text"]));
});

/**
 * Have every object inherit something meanwhile. A `mode` that nobody can assign to would
 * break the runtime's own `fstatSync`, whose `Stats` assigns it.
 */
async function polluted(what: Record<string, unknown>, run: () => Promise<void>): Promise<void> {
  const names = Object.keys(what);
  try {
    for (const name of names) {
      Object.defineProperty(Object.prototype, name, {
        value: what[name],
        configurable: true,
        writable: name === "mode",
      });
    }
    await run();
  } finally {
    for (const name of names) {
      Reflect.deleteProperty(Object.prototype, name);
    }
  }
}

forEachBackend("nothing that options inherit is read", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  const made = dir.at("made");
  await using ioq = await open();
  const inherited = {
    at: 12345,
    toAt: 12345,
    bigint: true,
    trusted: true,
    access: 0,
    decode: () => "inherited",
    append: true,
    createNew: true,
    truncate: true,
    direct: true,
    noFollow: true,
    directory: true,
    mode: 0,
    noReplace: true,
    exchange: true,
    followSymlinks: false,
    path2: "/nonexistent",
    offset: 2,
    length: 1,
    recursive: true,
    signal: AbortSignal.abort("inherited"),
    timeoutMs: 0.001,
    create: false,
    fd2: 5,
    arg0: 7,
  };
  await polluted(inherited, async () => {
    const info = await ioq.run(op.stat(path, {}));
    assertEquals(info.size, 4);
    await ioq.run(op.writeFile(path, bytes("other"), {}));
    await ioq.run(op.writeFile(made, bytes("made"), {}));
    await ioq.run(op.rename(made, path, {}));
    const fd = await ioq.run(op.open(path, { read: true }));
    assertEquals(text(await ioq.run(op.read(fd, 10, 0))), "made");
    await ioq.run(op.close(fd));
    await ioq.writeFile(path, new Uint8Array(5 << 20), {});
    assertEquals((await ioq.readFile(path, {})).length, 5 << 20);
    await ioq.writeFile(path, new Blob(["made"]).stream(), {});
    await (await ioq.openFile(path, { read: true })).close();
    const full = dir.at("full");
    await ioq.mkdir(full, {});
    await assertRejects(() => ioq.mkdir(full, {}), Deno.errors.AlreadyExists);
    await ioq.writeFile(`${full}/file`, bytes("kept"), {});
    await assertRejects(() => ioq.remove(full, {}), Error, "not empty");
    await ioq.nop({});
  });
  assertEquals(Deno.readTextFileSync(path), "made");
  assertEquals(Deno.readTextFileSync(dir.at("full/file")), "kept");
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o666 & ~Deno.umask());
});

Deno.test("each option is read once", () => {
  const counts = new Map<string, number>();
  const options = new Proxy({ read: true, mode: 0o600, at: 3, bigint: true, clock: "realtime" }, {
    get(target, name) {
      counts.set(String(name), (counts.get(String(name)) ?? 0) + 1);
      return any(target)[name];
    },
  });
  for (
    const make of [
      () => op.open("x", any(options)),
      () => op.stat("x", any(options)),
      () => op.mkdir("x", any(options)),
      () => op.writeFile("x", new Uint8Array(), any(options)),
      () => op.timeout(1, any(options)),
    ]
  ) {
    counts.clear();
    assertInstanceOf(make(), Object.getPrototypeOf(op.nop()).constructor);
    assertEquals([...counts].filter(([, count]) => count > 1), [], String(make));
  }
});
