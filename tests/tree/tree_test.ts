// Copyright 2026 the ioq authors. MIT license.

/** `removeTree()` and `copyTree()`. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { copyTree, Ioq, removeTree, type TreeOptions, walk } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, looksOf, MOD, runDeno, TempDir } from "../fixtures.ts";
import { DEEP_LEVELS, findPaths, makeDeep, makeHostile } from "../walk/hostile_tree.ts";

/** What there is to see of a tree: paths, types, modes, contents, where links point to. */
async function describe(root: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("find", {
    args: [root, "-printf", "%P\\t%y\\t%m\\t%l\\t"],
    stderr: "null",
    env: { LC_ALL: "C" },
  }).output();
  const { stdout: sums } = await new Deno.Command("sh", {
    args: ["-c", `cd '${root}' && find . -type f -exec cksum {} +`],
    env: { LC_ALL: "C" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
  return [...text(stdout).split("\t\t"), ...text(sums).split("\n")].sort();
}

function makeTree(dir: TempDir, root: string): string {
  const path = dir.at(root);
  Deno.mkdirSync(`${path}/a/b/c`, { recursive: true });
  Deno.mkdirSync(`${path}/empty`);
  for (const name of ["top", "a/one", "a/b/two", "a/b/c/three"]) {
    Deno.writeTextFileSync(`${path}/${name}`, name.repeat(10_000));
  }
  Deno.chmodSync(`${path}/a/one`, 0o754);
  Deno.chmodSync(`${path}/a/b`, 0o2750);
  Deno.symlinkSync("one", `${path}/a/link`);
  Deno.symlinkSync("nowhere", `${path}/broken`);
  Deno.symlinkSync("..", `${path}/a/up`);
  return path;
}

forEachBackend("removeTree() removes a hostile tree", async ({ open }) => {
  using dir = new TempDir();
  using tree = new TempDir();
  await using ioq = await open();
  await makeHostile(ioq, tree);
  // What links lead to stays
  const outside = makeTree(dir, "outside");
  Deno.symlinkSync(outside, tree.at("to outside"));
  const before = await describe(outside);
  const expected = (await findPaths(tree.path)).length;
  const seen: number[] = [];
  await removeTree(tree.path, { ioq, onProgress: ({ entries }) => seen.push(entries) });
  assertEquals(await looksOf(() => Deno.lstat(tree.path)).then((it) => it.code), "ENOENT");
  assertEquals(seen, Array.from({ length: expected }, (_, i) => i + 1));
  // Not their number: a Worker that starts meanwhile opens some of its own
  assertEquals(descriptorsUnder(tree.path), 0);
  assertEquals(await describe(outside), before);
  Deno.mkdirSync(tree.path);
}, ({ library }) => library);

forEachBackend("removeTree() takes what is no directory as well", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const file = dir.file("file");
  const tree = makeTree(dir, "tree");
  Deno.symlinkSync("tree", dir.at("link"));
  await removeTree(file, { ioq });
  await removeTree(dir.at("link"), { ioq });
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["tree"]);
  assert(Deno.statSync(`${tree}/a/b/c/three`).isFile);
  const missing = dir.at("missing");
  const looks = await looksOf(() => removeTree(missing, { ioq }));
  assertEquals([looks.class, looks.code], ["NotFound", "ENOENT"]);
  assert(looks.message.includes(missing), looks.message);
}, ({ library }) => library);

forEachBackend("removeTree() and copyTree() stop at the signal", async ({ open, t }) => {
  const reason = new Error("enough");
  for (const verb of ["remove", "copy"] as const) {
    await t.step(verb, async () => {
      using dir = new TempDir();
      await using ioq = await open();
      await makeHostile(ioq, dir);
      Deno.removeSync(dir.at("fifo"));
      Deno.removeSync(dir.at("socket"));
      using target = new TempDir();
      const controller = new AbortController();
      const options = {
        ioq,
        signal: controller.signal,
        onProgress: ({ entries }: { entries: number }) => {
          if (entries === 500) {
            controller.abort(reason);
          }
        },
      };
      const run = verb === "remove"
        ? removeTree(dir.path, options)
        : copyTree(dir.path, target.at("copy"), options);
      assertEquals(await assertRejects(() => run), reason);
      // What one request removes is told of when it is gone: not less than the root is left
      assert((await Array.fromAsync(walk(dir.path, { ioq }))).length > 0);
      assertEquals(descriptorsUnder(dir.path) + descriptorsUnder(target.path), 0);
      assertEquals(ioq.size, 0);
      const done = removeTree(dir.path, { ioq, signal: AbortSignal.abort(reason) });
      assertEquals(await assertRejects(() => done), reason);
    });
  }
}, ({ library }) => library);

forEachBackend("removeTree() is not led out of the tree", async ({ open }) => {
  using dir = new TempDir();
  const victim = dir.at("victim");
  Deno.mkdirSync(`${victim}/deeper`, { recursive: true });
  Deno.writeTextFileSync(`${victim}/precious`, "");
  Deno.writeTextFileSync(`${victim}/deeper/precious`, "");
  await using swapper = await startSwapper(dir, victim);
  await using ioq = await open();
  for (let round = 0; round < 20; round++) {
    try {
      Deno.mkdirSync(dir.at("tree/sub/deeper"), { recursive: true });
      for (const name of ["a", "deeper/b", "deeper/precious"]) {
        Deno.writeTextFileSync(dir.at(`tree/sub/${name}`), "");
      }
    } catch {
      // The other one has just taken it away
    }
    await removeTree(dir.at("tree"), { ioq, onError: "skip" });
    assert(Deno.lstatSync(`${victim}/precious`).isFile);
    assert(Deno.lstatSync(`${victim}/deeper/precious`).isFile);
  }
  assert(swapper.running);
}, ({ library }) => library);

forEachBackend("copyTree() is not led out of the tree", async ({ open }) => {
  using dir = new TempDir();
  const victim = dir.at("victim");
  Deno.mkdirSync(`${victim}/deeper`, { recursive: true });
  Deno.writeTextFileSync(`${victim}/deeper/secret`, "secret");
  Deno.mkdirSync(dir.at("tree/sub/deeper"), { recursive: true });
  Deno.writeTextFileSync(dir.at("tree/sub/deeper/file"), "");
  await using swapper = await startSwapper(dir, victim);
  await using ioq = await open();
  for (let round = 0; round < 20; round++) {
    const copy = dir.at(`copy ${round}`);
    await copyTree(dir.at("tree"), copy, { ioq, onError: "skip" });
    const names = (await Array.fromAsync(walk(copy, { ioq }))).map(({ name }) => name);
    assert(!names.includes("secret"), names.join());
  }
  assert(swapper.running);
}, ({ library }) => library);

/** A process that keeps exchanging the directory `tree/sub` and a link to another. */
async function startSwapper(dir: TempDir, victim: string) {
  const script = `
    const [root, victim] = Deno.args;
    const link = root + "/link", away = root + "/away", sub = root + "/tree/sub";
    Deno.symlinkSync(victim, link);
    console.log("ready");
    for (;;) {
      try { Deno.renameSync(sub, away); } catch { continue; }
      try {
        Deno.renameSync(link, sub);
        Deno.renameSync(sub, link);
      } catch {
        try { Deno.symlinkSync(victim, link); } catch { /* it is there */ }
      }
      try { Deno.renameSync(away, sub); } catch {
        try { Deno.removeSync(away, { recursive: true }); } catch { /* it is gone */ }
      }
    }`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", script, dir.path, victim],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  let running = true;
  const ended = child.status.then(() => running = false);
  return {
    get running() {
      return running;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      await reader.cancel();
    },
  };
}

forEachBackend("copyTree() makes the same tree", async ({ open, t }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await t.step("with modes and links", async () => {
    const from = makeTree(dir, "tree");
    const seen: string[] = [];
    const onProgress = ({ path }: { path: string }) => seen.push(path);
    await copyTree(from, dir.at("copy"), { ioq, onProgress });
    assertEquals(await describe(dir.at("copy")), await describe(from));
    assertEquals(seen.sort(), (await findPaths(from)).sort());
    assertEquals(descriptorsUnder(dir.path), 0);
  });
  await t.step("with times", async () => {
    const from = makeTree(dir, "timed");
    for (const name of ["a/one", "a/b", ""]) {
      Deno.utimeSync(`${from}/${name}`, 1e9, -5.5);
    }
    await copyTree(from, dir.at("timed copy"), { ioq, preserveTimestamps: true });
    for (const name of ["a/one", "a/b", "", "top"]) {
      const info = (root: string) => ioq.stat(`${root}/${name}`, { bigint: true });
      assertEquals((await info(dir.at("timed copy"))).mtimeNs, (await info(from)).mtimeNs, name);
    }
  });
  await t.step("of a single file and a link", async () => {
    const from = dir.at("tree");
    await copyTree(`${from}/top`, dir.at("file copy"), { ioq });
    assertEquals(Deno.readTextFileSync(dir.at("file copy")).length, 30_000);
    await copyTree(`${from}/broken`, dir.at("link copy"), { ioq });
    assertEquals(Deno.readLinkSync(dir.at("link copy")), "nowhere");
  });
  await t.step("not over what is there", async () => {
    const from = dir.at("tree");
    for (const to of ["copy", "file copy"]) {
      const looks = await looksOf(() => copyTree(from, dir.at(to), { ioq }));
      assertEquals(looks.class, "AlreadyExists");
    }
    const looks = await looksOf(() => copyTree(`${from}/top`, dir.at("file copy"), { ioq }));
    assertEquals(looks.class, "AlreadyExists");
  });
  await t.step("over what is there", async () => {
    const from = dir.at("tree");
    const to = dir.at("copy");
    const outside = dir.file("outside", "stays");
    Deno.removeSync(`${to}/top`);
    Deno.symlinkSync(outside, `${to}/top`);
    Deno.removeSync(`${to}/broken`);
    Deno.writeTextFileSync(`${to}/broken`, "a file");
    Deno.writeTextFileSync(`${to}/a/one`, "other");
    await copyTree(from, to, { ioq, overwrite: true });
    assertEquals(await describe(to), await describe(from));
    assertEquals(Deno.readTextFileSync(outside), "stays");
  });
  await t.step("not into itself", async () => {
    const from = dir.at("tree");
    const looks = await looksOf(() => copyTree(from, `${from}/a/inside`, { ioq }));
    assert(looks.message.includes("into itself"), looks.message);
    // Nothing is made that shows only later to be too much
    await assertRejects(() => Deno.lstat(`${from}/a/inside`), Deno.errors.NotFound);
    Deno.symlinkSync(`${from}/a`, dir.at("way in"));
    for (const to of [`${from}/inside/`, `${dir.at("way in")}/inside`, bytes(`${from}/a/inside`)]) {
      const { message } = await looksOf(() => copyTree(from, to, { ioq }));
      assert(message.includes("into itself"), message);
    }
    assertEquals([...Deno.readDirSync(`${from}/a`)].some(({ name }) => name === "inside"), false);
    Deno.removeSync(dir.at("way in"));
    const same = await looksOf(() => copyTree(from, from, { ioq, overwrite: true }));
    assertEquals(same.code, "EINVAL");
  });
}, ({ library }) => library);

forEachBackend("copyTree() copies a hostile tree", async ({ open }) => {
  using dir = new TempDir();
  using target = new TempDir();
  await using ioq = await open();
  await makeHostile(ioq, dir);
  const copy = target.at("copy");
  const failed: string[] = [];
  const onError = (error: Error, path: string) => {
    assert(error instanceof Deno.errors.NotSupported, error.message);
    failed.push(path);
  };
  await copyTree(dir.path, copy, { ioq, onError });
  assertEquals(failed.sort(), [dir.at("fifo"), dir.at("socket")]);
  Deno.removeSync(dir.at("fifo"));
  Deno.removeSync(dir.at("socket"));
  const relative = async (root: string) =>
    (await findPaths(root)).map((path) => path.slice(root.length)).sort();
  assertEquals(await relative(copy), await relative(dir.path));
  const looks = await looksOf(() => copyTree(copy, target.at("none/copy"), { ioq }));
  assertEquals(looks.class, "NotFound");
}, ({ library }) => library);

Deno.test("trees deeper than the limit of open descriptors", async () => {
  using dir = new TempDir();
  {
    await using ioq = await Ioq.open();
    await makeDeep(ioq, dir.at("deep"));
  }
  const script = `
    import { copyTree, removeTree, walk, defaultQueue } from "${MOD}";
    const [from, to] = Deno.args;
    await copyTree(from, to);
    let count = 0;
    for await (const _ of walk(to)) count++;
    await removeTree(from);
    await removeTree(to);
    console.log(count);
  `;
  using scripts = new TempDir();
  const file = scripts.file("main.ts", script);
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: [
      "-c",
      'ulimit -n 100 && exec "$@"',
      "sh",
      Deno.execPath(),
      "run",
      "-A",
      "--quiet",
      "--no-config",
      "--no-lock",
      file,
      dir.at("deep"),
      dir.at("copy"),
    ],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals([text(stderr), text(stdout)], ["", `${DEEP_LEVELS * 4 + 1}\n`]);
  assertEquals([...Deno.readDirSync(dir.path)], []);
});

Deno.test("removeTree() and copyTree() refuse wrong options before anything is done", async () => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("tree"));
  dir.file("tree/file");
  for (const options of [{ ioq: {} }, { ioq: null }, { signal: {} }, { onError: "ignore" }]) {
    const wrong = options as unknown as TreeOptions;
    await assertRejects(() => removeTree(dir.at("tree"), wrong), TypeError, "Expected");
    await assertRejects(() => copyTree(dir.at("tree"), dir.at("copy"), wrong), TypeError);
  }
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["tree"]);
  assert(Deno.statSync(dir.at("tree/file")).isFile);
});

Deno.test("removeTree() and copyTree() go by Deno's permissions", async () => {
  using dir = new TempDir();
  const from = makeTree(dir, "tree");
  Deno.removeSync(`${from}/a/link`);
  Deno.removeSync(`${from}/a/up`);
  Deno.removeSync(`${from}/broken`);
  const script = `
    import { copyTree, removeTree } from "${MOD}";
    const [from, to] = Deno.args;
    const name = (error) => error.name;
    console.log(await copyTree(from, to).catch(name), await removeTree(from).catch(name));
  `;
  const run = async (...flags: string[]) =>
    (await runDeno(script, { flags: ["--allow-ffi", ...flags], args: [from, dir.at("copy")] }))
      .stdout.trim();
  assertEquals(await run(), "NotCapable NotCapable");
  assertEquals(await run(`--allow-read=${from}`), "NotCapable NotCapable");
  assertEquals(
    await run(`--allow-read=${from}`, `--allow-write=${dir.path}`),
    "undefined undefined",
  );
  assert(Deno.statSync(dir.at("copy/a/b/c/three")).isFile);
});

forEachBackend("what fails beside a file does not interrupt its copy", async ({ open }) => {
  await using ioq = await open();
  using dir = new TempDir();
  const size = 16_000_000;
  const data = new Uint8Array(size).fill(1);
  const paths = Array.from({ length: 4 }, (_, i) => `${i}/file`);
  for (let i = 0; i < 8; i++) {
    Deno.mkdirSync(dir.at(`from/${i}`), { recursive: true });
    // Where a file is to be, there is a directory in half of them
    Deno.mkdirSync(dir.at(i < 4 ? `to/${i}` : `to/${i}/file`), { recursive: true });
    Deno.writeFileSync(dir.at(`from/${i}/file`), i < 4 ? data : new Uint8Array());
  }
  for (const path of paths) {
    dir.file(`to/${path}`, "old");
  }
  for (const onError of ["throw", () => assert(false)] as const) {
    await assertRejects(() =>
      copyTree(dir.at("from"), dir.at("to"), { ioq, overwrite: true, onError })
    );
    for (const path of paths) {
      const copy = Deno.readFileSync(dir.at(`to/${path}`));
      assert(
        new TextDecoder().decode(copy.subarray(0, 9)) === "old" ||
          copy.length === size && copy.indexOf(0) < 0,
        `${path}: ${copy.length}`,
      );
      dir.file(`to/${path}`, "old");
    }
    assertEquals(descriptorsUnder(dir.path), 0);
  }
}, ({ library }) => library);
