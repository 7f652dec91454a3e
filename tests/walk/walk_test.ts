// Copyright 2026 the ioq authors. MIT license.

/** What `walk()` has beyond `@std/fs`'s, and trees that are hard to walk. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type FileInfo, Ioq, walk, type WalkEntry, type WalkOptions } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, looksOf, MOD, runDeno, TempDir, within } from "../fixtures.ts";
import {
  assertPaths,
  findPaths,
  latin1Path,
  makeDeep,
  makeHostile,
  RAW_NAMES,
  rawPath,
} from "./hostile_tree.ts";

/** All entries of a walk. */
async function collect(root: string, options: WalkOptions): Promise<WalkEntry[]> {
  return (await Array.fromAsync(walk.batches(root, options))).flat();
}

/** Check that what a path leads through has come before it. */
function assertParentsFirst(entries: readonly WalkEntry[]): void {
  const seen = new Set<string>();
  for (const [i, entry] of entries.entries()) {
    const path = latin1Path(entry);
    if (i > 0) {
      assert(seen.has(path.slice(0, path.lastIndexOf("/")) || "/"), `orphan: ${path}`);
    }
    seen.add(path);
  }
}

forEachBackend("walk() finds what find(1) finds in a hostile tree", async ({ open, t }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await makeHostile(ioq, dir);
  const expected = await findPaths(dir.path);
  assert(expected.length > 1200 + 4 * 130);
  assert(expected.some((path) => path.length > 3 * 4096));
  const ways: WalkOptions[] = [
    {},
    { sort: true },
    { concurrency: 1 },
    { skip: [/never matches/] },
    { stat: true },
    { sameDevice: true },
  ];
  for (const options of ways) {
    await t.step(JSON.stringify(options), async () => {
      const entries = await collect(dir.path, { ...options, ioq });
      assertPaths(entries, expected);
      assertParentsFirst(entries);
      assertEquals(descriptorsUnder(dir.path), 0, "descriptors");
      assertEquals(
        entries.every((it) => options.stat ? it.info !== undefined : !("info" in it)),
        true,
      );
    });
  }
  await t.step("one by one", async () => {
    const entries = await Array.fromAsync(walk(dir.path, { ioq }));
    assertPaths(entries, expected);
  });
}, ({ library }) => library);

/** What find(1) finds in /usr/share: the same for each row. */
let inUsr: Promise<string[]> | undefined;

forEachBackend("walk() finds what find(1) finds in /usr/share", async ({ open }) => {
  await using ioq = await open();
  const expected = await (inUsr ??= findPaths("/usr/share"));
  const entries = await collect("/usr/share", { ioq });
  assertPaths(entries, expected);
  assertParentsFirst(entries);
});

forEachBackend("walk() bears what vanishes in /proc/self", async ({ open }) => {
  await using ioq = await open();
  const errors: Error[] = [];
  const onError = (error: Error) => errors.push(error);
  // Descriptors and memory maps are other ones each time
  const steady = (path: string) => !/\/(fd|fdinfo|map_files|task|ns|net)(\/|$)/.test(path);
  const found = (await collect("/proc/self", { ioq, onError })).map((it) => it.path);
  const expected = await findPaths("/proc/self/");
  const shape = (paths: string[]) =>
    paths.map((path) => path.replace(/\/+/g, "/")).filter(steady).sort();
  assertEquals(shape(found), shape(expected.map((it) => it.replace(/\/$/, ""))));
  assert(found.some((path) => path.startsWith("/proc/self/fd/")));
});

forEachBackend("names that are not UTF-8 have their bytes", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  for (const name of RAW_NAMES) {
    await ioq.mkdir(rawPath(dir.path, name));
    await ioq.writeFile(rawPath(dir.path, Uint8Array.from([...name, 0x2f, 0x61])), bytes("x"));
  }
  dir.file("plain");
  const entries = await collect(dir.path, { ioq, stat: true });
  const odd = entries.filter((it) => it.rawName !== undefined);
  assertEquals(odd.map((it) => `${it.rawName}`).sort(), RAW_NAMES.map(String).sort());
  for (const { rawName, rawPath: path, name } of odd) {
    assertEquals(path, rawPath(dir.path, rawName!));
    assertEquals(name, new TextDecoder().decode(rawName));
  }
  // What is below them has only its path in bytes
  const below = entries.filter((it) => it.name === "a");
  assertEquals(below.length, RAW_NAMES.length);
  for (const entry of below) {
    assert(!("rawName" in entry));
    assertEquals((await ioq.stat(entry.rawPath!)).size, 1);
  }
  const plain = entries.find((it) => it.name === "plain")!;
  assert(!("rawName" in plain) && !("rawPath" in plain));
  // And may be a root
  const [root] = odd;
  const inside = await Array.fromAsync(walk(root!.rawPath!, { ioq }));
  assertEquals(inside.length, 2);
  assertEquals(inside[1]!.rawPath, Uint8Array.from([...root!.rawPath!, 0x2f, 0x61]));
}, ({ library }) => library);

forEachBackend("walk({ stat: true }) gives what lstat() gives", async ({ open }) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("a"));
  dir.file("a/file", "12345");
  Deno.symlinkSync("a/file", dir.at("link"));
  Deno.symlinkSync("nowhere", dir.at("broken"));
  dir.fifo("fifo");
  await using ioq = await open();
  for (const entry of await collect(dir.path, { ioq, stat: true })) {
    const { atime: _, ...info } = entry.info as FileInfo;
    const { atime: __, ...expected } = await ioq.lstat(entry.path);
    assertEquals(info, expected);
    assertEquals(info.ino, Deno.lstatSync(entry.path).ino);
    assertEquals(
      [entry.isFile, entry.isDirectory, entry.isSymlink],
      [info.isFile, info.isDirectory, info.isSymlink],
    );
  }
  Deno.removeSync(dir.at("broken"));
  for (const entry of await collect(dir.path, { ioq, stat: true, followSymlinks: true })) {
    assertEquals(entry.info!.ino, Deno.statSync(entry.path).ino);
  }
});

forEachBackend(
  "walk({ bigint: true }) gives what lstat({ bigint: true }) gives",
  async ({ open, row }) => {
    using dir = new TempDir();
    Deno.mkdirSync(dir.at("a"));
    dir.file("a/file", "12345");
    Deno.symlinkSync("a", dir.at("link"));
    await using ioq = await open();
    if (!row.library) {
      await assertRejects(
        () => Array.fromAsync(walk(dir.path, { ioq, stat: true, bigint: true })),
        Deno.errors.NotSupported,
      );
      return;
    }
    await ioq.utime(dir.at("a/file"), 1n, 1_700_000_000_123_456_789n);
    const how = { ioq, stat: true, bigint: true } as const;
    for (const more of [{}, { sort: true }, { sameDevice: true }, { followSymlinks: true }]) {
      const found = await Array.fromAsync(walk(dir.path, { ...how, ...more }));
      assertEquals(found.length, more.followSymlinks ? 5 : 4);
      for (const { path, info: { atimeNs: _, ...info } } of found) {
        const { atimeNs: __, ...expected } = await ioq.lstat(path, { bigint: true });
        assertEquals(info, expected);
      }
    }
    const bytes: bigint[] = [];
    for await (const entries of walk.batches(dir.path, { ...how, includeDirs: false })) {
      bytes.push(...entries.map(({ info }) => info.size));
    }
    assertEquals(bytes.sort(), [1n, 5n]);
    assertThrows(() => walk(dir.path, { ioq, bigint: true }), TypeError, "stat");
  },
);

forEachBackend("walk({ sort: true }) is in order", async ({ open }) => {
  using dir = new TempDir();
  for (const path of ["b/c", "a/z", "a/y", "a.b", "B"]) {
    Deno.mkdirSync(dir.at(path), { recursive: true });
    dir.file(`${path}/2`);
    dir.file(`${path}/10`);
  }
  await using ioq = await open();
  const paths = (await collect(dir.path, { ioq, sort: true })).map((it) =>
    it.path.slice(dir.path.length)
  );
  const inOrder = ["", "/B", "/B/10", "/B/2", "/a", "/a/y", "/a/y/10", "/a/y/2", "/a/z"];
  assertEquals(paths.slice(0, inOrder.length), inOrder);
  const all = await collect("/usr/share", { ioq, sort: true });
  const again = await collect("/usr/share", { ioq, sort: true, concurrency: 3 });
  // As one text each: `assertEquals()` takes seconds for tens of thousands
  const lines = (parts: readonly string[]) => parts.join("\n");
  assert(lines(all.map((it) => it.path)) === lines(again.map((it) => it.path)));
  const parts = all.map((it) => it.path.replaceAll("/", "\0"));
  assert(lines(parts) === lines(parts.toSorted()));
});

forEachBackend("walk({ signal }) rejects with the signal's reason", async ({ open, t }) => {
  await using ioq = await open();
  const reason = new Error("enough");
  await t.step("aborted before", async () => {
    const walked = walk("/usr", { ioq, signal: AbortSignal.abort(reason) });
    assertEquals(await assertRejects(() => walked.next()), reason);
    assertEquals((await walked.next()).done, true);
  });
  await t.step("aborted while iterating", async () => {
    const controller = new AbortController();
    let count = 0;
    const error = await assertRejects(async () => {
      for await (const _ of walk("/usr", { ioq, signal: controller.signal })) {
        if (++count === 1000) {
          controller.abort(reason);
        }
      }
    });
    assertEquals(error, reason);
    assertEquals(count, 1000);
  });
  await t.step("aborted while waiting", async () => {
    const controller = new AbortController();
    const walked = walk.batches("/usr", { ioq, signal: controller.signal });
    const next = walked.next();
    controller.abort(reason);
    assertEquals(await assertRejects(() => within(5000, next, "next()")), reason);
  });
  await t.step("aborted after the end", async () => {
    using dir = new TempDir();
    const controller = new AbortController();
    await collect(dir.path, { ioq, signal: controller.signal });
    controller.abort(reason);
  });
  assertEquals(ioq.size, 0);
});

forEachBackend("walk() that is left early leaves nothing", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await makeDeep(ioq, dir.at("deep"));
  for (const sort of [false, true]) {
    for (let stopAt = 0; stopAt < 500; stopAt += 37) {
      let count = 0;
      for await (const _ of walk(dir.path, { ioq, sort })) {
        if (count++ === stopAt) {
          break;
        }
      }
      assertEquals(descriptorsUnder(dir.path), 0);
      assertEquals(ioq.size, 0);
    }
  }
  const never = walk(dir.path, { ioq });
  assertEquals(await never.return!(), { done: true, value: undefined });
  assertEquals(await never.next(), { done: true, value: undefined });
});

forEachBackend("several next() at once each get an entry of their own", async ({ open }) => {
  await using ioq = await open();
  const expected = await findPaths("/usr/share/doc");
  const walked = walk("/usr/share/doc", { ioq });
  const found: string[] = [];
  for (let ended = false; !ended;) {
    const results = await Promise.all(Array.from({ length: 100 }, () => walked.next()));
    found.push(...results.filter((it) => !it.done).map((it) => latin1Path(it.value)));
    ended = results.some((it) => it.done);
  }
  assertEquals(found.sort(), expected);
});

forEachBackend("onError decides what becomes of errors", async ({ open, t }) => {
  using dir = new TempDir();
  dir.file("file");
  Deno.mkdirSync(dir.at("sub"));
  dir.file("sub/other");
  Deno.symlinkSync("nowhere", dir.at("broken"));
  await using ioq = await open();
  const options = { ioq, followSymlinks: true };
  await t.step("skip", async () => {
    const paths = (await collect(dir.path, { ...options, onError: "skip" })).map((it) => it.name);
    assertEquals(paths.slice(1).sort(), ["file", "other", "sub"]);
    assertEquals(await collect(dir.at("missing"), { ioq, onError: "skip" }), []);
  });
  await t.step("tell", async () => {
    const told: [string, string][] = [];
    const onError = (error: Error, entry: WalkEntry) => {
      assert(error instanceof Deno.errors.NotFound);
      told.push([error.message, entry.path]);
    };
    assertEquals((await collect(dir.path, { ...options, onError })).length, 4);
    const path = dir.at("broken");
    assertEquals(told, [[`No such file or directory (os error 2): realpath '${path}'`, path]]);
  });
  await t.step("throw something else", async () => {
    const mine = new Error("mine");
    const onError = () => {
      throw mine;
    };
    assertEquals(await assertRejects(() => collect(dir.path, { ...options, onError })), mine);
  });
  await t.step("a regular file as root", async () => {
    const told: string[] = [];
    const onError = (error: Error) => told.push((error as Error & { code: string }).code);
    assertEquals((await collect(dir.at("file"), { ioq, onError })).length, 1);
    assertEquals(told, ["ENOTDIR"]);
  });
});

forEachBackend("a tree that changes all the time is walked to its end", async ({ open }) => {
  using dir = new TempDir();
  const script = `
    const root = Deno.args[0];
    console.log("ready");
    for (let i = 0; ; i++) {
      const path = root + "/" + i % 50;
      try {
        Deno.mkdirSync(path + "/a/b", { recursive: true });
        Deno.writeTextFileSync(path + "/a/b/file", "x");
        if (i % 3 === 0) Deno.removeSync(root + "/" + (i * 7) % 50, { recursive: true });
        if (i % 5 === 0) Deno.renameSync(path, root + "/" + (i * 3) % 50);
      } catch { /* the other one was faster */ }
    }`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", script, dir.path],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  try {
    await using ioq = await open();
    for (let round = 0; round < 20; round++) {
      const codes = new Set<unknown>();
      const onError = (error: Error) => codes.add((error as Error & { code: string }).code);
      const entries = await collect(dir.path, { ioq, stat: round % 2 === 0, onError });
      assert(entries.length >= 1);
      // Replaced between two system calls, at the worst
      assertEquals([...codes].filter((it) => it !== "ENOENT"), []);
    }
    assertEquals(descriptorsUnder(dir.path), 0);
  } finally {
    await reader.cancel();
    child.kill("SIGKILL");
    await child.status;
  }
});

Deno.test("walk() refuses wrong arguments before anything is read", () => {
  const wrong = (options: unknown) => () => walk("/", options as WalkOptions);
  for (
    const options of [
      { maxDepth: "1" },
      { maxDepth: NaN },
      { includeFiles: 1 },
      { exts: "ts" },
      { exts: [1] },
      { match: ["x"] },
      { skip: /x/ },
      { onError: "ignore" },
      { signal: {} },
      { concurrency: "2" },
      { stat: "yes" },
      { sort: "name" },
      { ioq: {} },
      { ioq: null },
    ]
  ) {
    assertThrows(wrong(options), TypeError);
  }
  assertThrows(wrong({ concurrency: 0 }), RangeError);
  assertThrows(wrong({ concurrency: 1.5 }), RangeError);
  assertThrows(() => walk("nul\0"), TypeError);
  assertThrows(() => walk(new URL("http://localhost/")), TypeError);
  assertThrows(() => walk(5 as unknown as string), TypeError);
});

Deno.test("walk() ends with a queue that is closed, whatever onError says", async () => {
  const ioq = await Ioq.open();
  const walked = walk("/usr", { ioq, onError: "skip" });
  await walked.next();
  const closed = ioq.close();
  const looks = await looksOf(async () => {
    while (!(await walked.next()).done);
    throw new Error("none");
  });
  assert(["BadResource", "Interrupted"].includes(looks.class), looks.class);
  await closed;
});

Deno.test("walk() without a queue keeps no process alive", async () => {
  const script = `
    import { walk } from "${MOD}";
    let count = 0;
    for await (const entry of walk(Deno.args[0])) count += Number(entry.isFile);
    console.log(count);
  `;
  using dir = new TempDir();
  dir.file("one");
  dir.file("two");
  const { stdout, stderr, code } = await runDeno(script, { args: [dir.path] });
  assertEquals([stdout, stderr, code], ["2\n", "", 0]);
});

Deno.test("walk() goes by Deno's permissions", async () => {
  const script = `
    import { walk } from "${MOD}";
    const found = [], errors = [];
    const onError = (error, entry) => errors.push(error.name + " " + entry.path);
    for await (const entry of walk(Deno.args[0], { onError, stat: Deno.args[1] === "stat" })) {
      found.push(entry.path);
    }
    console.log(JSON.stringify([found.sort(), errors]));
  `;
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("a/b"), { recursive: true });
  dir.file("a/b/file");
  dir.file("top");
  const at = (...names: string[]) => names.map((name) => dir.at(name));
  const all = [dir.path, ...at("a", "a/b", "a/b/file", "top")];
  const run = async (flags: string[], ...args: string[]) => {
    const out = await runDeno(script, { flags: ["--allow-ffi", ...flags], args });
    return out.stderr === "" ? JSON.parse(out.stdout) : out.stderr;
  };
  assertEquals(await run([`--allow-read=${dir.path}`], dir.path), [all, []]);
  assertEquals(await run(["--allow-read"], dir.path), [all, []]);
  const denied = ["--allow-read", `--deny-read=${dir.at("a/b")}`];
  assertEquals(await run(denied, dir.path), [
    all.filter((path) => !path.endsWith("file")),
    [`NotCapable ${dir.at("a/b")}`],
  ]);
  assertEquals(await run(denied, dir.path, "stat"), [
    [dir.path, ...at("a", "top")],
    [`NotCapable ${dir.at("a/b")}`, `NotCapable ${dir.at("a/b")}`],
  ]);
  assertEquals(await run([], dir.path), [[], [`NotCapable ${dir.path}`]]);
});

Deno.test({
  name: "walk() as a user who may not read everything" +
    (Deno.uid() === 0 ? "" : " (cannot: this takes root, to become somebody else)"),
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using dir = new TempDir();
    Deno.chmodSync(dir.path, 0o755);
    for (const name of ["open", "closed", "listed"]) {
      Deno.mkdirSync(dir.at(`${name}/inner`), { recursive: true });
      dir.file(`${name}/file`);
    }
    Deno.chmodSync(dir.at("closed"), 0);
    // Its names may be read, but nothing about them
    Deno.chmodSync(dir.at("listed"), 0o744);
    const script = `
      import { walk } from "${MOD}";
      const found = [], errors = [];
      const onError = (error, entry) => errors.push(error.name + " " + entry.path);
      const [root, policy, stat] = Deno.args;
      try {
        const options = { onError: policy === "tell" ? onError : policy, stat: stat === "stat" };
        for await (const entry of walk(root, options)) found.push(entry.path);
      } catch (error) {
        errors.push(error.name);
      }
      console.log(JSON.stringify([found.sort(), errors.sort()]));
    `;
    const run = async (...args: string[]) => {
      const { stdout, stderr } = await runAsNobody(script, [dir.path, ...args]);
      return stderr === "" ? JSON.parse(stdout) : stderr;
    };
    const found = [
      "",
      "/closed",
      "/listed",
      "/listed/file",
      "/listed/inner",
      "/open",
      "/open/file",
      "/open/inner",
    ].map((path) => dir.path + path);
    const denied = (path: string) => `PermissionDenied ${dir.at(path)}`;
    const errors = [denied("closed"), denied("listed/inner")];
    assertEquals(await run("tell"), [found, errors]);
    assertEquals(await run("skip"), [found, []]);
    assertEquals((await run("throw"))[1], ["PermissionDenied"]);
    assertEquals(await run("tell", "stat"), [
      found.filter((path) => !path.includes("/listed/")),
      [denied("closed"), denied("listed/file"), denied("listed/inner"), denied("listed/inner")],
    ]);
  },
});

/** Run a script as the user nobody. */
async function runAsNobody(script: string, args: string[]) {
  using dir = new TempDir();
  Deno.chmodSync(dir.path, 0o777);
  const file = dir.file("main.ts", script);
  // What root has cached, and where it is installed, is root's own
  const bundle = dir.at("main.js");
  const { success, stderr: why } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "-o", bundle, file],
  }).output();
  assert(success, new TextDecoder().decode(why));
  const deno = dir.at("deno");
  Deno.copyFileSync(Deno.execPath(), deno);
  const library = dir.at("libioq.so");
  Deno.copyFileSync(
    Deno.env.get("IOQ_LIBRARY") ?? new URL("../../native/build/libioq.so", import.meta.url),
    library,
  );
  // A library that was built for a sanitizer takes its runtime along, as in tests/trust/asan.ts;
  // what that finds goes to standard error, since nobody may write to root's reports
  const preload = Deno.env.get("LD_PRELOAD");
  const options = Deno.env.get("ASAN_OPTIONS")?.replace(/log_path=[^:]*/, "log_path=stderr");
  const sanitizer = preload === undefined || options === undefined
    ? {}
    : { LD_PRELOAD: preload, ASAN_OPTIONS: `${options}:detect_leaks=0` };
  const { code, stdout, stderr } = await new Deno.Command("setpriv", {
    args: [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      deno,
      "run",
      "-A",
      "--no-config",
      "--no-lock",
      bundle,
      ...args,
    ],
    cwd: dir.path,
    clearEnv: true,
    env: {
      ...sanitizer,
      IOQ_LIBRARY: library,
      NO_COLOR: "1",
      HOME: dir.path,
      DENO_DIR: dir.at("cache"),
    },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
