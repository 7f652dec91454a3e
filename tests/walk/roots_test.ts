// Copyright 2026 the ioq authors. MIT license.

/** Where walks begin: links, what is above them, other current directories, permissions. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { walk, type WalkOptions } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { looksOf, MOD, runDeno, TempDir } from "../fixtures.ts";

forEachBackend("walk() of what is above a link gives paths that lead there", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  Deno.mkdirSync(dir.at("away/target"), { recursive: true });
  dir.file("away/file");
  Deno.symlinkSync("away/target", dir.at("link"));
  const root = dir.at("link/..");
  const paths = (await Array.fromAsync(walk(root, { ioq }))).map(({ path }) => path);
  assertEquals(paths.sort(), [root, `${root}/file`, `${root}/target`]);
  for (const path of paths) {
    assert(Deno.statSync(path));
  }
});

forEachBackend("walk() begins where its root was when it was called", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  Deno.mkdirSync(dir.at("one/tree"), { recursive: true });
  Deno.mkdirSync(dir.at("two/tree"), { recursive: true });
  dir.file("one/tree/right");
  dir.file("two/tree/wrong");
  const cwd = Deno.cwd();
  try {
    Deno.chdir(dir.at("one"));
    const entries = walk("tree", { ioq });
    Deno.chdir(dir.at("two"));
    const paths = (await Array.fromAsync(entries)).map(({ path }) => path);
    assertEquals(paths.sort(), ["tree", "tree/right"]);
  } finally {
    Deno.chdir(cwd);
  }
});

forEachBackend("walk() takes no longer than it may", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const entries = walk(dir.path, { ioq, timeoutMs: 1 });
  const looks = await looksOf(async () => {
    await entries.next();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await entries.next();
  });
  assertEquals([looks.class, looks.code], ["TimedOut", "ETIMEDOUT"]);
  assert(looks.message.includes(dir.path), looks.message);
  await entries.return!();
});

Deno.test("walk() refuses options that there are not, by name", () => {
  assertThrows(() => walk(".", { maxdepth: 1 } as WalkOptions), TypeError, "maxDepth");
  assertThrows(() => walk(".", { nonsense: 1 } as WalkOptions), TypeError, "nonsense");
});

/** What Deno lists by hand, and what a walk does, each with a word for what is refused. */
const COMPARED = `
  import { walk } from "${MOD}";
  const [root, ...more] = Deno.args;
  const options = JSON.parse(more[0] ?? "{}");
  const deno = [];
  const list = (path) => {
    for (const { name, isDirectory } of Deno.readDirSync(path)) {
      deno.push(name);
      if (isDirectory) {
        try { list(path + "/" + name); } catch (error) { deno.push(error.name); }
      }
    }
  };
  try { list(root); } catch (error) { deno.push(error.name); }
  const ours = [];
  try {
    for await (const { name } of walk(root, {
      ...options,
      onError: (error, entry) => {
        if (entry.path === root) throw error;
        ours.push(error.name);
      },
    })) ours.push(name);
  } catch (error) { ours.push(error.name); }
  const own = new URL("file://" + root).pathname.split("/").filter(Boolean).at(-1) ?? "/";
  console.log(JSON.stringify([deno.sort(), ours.filter((it) => it !== own).sort()]));
`;

Deno.test("walk() lists what Deno lists, by its permissions", async (t) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("tree/sub/secret/inner"), { recursive: true });
  Deno.mkdirSync(dir.at("tree/link target"));
  dir.file("tree/sub/secret/file");
  dir.file("tree/sub/open");
  dir.file("outside");
  Deno.symlinkSync("tree/sub/secret", dir.at("link"));
  const tree = dir.at("tree");
  const cases: readonly (readonly [root: string, flags: string[], options?: WalkOptions])[] = [
    [tree, ["--allow-read", `--deny-read=${tree}/sub/secret`]],
    [tree, [`--allow-read=${tree}`, `--deny-read=${tree}/sub/secret`]],
    [tree, [`--allow-read=${tree}/sub`]],
    [`${tree}/sub/secret/..`, [`--allow-read=${tree}`, `--deny-read=${tree}/sub/secret`]],
    [`${dir.at("link")}/..`, [`--allow-read=${dir.path}`]],
    ["/proc", ["--allow-read"], { includeDirs: false, maxDepth: 1 }],
    ["/proc", ["--allow-read=/proc"], { exts: ["nothing"], maxDepth: 1 }],
    [tree, [], { includeDirs: false }],
  ];
  for (const [root, flags, options = {}] of cases) {
    await t.step(
      `${root.slice(dir.path.length)} ${flags.join(" ").replaceAll(dir.path, "")}`,
      async () => {
        const { stdout, stderr } = await runDeno(COMPARED, {
          flags: ["--allow-ffi", ...flags],
          args: [root, JSON.stringify(options)],
        });
        assertEquals(stderr, "");
        const [deno, ours] = JSON.parse(stdout);
        assertEquals(ours, deno);
      },
    );
  }
});

forEachBackend(
  "a root that is removed when it is told of is not there to be read",
  async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    for (const sort of [false, true]) {
      const root = dir.at("root");
      Deno.mkdirSync(`${root}/sub`, { recursive: true });
      const entries = walk(root, { ioq, sort });
      assertEquals((await entries.next()).value.path, root);
      Deno.removeSync(root, { recursive: true });
      await assertRejects(() => entries.next(), Deno.errors.NotFound);
    }
  },
);
