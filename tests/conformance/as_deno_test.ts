// Copyright 2026 the ioq authors. MIT license.

/** Forms that have Deno's name take what Deno's own take, and do with it what Deno does. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Ioq, type IoqFile } from "../../mod.ts";
import { forEachBackend, type Row } from "../backends.ts";
import { bytes, descriptorsUnder, MOD, runDeno, TempDir, text, within } from "../fixtures.ts";

/** An open file of Deno's or of a queue's. */
type File = Deno.FsFile | IoqFile;

/** The calls that Deno and a queue have in common. */
type Calls =
  & Pick<
    typeof Deno,
    | "truncate"
    | "chmod"
    | "chown"
    | "utime"
    | "mkdir"
    | "readFile"
    | "readTextFile"
    | "writeFile"
    | "writeTextFile"
    | "readLink"
    | "realPath"
  >
  & { open(path: string, options?: Deno.OpenOptions): Promise<File> };

/** Those of a queue. */
function callsOf(ioq: Ioq): Calls {
  return {
    truncate: (path, length) => ioq.truncate(path, length),
    chmod: (path, mode) => ioq.chmod(path, mode),
    chown: (path, uid, gid) => ioq.chown(path as string, uid, gid),
    utime: (path, atime, mtime) => ioq.utime(path, atime, mtime),
    mkdir: (path, options) => ioq.mkdir(path, options),
    readFile: (path, options) => ioq.readFile(path, options),
    readTextFile: (path, options) => ioq.readTextFile(path, options),
    writeFile: (path, data, options) => ioq.writeFile(path, data, options),
    writeTextFile: (path, data, options) => ioq.writeTextFile(path, data, options),
    readLink: (path) => ioq.readLink(path),
    realPath: (path) => ioq.realPath(path),
    open: (path, options) => ioq.openFile(path, options),
  };
}

/** The class of an error. */
function classOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : `no error but ${error}`;
}

/** What a call came to: its value, or the class of its error, and the file's state. */
async function outcome(dir: string, call: () => Promise<unknown>): Promise<unknown[]> {
  Deno.mkdirSync(dir);
  const file = `${dir}/file`;
  Deno.writeTextFileSync(file, "0123456789");
  Deno.chmodSync(file, 0o644);
  Deno.utimeSync(file, 1000, 2000);
  let came: unknown;
  try {
    came = await call();
  } catch (error) {
    came = classOf(error);
  }
  const entries = [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
  const states = entries.map((name) => {
    const { size, mode, uid, gid, mtime } = Deno.statSync(`${dir}/${name}`);
    const time = mtime!.getTime() < 1e12 ? mtime!.getTime() : "new";
    return [name, name === "file" ? size : 0, mode?.toString(8), uid, gid, time];
  });
  Deno.removeSync(dir, { recursive: true });
  return [came, ...states];
}

// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

/** Numbers that Deno takes for others, and some that it refuses. */
const ODD = [-5, 3.7, -0.5, NaN, -Infinity, null, undefined, 3n, -1n, 2n ** 70n, "4", true, {}];
/** Modes. */
const MODES = [...ODD, 0o177777, 0o200644, 0o100600, 2 ** 32 - 1, 2 ** 32 + 0o600, -1, 0o1777];
/** Points in time. */
const TIMES = [
  -5,
  3.7,
  NaN,
  null,
  undefined,
  "4",
  "x",
  true,
  {},
  new Date(5000),
  new Date(NaN),
];

/** Open a file of a call's, do something with it, and close it. */
async function withFile<V>(
  calls: Calls,
  path: string,
  options: Deno.OpenOptions,
  act: (file: File) => V | Promise<V>,
): Promise<V> {
  const file = await calls.open(path, options);
  try {
    return await act(file);
  } finally {
    file.close();
  }
}

/** Calls with odd arguments. */
function* oddCalls(
  row: Row,
): Generator<[what: string, (calls: Calls, dir: string) => Promise<unknown>]> {
  for (const odd of ODD) {
    const what = `${typeof odd} ${odd}`;
    yield [`truncate ${what}`, (calls, dir) => calls.truncate(`${dir}/file`, any(odd))];
    const truncate = async (file: File) => void await file.truncate(any(odd));
    yield [
      `file.truncate ${what}`,
      (calls, dir) => withFile(calls, `${dir}/file`, { write: true }, truncate),
    ];
    if (row.library) {
      yield [
        `seek ${what}`,
        (calls, dir) =>
          withFile(calls, `${dir}/file`, { read: true }, (file) => file.seek(any(odd), 0)),
      ];
      yield [
        `seekSync ${what}`,
        (calls, dir) =>
          withFile(calls, `${dir}/file`, { read: true }, (file) => file.seekSync(any(odd), 0)),
      ];
    }
    // The owners of files are changed by the superuser alone
    if (Deno.uid() === 0) {
      yield [`chown uid ${what}`, (calls, dir) => calls.chown(`${dir}/file`, any(odd), null)];
      yield [`chown gid ${what}`, (calls, dir) => calls.chown(`${dir}/file`, null, any(odd))];
    }
  }
  for (const whence of [-1, 3, 7, null, "0", {}, 1.2]) {
    if (row.library) {
      yield [
        `whence ${whence}`,
        (calls, dir) =>
          withFile(calls, `${dir}/file`, { read: true }, (file) => file.seek(1, any(whence))),
      ];
    }
  }
  yield [
    "chown nothing",
    (calls, dir) => calls.chown(`${dir}/file`, any(undefined), any(undefined)),
  ];
  for (const mode of MODES) {
    const what = `${typeof mode} ${mode}`;
    const options = { mode: any(mode) };
    yield [`chmod ${what}`, (calls, dir) => calls.chmod(`${dir}/file`, any(mode))];
    yield [`mkdir ${what}`, (calls, dir) => calls.mkdir(`${dir}/made`, options)];
    yield [
      `mkdir recursive ${what}`,
      (calls, dir) => calls.mkdir(`${dir}/made`, { ...options, recursive: true }),
    ];
    yield [
      `writeFile ${what}`,
      (calls, dir) => calls.writeFile(`${dir}/made`, bytes("abc"), options),
    ];
    yield [
      `writeFile over ${what}`,
      (calls, dir) => calls.writeFile(`${dir}/file`, bytes("abc"), options),
    ];
    yield [
      `open ${what}`,
      (calls, dir) =>
        withFile(calls, `${dir}/made`, { write: true, create: true, ...options }, () => {}),
    ];
  }
  for (const time of TIMES) {
    yield [`utime ${time}`, (calls, dir) => calls.utime(`${dir}/file`, any(time), any(time))];
    yield [
      `file.utime ${time}`,
      (calls, dir) =>
        withFile(calls, `${dir}/file`, { write: true }, (file) => file.utime(any(time), any(time))),
    ];
  }
  for (const nothing of [null, undefined]) {
    const options = { signal: any(nothing) };
    yield ["readFile", (calls, dir) => calls.readFile(`${dir}/file`, any(nothing))];
    yield ["readFile signal", (calls, dir) => calls.readFile(`${dir}/file`, options)];
    yield ["readTextFile", (calls, dir) => calls.readTextFile(`${dir}/file`, options)];
    yield ["writeFile", (calls, dir) => calls.writeFile(`${dir}/file`, bytes("ab"), options)];
    yield ["writeTextFile", (calls, dir) => calls.writeTextFile(`${dir}/file`, "ab", options)];
    yield ["mkdir", (calls, dir) => calls.mkdir(`${dir}/made`, any(nothing))];
    yield ["open", (calls, dir) => calls.open(`${dir}/file`, any(nothing)).then((f) => f.close())];
  }
  for (const flag of [true, false, undefined, 1, "yes", {}]) {
    yield [
      `append ${flag}`,
      (calls, dir) => calls.writeFile(`${dir}/file`, bytes("abc"), { append: any(flag) }),
    ];
    yield [
      `create ${flag}`,
      (calls, dir) => calls.writeFile(`${dir}/made`, bytes("abc"), { create: any(flag) }),
    ];
    yield [
      `createNew ${flag}`,
      (calls, dir) => calls.writeFile(`${dir}/file`, bytes("abc"), { createNew: any(flag) }),
    ];
    yield [
      `write ${flag}`,
      (calls, dir) => withFile(calls, `${dir}/file`, { read: true, write: any(flag) }, () => {}),
    ];
  }
  for (const options of [{}, { mode: 0o644 }, { read: false }]) {
    yield [
      `open ${JSON.stringify(options)}`,
      (calls, dir) => withFile(calls, `${dir}/file`, options, () => {}),
    ];
  }
  const stream = () => new Blob(["abc"]).stream();
  const options = { mode: 0o600 };
  yield ["a stream over a file", (calls, dir) => calls.writeFile(`${dir}/file`, stream(), options)];
  yield [
    "a stream to a new file",
    (calls, dir) => calls.writeFile(`${dir}/made`, stream(), options),
  ];
  yield [
    "text over a file",
    (calls, dir) =>
      calls.writeTextFile(`${dir}/file`, stream().pipeThrough(new TextDecoderStream()), options),
  ];
  if (row.library || row.concurrent === false) {
    yield [
      "many bytes over a file",
      (calls, dir) => calls.writeFile(`${dir}/file`, new Uint8Array(5_000_000), options),
    ];
  }
}

forEachBackend("odd arguments do what they do to Deno's calls", async ({ open, row }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const ours = callsOf(ioq);
  let count = 0;
  for (const [what, call] of oddCalls(row)) {
    // One after the other: what is compared is what is left in a directory
    const expected = await outcome(dir.at("denos"), () => call(Deno, dir.at("denos")));
    const actual = await outcome(dir.at("ours"), () => call(ours, dir.at("ours")));
    assertEquals(actual, expected, what);
    count++;
  }
  assert(count > 200);
});

forEachBackend("what is no number is refused where the name is ours", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "0123456789");
  await using ioq = await open();
  await using file = await ioq.openFile(path, { read: true, write: true });
  for (const odd of [-5, 3.7, NaN, null, "4"]) {
    await assertRejects(() => file.readAt(new Uint8Array(1), any(odd)));
    await assertRejects(() => file.writeAt(new Uint8Array(1), any(odd)));
  }
  assertEquals(Deno.readTextFileSync(path), "0123456789");
});

/** What of a closed file's members Deno says. */
const AFTER_CLOSING: readonly [name: string, (file: File) => unknown][] = [
  ["close", (file) => file.close()],
  ["readable", (file) => file.readable.getReader().read()],
  ["writable", (file) => file.writable.getWriter().write(new Uint8Array(70_000))],
  ["read", (file) => file.read(new Uint8Array(1))],
  ["write", (file) => file.write(new Uint8Array(1))],
  ["stat", (file) => file.stat()],
  ["lock", (file) => file.lock()],
  ["isTerminal", (file) => file.isTerminal()],
];

forEachBackend("a closed file says what Deno's says", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  const told = async (make: () => Promise<File>): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for (const [name, call] of AFTER_CLOSING) {
      const file = await make();
      file.close();
      try {
        seen.push([name, await call(file)]);
      } catch (error) {
        seen.push([name, `${error}`]);
      }
    }
    // One that is closed while its stream is read
    const file = await make();
    const reader = file.readable.getReader();
    await reader.read();
    file.close();
    seen.push(await reader.read().then(() => "read", String));
    // One that its stream has closed
    const streamed = await make();
    seen.push(
      await new Response(streamed.readable as ReadableStream<Uint8Array<ArrayBuffer>>).text(),
    );
    try {
      streamed.close();
    } catch (error) {
      seen.push(`${error}`);
    }
    return seen;
  };
  const options = { read: true, write: true };
  const expected = await told(() => Deno.open(path, options));
  assertEquals(await told(() => ioq.openFile(path, options)), expected);
});

forEachBackend("close() needs no await, whatever the code was written for", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  const file = await ioq.openFile(path, { read: true, write: true });
  const closing = file.close();
  let caught: unknown;
  try {
    file.close();
  } catch (error) {
    caught = error;
  }
  assert(caught instanceof Deno.errors.BadResource);
  assertThrows(() => file.close(), Deno.errors.BadResource, "Bad resource ID");
  await closing;
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("a lock is free on the line after close()", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  const file = await ioq.openFile(path, { read: true, write: true });
  await file.lock(true);
  using other = Deno.openSync(path, { read: true, write: true });
  assertEquals(other.tryLockSync(true), false);
  file.close();
  assertEquals(other.tryLockSync(true), true);
}, ({ library }) => library);

forEachBackend("closing a FIFO that is being read does not hang", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("fifo");
  await new Deno.Command("mkfifo", { args: [path] }).output();
  await using ioq = await open();
  const file = await ioq.openFile(path, { read: true, write: true });
  const read = file.read(new Uint8Array(4));
  read.catch(() => {});
  await within(20_000, file.close(), "close()");
  await assertRejects(() => within(20_000, read, "the read"));
}, ({ library }) => library);

forEachBackend("a link to a name that is not UTF-8", async ({ open, row }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const name = new Uint8Array([0x61, 0xff, 0xc3, 0xa9, 0xe2, 0x82, 0x62]);
  const whole = new Uint8Array([...bytes(`${dir.path}/`), ...name]);
  await using maker = await Ioq.open({ backend: "threads" });
  await maker.symlink(name, dir.at("link"));
  await maker.writeFile(whole, bytes("x"));
  for (const call of ["readLink", "realPath"] as const) {
    const expected = await assertRejects(() => Deno[call](dir.at("link")), Deno.errors.InvalidData);
    const actual = await assertRejects(() => ioq[call](dir.at("link")), Error);
    if (row.library) {
      assert(actual instanceof Deno.errors.InvalidData);
      assertEquals(actual.message, expected.message);
      const exact = await ioq[call](dir.at("link"), { bytes: true });
      assertEquals(exact, call === "readLink" ? name : whole);
    } else {
      // What the runtime's calls do not tell
      assert(actual instanceof Deno.errors.NotSupported);
    }
  }
  if (row.library) {
    const odd = dir.file("\ufffd", "x");
    assertEquals(await ioq.realPath(odd), odd);
    assertEquals(text(await ioq.realPath(odd, { bytes: true })), odd);
  }
});

forEachBackend("a device that is busy is a plain error", async ({ open }) => {
  await using ioq = await open();
  using dir = new TempDir();
  const looks = async (rename: (from: string, to: string) => Promise<void>) => {
    const error = await assertRejects(() => rename("/proc", dir.at("x")));
    assert(error instanceof Error);
    return [error.constructor.name, (error as { code?: string }).code, error.message];
  };
  const expected = await looks((from, to) => Deno.rename(from, to));
  assertEquals(expected.slice(0, 2), ["Error", "EBUSY"]);
  assertEquals(await looks((from, to) => ioq.rename(from, to)), expected);
}, () => Deno.uid() === 0);

Deno.test("a stream of a file asks for no file that the program does not name", async () => {
  using dir = new TempDir();
  dir.file("file", "streamed");
  const script = `
    import { Ioq } from "${MOD}";
    await using ioq = await Ioq.open({ backend: "worker" });
    const file = await ioq.openFile("${dir.path}/file");
    console.log(await new Response(file.readable).text());
    const again = await ioq.openFile("${dir.path}/file");
    console.log(await again.read(new Uint8Array(3)), await new Response(again.readable).text());
  `;
  const granted = `--allow-read=${dir.path},${new URL("../../", import.meta.url).pathname}`;
  const outcome = await runDeno(script, { flags: [granted] });
  assertEquals(outcome, { code: 0, stdout: "streamed\n3 eamed\n", stderr: "" });
});
