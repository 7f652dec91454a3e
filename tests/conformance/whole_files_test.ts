// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, errorOf, TempDir, text } from "../fixtures.ts";

forEachBackend("readFile() gives all that is in a file", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const before = descriptorsUnder("/");
  for (const length of [0, 1, 16_384, 65_536, 524_288, 524_289, 3_000_001]) {
    const data = Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8));
    const path = dir.at(`${length}`);
    Deno.writeFileSync(path, data);
    const read = await ioq.readFile(path);
    assertEquals(read.length, length);
    assert(read.every((byte, i) => byte === data[i]));
  }
  // Of no size, as stat says, and of more than fits the first read
  assert((await ioq.readTextFile("/proc/self/status")).startsWith("Name:"));
  assertEquals(text(await ioq.readFile("/proc/cpuinfo")).split("processor").length > 1, true);
  const kallsyms = await ioq.readFile("/proc/kallsyms");
  assertEquals(kallsyms.length, Deno.readFileSync("/proc/kallsyms").length);
  assertEquals(await ioq.readTextFile(dir.file("bom", "\ufefftext")), "\ufefftext");
  assertEquals(descriptorsUnder("/"), before);
});

forEachBackend("writeFile() takes Deno's options", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const umask = Deno.umask(0o022);
  try {
    const variants: Deno.WriteFileOptions[] = [
      {},
      { append: true },
      { create: false },
      { createNew: true },
      { createNew: true, create: false },
      { mode: 0o666 },
      { append: true, mode: 0o611 },
    ];
    for (const options of variants) {
      for (const exists of [true, false]) {
        const outcome = async (name: string, write: (path: string) => Promise<unknown>) => {
          const path = dir.at(name);
          if (exists) {
            dir.file(name, "longer than this");
          }
          try {
            await write(path);
            const left = Deno.readTextFileSync(path);
            const mode = Deno.statSync(path).mode! & 0o7777;
            return { left, mode };
          } catch (error) {
            return (error as Error).message.replaceAll(name, "");
          } finally {
            await Deno.remove(path).catch(() => {});
          }
        };
        assertEquals(
          await outcome("ours", (path) => ioq.writeFile(path, bytes("text"), options)),
          await outcome("denos", (path) => Deno.writeFile(path, bytes("text"), options)),
          JSON.stringify({ ...options, exists }),
        );
      }
    }
  } finally {
    Deno.umask(umask);
  }
  const path = dir.at("large");
  const large = Uint8Array.from({ length: 20_000_003 }, (_, i) => i >> 4);
  await ioq.writeFile(path, large);
  assert(Deno.readFileSync(path).every((byte, i) => byte === large[i]));
  await ioq.writeFile(path, new Uint8Array());
  assertEquals(Deno.statSync(path).size, 0);
  await ioq.writeTextFile(path, "\ufeffäöü");
  assertEquals(Deno.readTextFileSync(path), "\ufeffäöü");
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("copyFile() copies contents and permission bits", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const from = dir.at("from");
  Deno.writeFileSync(from, Uint8Array.from({ length: 9_000_001 }, (_, i) => i >> 4));
  Deno.chmodSync(from, 0o751);
  const to = dir.file("to", "what is there is replaced");
  await ioq.copyFile(from, to);
  assertEquals(Deno.readFileSync(to).length, 9_000_001);
  assert(Deno.readFileSync(to).every((byte, i) => byte === (i >> 4 & 0xff)));
  assertEquals(Deno.statSync(to).mode! & 0o7777, 0o751);
  await ioq.copyFile("/proc/self/status", to);
  assert(Deno.readTextFileSync(to).startsWith("Name:"));
  await ioq.copyFile(dir.file("empty"), to);
  assertEquals(Deno.statSync(to).size, 0);
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("copyFile() onto itself harms nothing, by whatever name", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file", "precious");
  Deno.linkSync(path, dir.at("hard"));
  Deno.symlinkSync("file", dir.at("soft"));
  for (const to of [path, dir.at("hard"), dir.at("soft")]) {
    await assertRejects(() => ioq.copyFile(path, to), TypeError, "refer to the same file");
    assertEquals(Deno.readTextFileSync(path), "precious");
  }
});

forEachBackend("copyFile() to a device leaves its mode alone", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file", "text");
  const { mode } = Deno.statSync("/dev/null");
  Deno.chmodSync(path, 0o1666);
  try {
    await ioq.copyFile(path, "/dev/null");
    assertEquals(Deno.statSync("/dev/null").mode, mode);
  } finally {
    if (Deno.statSync("/dev/null").mode !== mode) {
      Deno.chmodSync("/dev/null", mode! & 0o7777);
    }
  }
});

forEachBackend("modes may be those of stat(), type and all", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const like = dir.file("like");
  Deno.chmodSync(like, 0o640);
  const mode = (await ioq.stat(like)).mode!;
  assert(mode > 0o7777);
  const modeOf = (path: string) => Deno.statSync(path).mode! & 0o7777;
  const chmodded = dir.file("chmodded");
  await ioq.chmod(chmodded, mode);
  await ioq.writeFile(dir.at("written"), bytes("text"), { mode });
  {
    await using _ = await ioq.openFile(dir.at("opened"), { write: true, create: true, mode });
  }
  for (const name of ["chmodded", "written", "opened"]) {
    assertEquals(modeOf(dir.at(name)), 0o640, name);
  }
  Deno.chmodSync(dir.path, 0o750);
  await ioq.mkdir(dir.at("made"), { mode: (await ioq.stat(dir.path)).mode! });
  assertEquals(modeOf(dir.at("made")), 0o750);
});

forEachBackend("streams of files take bytes of any kind, and nothing else", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.at("file");
  const words = Uint16Array.from([0x6261, 0x6463, 0x6665]);
  const chunks: unknown[] = [
    bytes("0"),
    words.subarray(1, 2),
    new DataView(words.buffer, 1, 2),
    words.buffer,
  ];
  const stream = (chunks: unknown[]) => ReadableStream.from(chunks) as ReadableStream<Uint8Array>;
  await ioq.writeFile(path, stream(chunks));
  assertEquals(Deno.readTextFileSync(path), "0cdbcabcdef");
  for (const wrong of ["text", 5, null, undefined, {}, [1]]) {
    // As Deno words it, which leaves the file open, though
    await assertRejects(
      () => ioq.writeFile(path, stream([wrong])),
      TypeError,
      "Expected ArrayBuffer or ArrayBufferView for write chunk",
    );
    assertEquals(descriptorsUnder(dir.path), 0);
  }
});

forEachBackend("errors of long files are worded as those of short ones", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const there = dir.file("there");
  const cases: [string, Deno.WriteFileOptions][] = [
    [dir.at("missing/file"), {}],
    [there, { createNew: true }],
    [dir.path, {}],
  ];
  // All go to the device that is always full, too
  cases.push(["/dev/full", {}]);
  for (const [path, options] of cases) {
    for (const length of [1, 5 * 1024 * 1024]) {
      const data = new Uint8Array(length);
      const ours = await errorOf(() => ioq.writeFile(path, data, options));
      const denos = await errorOf(() => Deno.writeFile(path, data, options));
      assertEquals(ours.message, denos.message, `${length} bytes`);
      assertEquals(ours.constructor, denos.constructor);
    }
  }
});
