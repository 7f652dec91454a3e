// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Ioq, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, looksOf, TempDir, text } from "../fixtures.ts";

/** Open a file for a test, and close it whatever happens. */
async function withFd<V>(
  ioq: Ioq,
  path: string,
  options: Deno.OpenOptions,
  use: (fd: number) => Promise<V>,
): Promise<V> {
  const fd = await ioq.run(op.open(path, options));
  try {
    return await use(fd);
  } finally {
    await ioq.run(op.close(fd));
  }
}

const BOTH = { read: true, write: true };

/** A mode's permission bits. */
function modeOf(path: string): number {
  return Deno.statSync(path).mode! & 0o7777;
}

forEachBackend("seek() moves the position, also backwards and beyond 32 bits", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "0123456789");
  await using ioq = await open();
  using denos = Deno.openSync(path);
  await withFd(ioq, path, BOTH, async (fd) => {
    const { Start, Current, End } = Deno.SeekMode;
    for (
      const [offset, whence] of [
        [4, Start],
        [-2, Current],
        [-3, End],
        [0, Current],
        [2 ** 33 + 7, Start],
        [-(2 ** 32) - 1, Current],
        [2 ** 40, End],
        [0, Start],
      ] as const
    ) {
      const expected = await denos.seek(offset, whence);
      assertEquals(await ioq.run(op.seek(fd, offset, whence)), expected, `${offset} ${whence}`);
    }
    const looks = await looksOf(() => ioq.run(op.seek(fd, -1, Start)));
    assertEquals([looks.class, looks.code], ["TypeError", "EINVAL"]);
    assertEquals(await ioq.run(op.seek(fd, 0, Current)), 0, "stays where it was");
  });
}, ({ library }) => library);

forEachBackend("truncate() by path and by descriptor", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "0123456789");
  await using ioq = await open();
  await ioq.truncate(path, 4);
  assertEquals(Deno.readTextFileSync(path), "0123");
  await ioq.truncate(path, 2 ** 33 + 1);
  assertEquals(Deno.statSync(path).size, 2 ** 33 + 1);
  await ioq.truncate(path);
  assertEquals(Deno.statSync(path).size, 0);
  await withFd(ioq, path, BOTH, async (fd) => {
    await ioq.run(op.truncate(fd, 5));
    assertEquals(Deno.readTextFileSync(path), "\0\0\0\0\0");
    await ioq.run(op.truncate(fd));
    assertEquals(Deno.statSync(path).size, 0);
  });
});

forEachBackend("sync(), allocate() and advise()", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  await withFd(ioq, path, BOTH, async (fd) => {
    assertEquals(await ioq.run(op.sync(fd)), undefined);
    assertEquals(await ioq.run(op.syncData(fd)), undefined);
    await ioq.run(op.allocate(fd, 0, 100_000, { keepSize: true }));
    const { size, blocks } = Deno.statSync(path);
    assertEquals(size, 4);
    assert(blocks! * 512 >= 100_000);
    await ioq.run(op.allocate(fd, 10, 90));
    assertEquals(Deno.statSync(path).size, 100);
    for (
      const advice of [
        "normal",
        "random",
        "sequential",
        "willNeed",
        "dontNeed",
        "noReuse",
      ] as const
    ) {
      assertEquals(await ioq.run(op.advise(fd, advice)), undefined);
      assertEquals(await ioq.run(op.advise(fd, advice, 2 ** 33, 2 ** 32 - 1)), undefined);
    }
  });
}, ({ library }) => library);

forEachBackend("names come, change and go", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const [a, b] = [dir.file("a", "A"), dir.at("b")];
  await ioq.rename(a, b);
  assertEquals(Deno.readTextFileSync(b), "A");
  dir.file("a", "B");
  await assertRejects(() => ioq.rename(a, b, { noReplace: true }), Deno.errors.AlreadyExists);
  await ioq.rename(a, b, { exchange: true });
  assertEquals([Deno.readTextFileSync(a), Deno.readTextFileSync(b)], ["A", "B"]);
  await ioq.rename(a, b);
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["b"]);

  await ioq.link(b, dir.at("hard"));
  assertEquals(Deno.statSync(b).nlink, 2);
  await ioq.symlink("b", dir.at("soft"));
  assertEquals(await ioq.readLink(dir.at("soft")), "b");
  assertEquals(await ioq.realPath(dir.at("./soft")), b);
  await ioq.link(dir.at("soft"), dir.at("soft2"));
  assert(Deno.lstatSync(dir.at("soft2")).isSymlink, "a link of a link");

  await ioq.run(op.unlink(dir.at("hard")));
  await ioq.remove(dir.at("soft2"));
  Deno.mkdirSync(dir.at("dir/full"), { recursive: true });
  Deno.symlinkSync("dir", dir.at("to dir"));
  for (const path of ["dir", "to dir/", "none", "b/x", "b/"].map((name) => dir.at(name))) {
    assertEquals(
      await looksOf(() => ioq.remove(path)),
      await looksOf(() => Deno.remove(path)),
      path,
    );
  }
  await ioq.remove(dir.at("to dir"));
  await ioq.run(op.rmdir(dir.at("dir/full")));
  await ioq.remove(dir.at("dir"));
  await ioq.remove(b);
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["soft"]);
}, ({ library }) => library);

forEachBackend("mkdir() does what Deno's does", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const umask = Deno.umask(0o027);
  try {
    await ioq.mkdir(dir.at("plain"));
    await ioq.mkdir(dir.at("mode"), { mode: 0o705 });
    assertEquals([modeOf(dir.at("plain")), modeOf(dir.at("mode"))], [0o750, 0o700]);
    for (const which of ["ours", "denos"]) {
      const path = dir.at(`${which}/x/../y//z/`);
      const options = { recursive: true, mode: 0o711 };
      await (which === "ours" ? ioq.mkdir(path, options) : Deno.mkdir(path, options));
      for (const part of ["", "/x", "/y", "/y/z"]) {
        assertEquals(modeOf(dir.at(which + part)), 0o710, part);
      }
    }
  } finally {
    Deno.umask(umask);
  }
  dir.file("file");
  Deno.symlinkSync("nowhere", dir.at("dangling"));
  Deno.symlinkSync("plain", dir.at("link"));
  await ioq.mkdir(dir.at("plain"), { recursive: true });
  await ioq.mkdir(dir.at("link"), { recursive: true });
  await ioq.mkdir("", { recursive: true });
  for (
    const path of [
      dir.at("file"),
      dir.at("file/x/y"),
      dir.at("dangling"),
      dir.at("dangling/x/y"),
      "/proc/ioq/x",
    ]
  ) {
    assertEquals(
      await looksOf(() => ioq.mkdir(path, { recursive: true })),
      await looksOf(() => Deno.mkdir(path, { recursive: true })),
      path,
    );
  }
  // Bytes that no text stands for
  const raw = new Uint8Array([...bytes(dir.path), 0x2f, 0xff, 0x2f, 0xfe]);
  await ioq.mkdir(raw, { recursive: true });
  assert((await ioq.stat(raw)).isDirectory);
  await ioq.remove(raw);
  await ioq.remove(raw.subarray(0, -2));
}, ({ library }) => library);

forEachBackend("chmod() and chown()", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  await ioq.chmod(path, 0o4751);
  assertEquals(modeOf(path), 0o4751);
  await withFd(ioq, path, BOTH, async (fd) => {
    await ioq.run(op.chmod(fd, 0o600));
    assertEquals(modeOf(path), 0o600);
    await ioq.run(op.chown(fd, null, null));
  });
  const before = Deno.statSync(path);
  await ioq.chown(path, null, null);
  await ioq.chown(path, before.uid, null);
  await ioq.run(op.chown(path, null, before.gid, { followSymlinks: false }));
  const after = Deno.statSync(path);
  assertEquals([after.uid, after.gid], [before.uid, before.gid]);
});

forEachBackend("utime() before 1970, after 2038, with fractions", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  const ours = async () => {
    const { atimeNs, mtimeNs } = await ioq.stat(path, { bigint: true });
    return [atimeNs, mtimeNs];
  };
  for (
    const [atime, mtime] of [
      [0, 1],
      [-1, -1.5],
      [-0.001, 2 ** 33 + 0.25],
      [1.5, -(2 ** 31)],
      [new Date(-1500), new Date(2 ** 42 + 1)],
    ] as const
  ) {
    await ioq.utime(path, atime, mtime);
    const times = await ours();
    await Deno.utime(path, 7, 7);
    await Deno.utime(path, atime, mtime);
    assertEquals(times, await ours(), `${atime} ${mtime}`);
  }
  await ioq.utime(path, -1e-20, -1e-20);
  assertEquals(await ours(), [-1n, -1n]);
  await withFd(ioq, path, BOTH, (fd) => ioq.run(op.utime(fd, 3, 4)));
  assertEquals(await ours(), [3_000_000_000n, 4_000_000_000n]);
  for (const wrong of [NaN, Infinity, new Date(NaN), "1", {}, undefined]) {
    assertThrows(() => op.utime(path, wrong as number, 0), TypeError);
    assertThrows(() => op.utime(path, 0, wrong as number), TypeError);
  }
  assertThrows(() => op.utime(path, 1e300, 0), RangeError);
}, ({ library }) => library);

forEachBackend("access() tells what may be done", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  Deno.chmodSync(path, 0o600);
  await using ioq = await open();
  assertEquals(await ioq.run(op.access(path)), undefined);
  assertEquals(await ioq.run(op.access(path, { read: true, write: true })), undefined);
  await assertRejects(
    () => ioq.run(op.access(path, { execute: true })),
    Deno.errors.PermissionDenied,
  );
  await assertRejects(() => ioq.run(op.access(dir.at("none"))), Deno.errors.NotFound);
});

forEachBackend("lock() keeps another descriptor out", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  await withFd(ioq, path, BOTH, (a) =>
    withFd(ioq, path, BOTH, async (b) => {
      await ioq.run(op.lock(a, "shared"));
      await ioq.run(op.lock(b, "shared"));
      await assertRejects(() => ioq.run(op.lock(a, "exclusive")), Deno.errors.WouldBlock);
      await ioq.run(op.lock(b, "unlock"));
      await ioq.run(op.lock(a, "exclusive"));
      await assertRejects(() => ioq.run(op.lock(b, "shared")), Deno.errors.WouldBlock);
      await ioq.run(op.lock(a, "unlock"));
      await ioq.run(op.lock(b, "exclusive", { wait: true }));
    }));
}, ({ library }) => library);

forEachBackend("copyRange() at offsets and at positions", async ({ open }) => {
  using dir = new TempDir();
  const [from, to] = [dir.file("from", "0123456789"), dir.file("to", "abcdefghij")];
  await using ioq = await open();
  await withFd(ioq, from, BOTH, (a) =>
    withFd(ioq, to, BOTH, async (b) => {
      assertEquals(await ioq.run(op.copyRange(a, b, 3, { from: 2, to: 5 })), 3);
      assertEquals(Deno.readTextFileSync(to), "abcde234ij");
      assertEquals(await ioq.run(op.copyRange(a, b, 4)), 4);
      assertEquals(await ioq.run(op.copyRange(a, b, 100)), 6);
      assertEquals(await ioq.run(op.copyRange(a, b, 100)), 0);
      assertEquals(Deno.readTextFileSync(to), "0123456789");
      await ioq.run(op.copyRange(a, b, 1, { from: 9, to: 2 ** 32 + 1 }));
      assertEquals(text(await ioq.run(op.read(b, 9, 2 ** 32 + 1))), "9");
    }));
});

forEachBackend("paths may be relative to a descriptor", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const at = await ioq.run(op.openDir(dir.path));
  await ioq.mkdir("sub/deep", { at, recursive: true });
  const toAt = await ioq.run(op.openDir("sub", { at }));
  await ioq.writeFile("file", bytes("text"), { at });
  assertEquals(text(await ioq.readFile("file", { at })), "text");
  await ioq.run(op.access("file", { at, read: true }));
  await ioq.rename("file", "moved", { at, toAt });
  assertEquals(Deno.readTextFileSync(dir.at("sub/moved")), "text");
  await ioq.symlink("moved", "link", { at: toAt });
  assertEquals(await ioq.readLink("link", { at: toAt }), "moved");
  await ioq.remove("link", { at: toAt });
  await ioq.run(op.unlink("moved", { at: toAt }));
  await ioq.remove("deep", { at: toAt });
  await ioq.run(op.rmdir("sub", { at }));
  assertEquals([...Deno.readDirSync(dir.path)], []);
  await ioq.run(op.closeDir(toAt));
  await ioq.run(op.closeDir(at));
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("each operation that takes `at` begins there", async ({ open, row }) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("in/sub"), { recursive: true });
  dir.file("in/file", "inside");
  dir.file("in/sub/entry");
  Deno.symlinkSync("file", dir.at("in/link"));
  // Not found from anywhere else
  assert(![...Deno.readDirSync(".")].some(({ name }) => ["file", "link", "sub"].includes(name)));
  await using ioq = await open();
  const at = await ioq.run(op.openDir(dir.at("in")));
  const closing = async (fd: Promise<number>) => {
    await ioq.run(op.close(await fd));
    return true;
  };
  const forms: Record<string, () => Promise<unknown>> = {
    stat: async () => (await ioq.run(op.stat("link", { at }))).size === 6,
    lstat: async () => (await ioq.run(op.lstat("link", { at }))).isSymlink,
    "stat as a promise": async () => (await ioq.stat("file", { at })).isFile,
    "lstat as a promise": async () => (await ioq.lstat("link", { at })).isSymlink,
    open: () => closing(ioq.run(op.open("file", { at, read: true }))),
    "open, made": () => closing(ioq.run(op.open("made", { at, write: true, createNew: true }))),
    openFile: async () => {
      await using file = await ioq.openFile("file", { at });
      return await file.read(new Uint8Array(10)) === 6;
    },
    openDir: async () => {
      await ioq.run(op.closeDir(await ioq.run(op.openDir("sub", { at }))));
      return true;
    },
    readDir: async () => (await ioq.run(op.readDir("sub", { at })))[0]?.name === "entry",
    readFile: async () => (await ioq.run(op.readFile("file", { at }))).length === 6,
    readLink: async () => await ioq.run(op.readLink("link", { at })) === "file",
    access: async () => await ioq.run(op.access("file", { read: true, at })) === undefined,
  };
  if (row.library) {
    // Extended attributes have a test of their own, since not all file systems have them
    Object.assign(forms, {
      "stat, exact": async () => (await ioq.stat("file", { at, bigint: true })).size === 6n,
      "lstat, exact": async () => (await ioq.lstat("link", { at, bigint: true })).isSymlink,
    });
  }
  for (const [form, run] of Object.entries(forms)) {
    assertEquals(await run(), true, form);
  }
  assertEquals(Deno.statSync(dir.at("in/made")).size, 0);
  await ioq.run(op.closeDir(at));
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("errors are Deno's", async ({ open }) => {
  using dir = new TempDir();
  const file = dir.file("file");
  const none = dir.at("none");
  const data = bytes("x");
  await using ioq = await open();
  const calls: [() => unknown, () => unknown][] = [
    [() => ioq.truncate(none, 1), () => Deno.truncate(none, 1)],
    [() => ioq.truncate(dir.path, 1), () => Deno.truncate(dir.path, 1)],
    [() => ioq.rename(none, file), () => Deno.rename(none, file)],
    [() => ioq.rename(file, dir.path), () => Deno.rename(file, dir.path)],
    [() => ioq.mkdir(file), () => Deno.mkdir(file)],
    [() => ioq.symlink("x", file), () => Deno.symlink("x", file)],
    [() => ioq.link(none, file), () => Deno.link(none, file)],
    [() => ioq.link(dir.path, none), () => Deno.link(dir.path, none)],
    [() => ioq.readLink(file), () => Deno.readLink(file)],
    [() => ioq.realPath(none), () => Deno.realPath(none)],
    [() => ioq.chmod(none, 0), () => Deno.chmod(none, 0)],
    [() => ioq.chown(none, 1, 1), () => Deno.chown(none, 1, 1)],
    [() => ioq.utime(none, 1, 1), () => Deno.utime(none, 1, 1)],
    [() => ioq.readFile(dir.path), () => Deno.readFile(dir.path)],
    [() => ioq.readTextFile(none), () => Deno.readTextFile(none)],
    [() => ioq.writeFile(dir.path, data), () => Deno.writeFile(dir.path, data)],
    [
      () => ioq.writeFile(none, data, { create: false }),
      () => Deno.writeFile(none, data, { create: false }),
    ],
    [
      () => ioq.writeFile(file, data, { createNew: true }),
      () => Deno.writeFile(file, data, { createNew: true }),
    ],
    [() => ioq.copyFile(none, file), () => Deno.copyFile(none, file)],
    [() => ioq.copyFile(dir.path, none), () => Deno.copyFile(dir.path, none)],
    [() => ioq.copyFile(file, dir.path), () => Deno.copyFile(file, dir.path)],
    [() => ioq.copyFile(file, file), () => Deno.copyFile(file, file)],
  ];
  for (const [ours, denos] of calls) {
    assertEquals(await looksOf(ours), await looksOf(denos), `${ours}`);
  }
});

forEachBackend("wrong arguments throw before anything is queued", async ({ open }) => {
  await using ioq = await open();
  // deno-lint-ignore no-explicit-any
  const o = op as any;
  for (
    const wrong of [
      () => o.seek("1", 0, 0),
      () => o.seek(1, 0n, 0),
      () => o.unlink(1),
      () => o.rename("a", 1),
      () => o.rename("a", "b\0c"),
      () => o.symlink("a\0", "b"),
      () => o.writeFile("a", "text"),
      () => o.write(1, "text"),
      () => o.readInto(1, []),
      () => o.lock(1, "toString"),
      () => o.advise(1, "fast"),
      () => o.chmod("a"),
      () => o.chown("a", "root", null),
      () => o.truncate({}, 1),
    ]
  ) {
    assertThrows(wrong, TypeError, undefined, `${wrong}`);
  }
  for (
    const wrong of [
      () => o.seek(1, 0.5, 0),
      () => o.seek(1, 0, 3),
      () => o.seek(1, 2 ** 53, 0),
      () => o.sync(-1),
      () => o.truncate(1, -1),
      () => o.truncate("a", 1.5),
      () => o.allocate(1, 0, 0),
      () => o.advise(1, "normal", 0, 2 ** 32),
      () => o.chmod("a", 0o200000),
      () => o.chown("a", -1, null),
      () => o.chown("a", 2 ** 32 - 1, null),
      () => o.mkdir("a", { mode: -1 }),
      () => o.mkdir("a", { at: -1 }),
      () => o.copyRange(1, 2, 2 ** 31),
      () => o.copyRange(1, 2, 1, { from: -1, to: 0 }),
      () => o.copyRange(1, 2, 1, { from: 0, to: -1 }),
    ]
  ) {
    assertThrows(wrong, RangeError, undefined, `${wrong}`);
  }
  assertThrows(() => o.truncate("a", -1), RangeError);
  await assertRejects(() => ioq.mkdir(1 as never), TypeError);
  assertEquals(ioq.size, 0);
});

forEachBackend("every change of a file may begin at a directory", async ({ open }) => {
  await using ioq = await open();
  using dir = new TempDir();
  for (const name of ["from", "to"]) {
    Deno.mkdirSync(dir.at(name));
  }
  await using from = await ioq.openFile(dir.at("from"), { directory: true });
  await using to = await ioq.openFile(dir.at("to"), { directory: true });
  const [at, toAt] = [from.fd, to.fd];
  await ioq.writeTextFile("file", "text", { at });
  await ioq.chmod("file", 0o640, { at });
  await ioq.chown("file", 0, 0, { at });
  await ioq.truncate("file", 2, { at });
  await ioq.utime("file", 1, 2, { at });
  assertEquals(Deno.statSync(dir.at("from/file")).mtime!.getTime(), 2000);
  const info = Deno.statSync(dir.at("from/file"));
  assertEquals([info.mode! & 0o777, info.size], [0o640, 2]);
  await ioq.link("file", "linked", { at, toAt });
  await ioq.copyFile("file", "copy", { at, toAt });
  assertEquals(Deno.statSync(dir.at("to/linked")).ino, info.ino);
  assertEquals(Deno.readTextFileSync(dir.at("to/copy")), "te");
  await ioq.symlink("file", "symlink", { at });
  const real = Deno.realPathSync(dir.at("from/file"));
  assertEquals(await ioq.realPath("./symlink", { at }), real);
  // Of an absolute path that counts for nothing
  assertEquals(await ioq.realPath(dir.at("from/symlink"), { at: toAt }), real);
  await assertRejects(() => ioq.realPath("none", { at }), Deno.errors.NotFound);
  await assertRejects(() => ioq.chmod("none", 0o600, { at }), Deno.errors.NotFound);
  await assertRejects(() => ioq.link("file", "x", { toAt: -1 }), RangeError, "toAt");
});
