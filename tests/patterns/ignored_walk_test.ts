// Copyright 2026 the ioq authors. MIT license.

/** Walks and globs that heed what git ignores. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { glob, Ioq, walk, type WalkOptions } from "../../mod.ts";
import { excludesFileIn } from "../../src/trees/walk/ignore_sources.ts";
import { forEachBackend } from "../backends.ts";
import { descriptorsUnder, MOD, runDeno, TempDir } from "../fixtures.ts";
import { git, hasGit } from "./git.ts";
import { makeTree, Random, randomTree } from "./random_tree.ts";

/** The files that a walk finds, from its root on. */
async function find(root: string, options: WalkOptions): Promise<string[]> {
  const batches = await Array.fromAsync(
    walk.batches(root, { gitignore: true, includeDirs: false, ...options }),
  );
  return batches.flat().map((it) => it.path.slice(root.length + 1)).sort();
}

/** The files that git would track. */
async function tracked(root: string, env: Record<string, string> = {}): Promise<string[]> {
  const out = await git(root, ["ls-files", "-co", "--exclude-standard", "-z"], "", env);
  return out.split("\0").filter((it) => it !== "" && !it.endsWith("/")).sort();
}

Deno.test({
  name: "walks of random repositories find what git ls-files does",
  ignore: !hasGit,
  async fn() {
    await using ioq = await Ioq.open();
    const rounds = Number(Deno.env.get("IOQ_TEST_ROUNDS") ?? 6);
    const seed = Number(Deno.env.get("IOQ_TEST_SEED") ?? Date.now() % 1e6);
    for (let round = 0; round < rounds; round++) {
      using dir = new TempDir();
      const random = new Random(seed + round);
      // Several in one, so that git is called once
      for (let i = 0; i < 12; i++) {
        makeTree(dir.path, { [i]: randomTree(random, { gitignore: true }) });
      }
      await git(dir.path, ["init", "-q"]);
      dir.file(".git/info/exclude", "x\n/3\n!a\n");
      const expected = await tracked(dir.path);
      const what = `IOQ_TEST_SEED=${seed + round}`;
      assertEquals(await find(dir.path, { ioq }), expected, what);
      assertEquals(await find(dir.path, { ioq, sort: true, stat: true }), expected, what);
      const options = { cwd: dir.path, gitignore: true, dot: true, ioq };
      const found = await Array.fromAsync(glob("**", options));
      assertEquals(found.map((it) => it.relative).sort(), expected, what);
      // From within, the rules above count as well
      const within = expected.filter((it) => it.startsWith("1/")).map((it) => it.slice(2));
      assertEquals(await find(dir.at("1"), { ioq }), within, what);
      const named = await Array.fromAsync(glob("1/*", options));
      const direct = expected.filter((it) => /^1\/[^/]*$/.test(it));
      assertEquals(named.map((it) => it.relative).sort(), direct, what);
    }
  },
});

forEachBackend("ignored directories are not read", async ({ open, t }) => {
  using dir = new TempDir();
  makeTree(dir.path, {
    ".git": { info: { exclude: "/excluded\n" }, HEAD: "", config: "" },
    ".gitignore": "node_modules/\n*.log\n!keep.log\n",
    ".ignore": "!excluded\n",
    "a.ts": "",
    "a.log": "",
    "keep.log": "",
    node_modules: { dep: { "i.js": "" } },
    excluded: { "e.ts": "" },
    sub: { ".gitignore": "!a.log\nbuild", "a.log": "", build: { "x.ts": "" }, "b.ts": "" },
    // A repository of its own
    nested: {
      ".git": { info: { exclude: "own.ts" } },
      "a.log": "",
      "own.ts": "",
      ".gitignore": "n.ts",
      "n.ts": "",
      deep: { "a.log": "", "n.ts": "" },
    },
  });
  Deno.symlinkSync("sub", dir.at("node_modules_link"));
  await using ioq = await open();
  const own = [
    ".gitignore",
    ".ignore",
    "a.ts",
    "keep.log",
    "nested/.gitignore",
    "nested/a.log",
    "nested/deep/a.log",
    "node_modules_link",
    "sub/.gitignore",
    "sub/a.log",
    "sub/b.ts",
  ];
  assertEquals(await find(dir.path, { ioq }), own);
  assertEquals(await find(dir.path, { ioq, sort: true }), own);
  await t.step("other files on request", async () => {
    assertEquals(
      await find(dir.path, { ioq, ignoreFiles: [".ignore"] }),
      [...own, "excluded/e.ts"].sort(),
    );
    const without = await find(dir.path, { ioq, gitignore: false, ignoreFiles: [".ignore"] });
    assertEquals(without.includes("node_modules/dep/i.js"), true);
    assertEquals(without.includes(".git/HEAD"), true);
  });
  await t.step("links that are followed", async () => {
    const followed = await find(dir.path, { ioq, followSymlinks: true, canonicalize: false });
    assertEquals(
      followed,
      [
        ...own.filter((it) => it !== "node_modules_link"),
        "node_modules_link/.gitignore",
        "node_modules_link/a.log",
        "node_modules_link/b.ts",
      ].sort(),
    );
  });
  await t.step("globs and contents", async () => {
    const files = ioq.readFiles(ioq.glob("**/*.{ts,js}", { cwd: dir.path, gitignore: true }));
    const found = (await Array.fromAsync(files)).map((it) => String(it.path));
    assertEquals(found.map((it) => it.slice(dir.path.length + 1)).sort(), ["a.ts", "sub/b.ts"]);
  });
  assertEquals(descriptorsUnder(dir.path), 0);
});

Deno.test("a file of rules that cannot be read is an error like any other", async () => {
  using dir = new TempDir();
  makeTree(dir.path, { "a": "", sub: { "b": "" } });
  dir.fifo("sub/.gitignore");
  await using ioq = await Ioq.open();
  assertEquals(await find(dir.path, { ioq }), ["a", "sub/.gitignore", "sub/b"]);
  assertThrows(
    () => walk(dir.path, { ignoreFiles: ["a/b"] }),
    TypeError,
    "Expected ignoreFiles to be an array of names",
  );
});

Deno.test({
  name: "the user's own rules and those of worktrees count, as far as they may be read",
  ignore: !hasGit,
  async fn(t) {
    using dir = new TempDir();
    makeTree(dir.path, {
      home: { ".config": { git: { ignore: "*.own\n" } }, "other": "*.other\n" },
      repo: { "a.own": "", "b.other": "", "c.ts": "", "d.excluded": "" },
    });
    const root = dir.at("repo");
    await git(root, ["init", "-q"]);
    const home = dir.at("home");
    const run = async (args: string[]) => {
      const { stdout } = await runDeno(
        `import { Ioq, walk } from "${MOD}";
        await using ioq = await Ioq.open();
        const found = await Array.fromAsync(walk(Deno.args[0], { gitignore: true, ioq, includeDirs: false }));
        console.log(found.map((it) => it.name).sort().join());`,
        {
          flags: args,
          env: { HOME: home, XDG_CONFIG_HOME: `${home}/.config` },
          args: [root],
        },
      );
      return stdout.trim();
    };
    const env = { HOME: home, XDG_CONFIG_HOME: `${home}/.config` };
    await t.step("where they are by default", async () => {
      assertEquals(await run(["-A"]), "b.other,c.ts,d.excluded");
      assertEquals((await tracked(root, env)).join(), "b.other,c.ts,d.excluded");
    });
    await t.step("where the configuration says", async () => {
      dir.file("home/.gitconfig", '[Core] # c\n\texcludesFile = "~/other" ; c\n');
      assertEquals(await run(["-A"]), "a.own,c.ts,d.excluded");
      assertEquals((await tracked(root, env)).join(), "a.own,c.ts,d.excluded");
    });
    await t.step("not, if they may not be read", async () => {
      assertEquals(
        await run(["--allow-ffi", `--allow-read=${root}`]),
        "a.own,b.other,c.ts,d.excluded",
      );
    });
  },
});

Deno.test("a configuration of git's tells where the user's rules are", () => {
  assertEquals(excludesFileIn("[core]\nexcludesfile=/a b\n"), "/a b");
  assertEquals(excludesFileIn('[core "x"]\nexcludesfile=/a\n[other]\nexcludesFile=/b'), undefined);
  assertEquals(excludesFileIn('[CORE] ExcludesFile = "/a;b" # c'), "/a;b");
  assertEquals(excludesFileIn("[core]\nexcludesfile=/a\nexcludesfile = /b ; c\n"), "/b");
});

Deno.test("a closed queue ends a walk that looks for rules", async () => {
  using dir = new TempDir();
  makeTree(dir.path, { ".gitignore": "x", sub: { ".gitignore": "y" } });
  const ioq = await Ioq.open();
  const entries = walk(dir.path, { gitignore: true, ioq });
  await entries.next();
  await ioq.close();
  await assertRejects(() => Array.fromAsync(walk(dir.path, { gitignore: true, ioq })));
});
