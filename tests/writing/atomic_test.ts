// Copyright 2026 the ioq authors. MIT license.

/** `writeFile()` that replaces its file, and that waits for the device. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { op, type WriteFileOptions } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, errorOf, MOD, runDeno, TempDir, until } from "../fixtures.ts";

const ATOMIC = { atomic: true };
/** Of more bytes than are copied at once. */
const LARGE_LENGTH = 5_000_003;

/** Temporary files, and all else that is in a directory. */
function namesIn(path: string): { temporary: string[]; others: string[] } {
  const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  const temporary = names.filter((name) => name.startsWith(".ioq-"));
  return { temporary, others: names.filter((name) => !name.startsWith(".ioq-")) };
}

/** A stream of texts. */
function streamOf(...texts: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(texts.map(bytes));
}

forEachBackend("writeFile() takes its options atomically as well", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const umask = Deno.umask(0o022);
  try {
    const variants: Deno.WriteFileOptions[] = [
      {},
      { create: false },
      { createNew: true },
      { createNew: true, create: false },
      { mode: 0o666 },
      { mode: 0o4711 },
    ];
    for (const options of variants) {
      for (const exists of [true, false]) {
        const outcome = async (name: string, write: (path: string) => Promise<unknown>) => {
          const path = dir.at(name);
          if (exists) {
            dir.file(name, "longer than this");
            Deno.chmodSync(path, 0o751);
          }
          try {
            await write(path);
            const left = Deno.readTextFileSync(path);
            return { left, mode: Deno.statSync(path).mode! & 0o7777 };
          } catch (error) {
            // Streams are written to what was opened before, as with Deno
            return (error as Error).message.replaceAll(name, "").replace(": open", ": writefile");
          } finally {
            await Deno.remove(path).catch(() => {});
          }
        };
        const denos = await outcome("deno", (path) => Deno.writeFile(path, bytes("text"), options));
        const streams = await outcome(
          "deno",
          (path) => Deno.writeFile(path, streamOf("text"), options),
        );
        const ways: WriteFileOptions[] = [ATOMIC, { durable: true }, { ...ATOMIC, durable: true }];
        for (const how of ways) {
          const all = { ...options, ...how };
          const what = JSON.stringify({ ...all, exists });
          const ours = await outcome("ours", (path) => ioq.writeFile(path, bytes("text"), all));
          assertEquals(ours, denos, what);
          const streamed = await outcome(
            "ours",
            (path) => ioq.writeFile(path, streamOf("te", "xt"), all),
          );
          assertEquals(streamed, streams, `${what} of a stream`);
        }
      }
    }
  } finally {
    Deno.umask(umask);
  }
  assertEquals(namesIn(dir.path), { temporary: [], others: [] });
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("who has the old file open keeps it, as its other names do", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file", "old");
  Deno.linkSync(path, dir.at("hard"));
  using reader = Deno.openSync(path);
  await ioq.writeFile(path, bytes("new"), ATOMIC);
  const buffer = new Uint8Array(9);
  assertEquals(reader.readSync(buffer), 3);
  assertEquals(buffer.slice(0, 3), bytes("old"));
  assertEquals(Deno.readTextFileSync(dir.at("hard")), "old");
  assertEquals(Deno.readTextFileSync(path), "new");
});

forEachBackend("an atomic write follows links, which remain", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  Deno.mkdirSync(dir.at("folder"));
  dir.file("folder/file", "old");
  Deno.symlinkSync("folder/file", dir.at("one"));
  Deno.symlinkSync(dir.at("one"), dir.at("two"));
  Deno.symlinkSync("folder/missing", dir.at("dangling"));
  Deno.symlinkSync("loop", dir.at("loop"));
  await ioq.writeFile(dir.at("two"), bytes("new"), ATOMIC);
  assertEquals(Deno.readTextFileSync(dir.at("folder/file")), "new");
  await ioq.writeFile(dir.at("dangling"), bytes("made"), ATOMIC);
  assertEquals(Deno.readTextFileSync(dir.at("folder/missing")), "made");
  await ioq.writeFile(dir.at("two"), new Uint8Array(LARGE_LENGTH), { atomic: true, durable: true });
  assertEquals(Deno.statSync(dir.at("folder/file")).size, LARGE_LENGTH);
  for (const link of ["one", "two", "dangling"]) {
    assert(Deno.lstatSync(dir.at(link)).isSymlink, link);
  }
  const refused: [string, Deno.WriteFileOptions][] = [
    ["loop", {}],
    ["dangling", { createNew: true }],
    ["two", { createNew: true }],
  ];
  for (const [link, options] of refused) {
    const ours = await errorOf(() =>
      ioq.writeFile(dir.at(link), bytes("x"), { ...options, ...ATOMIC })
    );
    const denos = await errorOf(() => Deno.writeFile(dir.at(link), bytes("x"), options));
    assertEquals(ours.message, denos.message);
  }
  assertEquals(namesIn(dir.path).temporary, []);
  assertEquals(namesIn(dir.at("folder")).temporary, []);
});

forEachBackend("owner, mode and attributes of the old file are kept", async ({ open, row }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file", "old");
  if (Deno.uid() === 0) {
    Deno.chownSync(path, 1234, 2345);
  }
  Deno.chmodSync(path, 0o6751);
  if (row.library) {
    await ioq.setXattr(path, "user.ioq", bytes("value"));
  }
  const before = Deno.statSync(path);
  let last = before.ino;
  for (const data of [bytes("new"), new Uint8Array(LARGE_LENGTH), streamOf("a", "b")]) {
    await ioq.writeFile(path, data, ATOMIC);
    const { uid, gid, mode, ino } = Deno.statSync(path);
    // As with a write in place, set-ID bits are up to who writes
    const kept = Deno.uid() === 0 ? before.mode : before.mode! & ~0o6000;
    assertEquals({ uid, gid, mode }, { uid: before.uid, gid: before.gid, mode: kept });
    assert(ino !== last);
    last = ino;
    if (row.library) {
      assertEquals(await ioq.getXattr(path, "user.ioq"), bytes("value"));
    }
  }
});

forEachBackend("what is no regular file is not replaced", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const there = dir.file("there");
  for (const path of [dir.path, dir.at("missing/file"), `${dir.path}/`, `${there}/x`, ""]) {
    for (const data of [() => bytes("x"), () => new Uint8Array(LARGE_LENGTH)]) {
      const ours = await errorOf(() => ioq.writeFile(path, data(), ATOMIC));
      const denos = await errorOf(() => Deno.writeFile(path, data()));
      assertEquals(ours.message, denos.message);
    }
  }
  for (const path of ["/dev/null", dir.fifo("fifo")]) {
    await assertRejects(
      () => ioq.writeFile(path, bytes("x"), ATOMIC),
      TypeError,
      "Only a regular file can be replaced",
    );
  }
  // In place a device takes the bytes, and has nothing to sync
  await ioq.writeFile("/dev/null", bytes("x"), { durable: true });
  await ioq.writeFile("/dev/null", streamOf("x"), { durable: true });
  for (const data of [bytes("x"), new Uint8Array(LARGE_LENGTH), streamOf("x")]) {
    await assertRejects(
      () => ioq.writeFile(there, data, { atomic: true, append: true }),
      TypeError,
      "'append' option cannot be combined with 'atomic'",
    );
  }
  assertEquals(namesIn(dir.path).temporary, []);
});

forEachBackend("a write that fails leaves the old contents, and nothing else", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file", "old");
  const failing = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes("new"));
      },
      pull(controller) {
        controller.error(new Error("no more"));
      },
    });
  await assertRejects(() => ioq.writeFile(path, failing(), ATOMIC), Error, "no more");
  const endless = () => new ReadableStream<Uint8Array>({ start: (c) => c.enqueue(bytes("new")) });
  const end = new AbortController();
  const aborted = ioq.writeFile(path, endless(), { ...ATOMIC, signal: end.signal });
  setTimeout(() => end.abort(new Error("enough")), 5);
  await assertRejects(() => aborted, Error, "enough");
  const closed = await open();
  const half = closed.writeFile(path, endless(), ATOMIC);
  half.catch(() => {});
  await closed.nop();
  await closed.close();
  const told = await errorOf(() => half);
  assert(told instanceof Deno.errors.BadResource || told instanceof Deno.errors.Interrupted);
  assertEquals(Deno.readTextFileSync(path), "old");
  assertEquals(namesIn(dir.path), { temporary: [], others: ["file"] });
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("many who replace one file leave the contents of one", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file", "old");
  const contents = Array.from({ length: 40 }, (_, i) => String(i).repeat(500 * (i % 5 + 1)));
  await Promise.all(
    contents.map((text, i) =>
      ioq.writeFile(path, i % 4 === 0 ? streamOf(text) : bytes(text), {
        atomic: true,
        durable: i % 2 === 0,
      })
    ),
  );
  assert(contents.includes(Deno.readTextFileSync(path)));
  assertEquals(namesIn(dir.path), { temporary: [], others: ["file"] });
});

forEachBackend(
  "a file that was left behind is removed, one in use is not",
  async ({ open, row }) => {
    using dir = new TempDir();
    await using ioq = await open();
    const path = dir.file("file", "old");
    // A stream that does not go on shows what the file is called
    let go: (() => void) | undefined;
    const writing = ioq.writeFile(
      path,
      new ReadableStream({
        async pull(controller) {
          await new Promise<void>((resolve) => go = resolve);
          controller.enqueue(bytes("stream"));
          controller.close();
        },
      }),
      ATOMIC,
    );
    if (row.library) {
      await until(() => namesIn(dir.path).temporary.length === 1, "a temporary file");
      await ioq.writeFile(path, bytes("beside it"), ATOMIC);
      assertEquals(namesIn(dir.path).temporary.length, 1);
    }
    await until(() => go !== undefined, "the stream");
    go!();
    await writing;
    assertEquals(Deno.readTextFileSync(path), "stream");
    assertEquals(namesIn(dir.path).temporary, []);

    const name = TEMPORARY_OF_FILE;
    for (const slot of [0, 1, 2]) {
      dir.file(`${name}-${slot}`, "left behind");
    }
    using used = Deno.openSync(dir.file(`${name}-5`, "in use"));
    await used.lock(true);
    await ioq.writeFile(path, bytes("new"), ATOMIC);
    assertEquals(namesIn(dir.path).temporary, [`${name}-5`]);
    Deno.removeSync(dir.at(`${name}-5`));
    // What is in the way and no file of ours remains, and does not matter
    Deno.mkdirSync(dir.at(`${name}-0`));
    Deno.symlinkSync("file", dir.at(`${name}-1`));
    await ioq.writeFile(path, bytes("newer"), ATOMIC);
    assertEquals(Deno.readTextFileSync(path), "newer");
    assertEquals(namesIn(dir.path).temporary, [`${name}-0`, `${name}-1`]);
  },
);

/** What temporary files of a file that is called "file" begin with. */
const TEMPORARY_OF_FILE = ".ioq-aad01178f02a6a23";

forEachBackend(
  "requests of op are atomic, too, and begin where they are told",
  async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    Deno.mkdirSync(dir.at("folder"));
    const at = await ioq.run(op.open(dir.at("folder"), { directory: true }));
    try {
      await ioq.run(op.writeFile("file", bytes("one"), { at, ...ATOMIC, durable: true }));
      assertEquals(Deno.readTextFileSync(dir.at("folder/file")), "one");
      await ioq.writeFile("file", streamOf("two"), { at, ...ATOMIC });
      assertEquals(Deno.readTextFileSync(dir.at("folder/file")), "two");
    } finally {
      await ioq.run(op.close(at));
    }
    const name = "x".repeat(255);
    await ioq.writeFile(dir.at(name), bytes("long"), ATOMIC);
    assertEquals(namesIn(dir.path), { temporary: [], others: ["folder", name].sort() });
  },
);

Deno.test("an atomic write needs permissions for the directory", async () => {
  using dir = new TempDir();
  dir.file("file", "old");
  const script = `
    import { Ioq } from "${MOD}";
    await using ioq = await Ioq.open({ backend: Deno.args[1] });
    const data = new TextEncoder().encode("new");
    for (const bytes of [data, new ReadableStream({ start(c) { c.enqueue(data); c.close(); } })]) {
      try {
        await ioq.writeFile(Deno.args[0], bytes, { atomic: true });
        console.log("written");
      } catch (error) {
        console.log(error.name, /Requires (\\w+) access/.exec(error.message)?.[1]);
      }
    }
  `;
  const file = dir.at("file");
  const cases: [string[], string][] = [
    [[`--allow-write=${dir.path}`, `--allow-read=${dir.path}`], "written"],
    [[`--allow-write=${dir.path}`], "NotCapable read"],
    [[`--allow-write=${file}`, `--allow-read=${dir.path}`], "NotCapable write"],
    [[`--allow-write=${dir.path}`, `--allow-read=${file}`], "NotCapable read"],
    [[`--allow-read=${dir.path}`], "NotCapable write"],
    [["--allow-write", "--allow-read", `--deny-write=${file}`], "NotCapable write"],
  ];
  for (const [flags, expected] of cases) {
    const { stdout, stderr } = await runDeno(script, {
      flags: ["--allow-ffi", "--allow-env", "--no-prompt", ...flags],
      args: [file, "threads"],
    });
    assertEquals(stdout, `${expected}\n${expected}\n`, `${flags.join(" ")}: ${stderr}`);
  }
  assertEquals(namesIn(dir.path).temporary, []);
});
