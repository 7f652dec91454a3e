// Copyright 2026 the ioq authors. MIT license.

/** The `ioq` command, beside the commands it resembles. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { COMPLETED } from "../src/cli/completions.ts";
import { formatHuman } from "../src/cli/du_options.ts";
import { quote } from "../src/cli/quoting.ts";
import { globToPathExpression } from "../src/cli/glob.ts";
import { Ioq } from "../mod.ts";
import { TempDir, text } from "./fixtures.ts";
import { findPaths, latin1, makeHostile } from "./walk/hostile_tree.ts";

const CLI = fileURLToPath(new URL("../cli.ts", import.meta.url));

/** What a command says. */
async function output(command: string, args: string[], cwd?: string) {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    stdin: "null",
    env: { NO_COLOR: "1", LC_ALL: "C" },
    ...(cwd === undefined ? {} : { cwd }),
  }).output();
  return { code, stdout, stderr: text(stderr) };
}

/** What `ioq` says. */
function ioq(args: string[], cwd?: string) {
  return output(Deno.execPath(), ["run", "-A", "--quiet", CLI, ...args], cwd);
}

/** Lines in order. */
function sortedLines(bytes: Uint8Array, end = "\n"): string[] {
  return latin1(bytes).split(end).sort();
}

/** A tree with something for each option. */
function makeTree(dir: TempDir): void {
  for (const path of ["a/b/c", "node_modules/x", "z.d"]) {
    Deno.mkdirSync(dir.at(path), { recursive: true });
  }
  for (const path of ["one.ts", "two.js", "a/three.ts", "a/b/f[o]ur.ts", "node_modules/x/y.ts"]) {
    dir.file(path, path.repeat(1000));
  }
  dir.fifo("a/fifo");
  Deno.symlinkSync("one.ts", dir.at("link"));
  Deno.linkSync(dir.at("one.ts"), dir.at("a/b/again.ts"));
  Deno.linkSync(dir.at("one.ts"), dir.at("a/b/c/and again.ts"));
}

Deno.test("ioq find prints what find prints", async (t) => {
  using dir = new TempDir();
  makeTree(dir);
  const cases: [string[], string[]][] = [
    [[], []],
    [["--type", "f"], ["-type", "f"]],
    [["--type", "d"], ["-type", "d"]],
    [["--type", "l"], ["-type", "l"]],
    [["--type", "p"], ["-type", "p"]],
    [["--type", "f,l"], ["-type", "f,l"]],
    [["--name", "*.ts"], ["-name", "*.ts"]],
    [["--name", "f\\[o]*"], ["-name", "f\\[o]*"]],
    [["--name", "[!a-n]*"], ["-name", "[!a-n]*"]],
    [["--name", "?"], ["-name", "?"]],
    [["--name", "a", "--name", "b"], ["(", "-name", "a", "-o", "-name", "b", ")"]],
    [["--ext", "ts"], ["-name", "*.ts"]],
    [["--max-depth", "1"], ["-maxdepth", "1"]],
    [["--max-depth", "0"], ["-maxdepth", "0"]],
    [["--skip", "node_modules"], ["-name", "node_modules", "-prune", "-o", "-print"]],
  ];
  for (const root of [dir.path, ".", "./", "a", "./a//"]) {
    for (const [ours, theirs] of cases) {
      await t.step(`${root} ${ours.join(" ")}`, async () => {
        const expected = await output("find", [root, ...theirs], dir.path);
        const actual = await ioq(["find", root, ...ours], dir.path);
        // A directory that is given with slashes has them twice in find's paths
        const shape = (lines: string[]) => lines.map((line) => line.replaceAll(/\/+/g, "/"));
        assertEquals(shape(sortedLines(actual.stdout)), shape(sortedLines(expected.stdout)));
        assertEquals([actual.code, actual.stderr], [0, ""]);
      });
    }
  }
  await t.step("what is no directory", async () => {
    Deno.symlinkSync("nothing", dir.at("broken"));
    const given = ["one.ts", "./two.js", "a/fifo", "link", "broken", "a//three.ts"];
    for (const [ours, theirs] of cases) {
      const expected = await output("find", ["-H", ...given, ...theirs], dir.path);
      const actual = await ioq(["find", ...given, ...ours], dir.path);
      assertEquals(sortedLines(actual.stdout), sortedLines(expected.stdout));
      assertEquals([actual.code, actual.stderr], [0, ""]);
    }
    for (const slashed of ["one.ts/", "broken/"]) {
      const wrong = await ioq(["find", slashed], dir.path);
      assertEquals([wrong.code, text(wrong.stdout)], [1, ""]);
      assertMatch(wrong.stderr, /^ioq find: /);
    }
    Deno.removeSync(dir.at("broken"));
  });
  await t.step("no root, and several", async () => {
    const none = await ioq(["find"], dir.path);
    assertEquals(
      sortedLines(none.stdout),
      sortedLines((await output("find", [], dir.path)).stdout),
    );
    const two = await ioq(["find", "a", "z.d"], dir.path);
    const expected = await output("find", ["a", "z.d"], dir.path);
    assertEquals(sortedLines(two.stdout), sortedLines(expected.stdout));
  });
});

Deno.test("ioq find prints the names' bytes", async () => {
  using dir = new TempDir();
  await using queue = await Ioq.open();
  await makeHostile(queue, dir);
  const expected = await findPaths(dir.path);
  const { stdout, stderr, code } = await ioq(["find", "--print0", dir.path]);
  assertEquals(sortedLines(stdout, "\0").slice(1), expected);
  assertEquals([code, stderr], [0, ""]);
  const root = dir.path.split("/").at(-1)!;
  const relative = await ioq(["find", "--print0", `./${root}`], dir.at(".."));
  assertEquals(
    sortedLines(relative.stdout, "\0").slice(1),
    expected.map((path) => `./${path.slice(dir.path.length - root.length)}`).sort(),
  );
  const json = text((await ioq(["find", "--json", dir.path])).stdout).trimEnd().split("\n");
  const paths = json.map((line) => {
    const { path, rawPath } = JSON.parse(line);
    return rawPath === undefined ? latin1(new TextEncoder().encode(path)) : atob(rawPath);
  });
  assertEquals(paths.sort(), expected);
});

Deno.test("ioq find tells of errors and goes on", async () => {
  using dir = new TempDir();
  dir.file("file");
  const missing = await ioq(["find", "missing", "file"], dir.path);
  assertEquals(missing.code, 1);
  assertEquals(text(missing.stdout), "file\n");
  assertMatch(missing.stderr, /^ioq find: No such file or directory .*'missing'\n/);
  for (const args of [["--bad"], ["--type", "x"], ["--max-depth", "-1"], ["--name", "[z-a]"]]) {
    const wrong = await ioq(["find", ...args]);
    assertEquals([wrong.code, text(wrong.stdout)], [2, ""]);
    assertMatch(wrong.stderr, /^ioq: .*; 'ioq find --help' tells how it is called\n$/);
  }
});

Deno.test({
  name: "ioq find waits for the reader of a pipe that does not block",
  ignore: !hasPython(),
  async fn() {
    using dir = new TempDir();
    for (let i = 0; i < 1000; i++) {
      dir.file(`${"long name ".repeat(20)}${i}`);
    }
    // Deno cannot make one; what it reads comes late, and more than a pipe holds
    const program = `
import fcntl, os, subprocess, sys, time
r, w = os.pipe()
fcntl.fcntl(w, fcntl.F_SETFL, fcntl.fcntl(w, fcntl.F_GETFL) | os.O_NONBLOCK)
child = subprocess.Popen(sys.argv[1:], stdout=w)
os.close(w)
time.sleep(0.5)
length = 0
while True:
    chunk = os.read(r, 1 << 16)
    if not chunk: break
    length += chunk.count(b"\\0")
print(length, child.wait())`;
    const args = [Deno.execPath(), "run", "-A", "--quiet", CLI, "find", "--print0", dir.path];
    const { stdout, stderr } = await new Deno.Command("python3", { args: ["-c", program, ...args] })
      .output();
    assertEquals(text(stderr), "");
    assertEquals(text(stdout), "1001 0\n");
  },
});

function hasPython(): boolean {
  try {
    return new Deno.Command("python3", { args: ["--version"], stdout: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

Deno.test("ioq find is quiet when its reader goes", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", CLI, "find", "/usr"],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const stderr = await new Response(child.stderr).text();
  assertEquals([(await child.status).code, stderr], [141, ""]);
});

Deno.test({
  name: "on a terminal names are harmless, and have colours",
  ignore: !(await hasScript()),
  fn: async () => {
    using dir = new TempDir();
    dir.file("red\u001b[31m\nname");
    Deno.mkdirSync(dir.at("sub"));
    const run = async (env: Record<string, string>) => {
      const { stdout } = await new Deno.Command("script", {
        args: [
          "-qec",
          `'${Deno.execPath()}' run -A --quiet '${CLI}' find '${dir.path}'`,
          "/dev/null",
        ],
        env,
        stdin: "null",
      }).output();
      return text(stdout);
    };
    const plain = await run({ NO_COLOR: "1" });
    assert(plain.includes(`'${dir.at("red")}'$'\\033''[31m'$'\\n''name'`), plain);
    assert(!plain.includes("\u001b"), plain);
    assert((await run({ NO_COLOR: "" })).includes(`\u001b[1;34m${dir.at("sub")}\u001b[0m`));
  },
});

Deno.test("names are quoted as ls quotes them", async () => {
  using dir = new TempDir();
  const names = [
    "plain",
    "a b",
    "it's",
    "it's $HOME",
    'say "hi"',
    "new\nline",
    "\n",
    "\u001b[31mred",
    "tab\t",
    "csi \u009b1m",
    "日本語",
    "\u{1f600}",
    "star*",
    "#hash",
    "back\\slash",
  ];
  for (const name of names) {
    dir.file(name);
  }
  const { stdout } = await new Deno.Command("ls", {
    args: ["-U", "--quoting-style=shell-escape", ...names],
    cwd: dir.path,
    env: { LC_ALL: "C.UTF-8" },
  }).output();
  assertEquals(names.map(quote), text(stdout).trimEnd().split(/\n|  +/));
  assertEquals(quote(Uint8Array.from([0x61, 0xff, 0xfe, 0x62])), `'a'$'\\377\\376''b'`);
  assertEquals(quote("\u202eabc\u061c"), `''$'\\342\\200\\256''abc'$'\\330\\234'`);
});

Deno.test("JSON shows nothing that does more than show", async () => {
  using dir = new TempDir();
  const name = "\u009b31m\u202eabc\u061c\u2066\u007f";
  dir.file(name);
  const { stdout } = await ioq(["find", "--json", "--type", "f", dir.path]);
  const line = text(stdout).trimEnd();
  assertMatch(line, /^[ -~]+$/);
  assertEquals(JSON.parse(line).name, name);
});

Deno.test("roots that are not what they look like lead to what find and du find there", async (t) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("x/y"), { recursive: true });
  Deno.mkdirSync(dir.at("t/in"), { recursive: true });
  dir.file("x/file", "text");
  Deno.symlinkSync("t/in", dir.at("link"));
  for (const root of [".//", "link/..", "x/../", "x//", "./x/."]) {
    await t.step(root, async () => {
      for (const command of ["find", "du"]) {
        const expected = await output(command, [root], dir.path);
        const actual = await ioq([command, root], dir.path);
        assertEquals(sortedLines(actual.stdout), sortedLines(expected.stdout), command);
      }
    });
  }
});

Deno.test({
  name: "ioq du of a directory that is mounted in itself",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using dir = new TempDir();
    Deno.mkdirSync(dir.at("tree/mounted"), { recursive: true });
    Deno.mkdirSync(dir.at("tree/other"));
    const du = `'${Deno.execPath()}' run -A --quiet '${CLI}' du`;
    const script = `mount --bind tree tree/mounted && du tree && du -s tree && echo && ` +
      `${du} tree && ${du} -s tree`;
    const { code, stdout } = await output("unshare", ["-m", "sh", "-c", script], dir.path);
    if (code !== 0) {
      // Not everywhere may root mount something
      return;
    }
    const [expected, actual] = text(stdout).trimEnd().split("\n\n");
    assertEquals(actual, expected);
  },
});

async function hasScript(): Promise<boolean> {
  try {
    return (await new Deno.Command("script", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "ioq find and ioq du -s tell of what nobody may read, as they do with more to do",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    using dir = new TempDir();
    Deno.chmodSync(dir.path, 0o755);
    Deno.mkdirSync(dir.at("tree/closed/below"), { recursive: true });
    Deno.mkdirSync(dir.at("tree/open/blind"), { recursive: true });
    dir.file("tree/open/blind/file");
    dir.file("tree/other");
    Deno.mkdirSync(dir.at("cache"));
    Deno.chmodSync(dir.at("cache"), 0o777);
    Deno.chmodSync(dir.at("tree/closed"), 0);
    // Names, and nothing of what has them
    Deno.chmodSync(dir.at("tree/open/blind"), 0o744);
    const nobody = (...args: string[]) =>
      output("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", ...args], dir.path);
    const ours = (...args: string[]) =>
      nobody("env", `DENO_DIR=${dir.at("cache")}`, Deno.execPath(), "run", "-A", CLI, ...args);
    if ((await ours("info")).code !== 0) {
      // Nobody may read the sources
      return;
    }
    for (
      const [fast, slow] of [
        [["find", "--errors", "tree"], ["find", "--errors", "--max-depth", "9", "tree"]],
        [["find", "tree"], ["find", "--max-depth", "9", "tree"]],
        [["find", "tree/closed"], ["find", "--max-depth", "9", "tree/closed"]],
        [["du", "-s", "tree"], ["du", "--max-depth", "0", "tree"]],
        [["du", "-s", "tree/closed"], ["du", "--max-depth", "0", "tree/closed"]],
      ] as const
    ) {
      const [one, other] = [await ours(...fast), await ours(...slow)];
      assertEquals(sortedLines(one.stdout), sortedLines(other.stdout));
      assertEquals(one.stderr.split("\n").sort(), other.stderr.split("\n").sort());
      assertEquals([one.code, other.code], [1, 1]);
    }
  },
});

Deno.test("ioq du prints what du prints", async (t) => {
  using dir = new TempDir();
  makeTree(dir);
  dir.file("sparse");
  Deno.truncateSync(dir.at("sparse"), 5 * 2 ** 20);
  const cases = [
    [],
    ["-s"],
    ["-h"],
    ["-sh"],
    ["--max-depth=0"],
    ["--max-depth=1"],
    ["--apparent-size"],
    ["--apparent-size", "-h"],
    ["-s", "--apparent-size"],
  ];
  for (
    const paths of [
      [],
      ["."],
      ["a/"],
      ["one.ts"],
      ["a", "z.d", "."],
      ["a/b", "a"],
      [".", "."],
      ["a", "a/b"],
      ["link"],
      ["/usr/share"],
    ]
  ) {
    for (const options of cases) {
      await t.step([...options, ...paths].join(" "), async () => {
        const expected = await output("du", [...options, ...paths], dir.path);
        const actual = await ioq(["du", ...options, ...paths], dir.path);
        assertEquals(sortedLines(actual.stdout), sortedLines(expected.stdout));
        assertEquals([actual.code, actual.stderr], [expected.code, ""]);
      });
    }
  }
  await t.step("missing", async () => {
    const { code, stdout, stderr } = await ioq(["du", "missing"], dir.path);
    assertEquals([code, text(stdout)], [1, ""]);
    assertMatch(stderr, /^ioq du: No such file or directory .*'missing'\n$/);
  });
});

Deno.test("formatHuman() rounds as du -h does", () => {
  const expected: [number, string][] = [
    [0, "0"],
    [1, "1"],
    [1023, "1023"],
    [1024, "1.0K"],
    [1025, "1.1K"],
    [10 * 1024 - 1, "10K"],
    [10 * 1024 + 1, "11K"],
    [1024 * 1023 + 1, "1.0M"],
    [1024 ** 2, "1.0M"],
    [1024 ** 3 * 2.5, "2.5G"],
  ];
  for (const [bytes, text] of expected) {
    assertEquals(formatHuman(bytes), text);
  }
});

Deno.test("globToPathExpression() matches names, or paths if it has a slash", () => {
  const expected: [string, string, boolean][] = [
    ["*.ts", "/a/b.ts", true],
    ["*.ts", "b.ts", true],
    ["*.ts", "/a.ts/b", false],
    ["*", "/.hidden", true],
    ["a?c", "/x/abc", true],
    ["a?c", "/x/a\u{1f600}c", true],
    ["a?c", "/a/c", false],
    ["[]x]", "]", true],
    ["[!]x]", "]", false],
    ["[a-c-]", "-", true],
    ["[[:digit:]]", "5", true],
    ["[[:digit:]]", "x", false],
    ["[", "[", true],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["a.b", "axb", false],
    ["/a/*/c", "/a/b/c", true],
    ["/a/*/c", "/x/a/b/c", false],
    ["new*", "new\nline", true],
    ["x", "x\n", false],
  ];
  for (const [glob, path, matches] of expected) {
    assertEquals(globToPathExpression(glob).test(path), matches, `${glob} ${path}`);
  }
});

Deno.test("ioq find finds by globs, sizes and times, and passes over what git ignores", async () => {
  using dir = new TempDir();
  makeTree(dir);
  dir.file(".gitignore", "node_modules\n*.js\n");
  Deno.utimeSync(dir.at("a/three.ts"), new Date(), new Date(Date.now() - 3.5 * 86_400_000));
  Deno.utimeSync(dir.at("two.js"), new Date(), new Date(Date.now() + 1000));
  const found = async (args: string[], root = ".") => {
    const { code, stdout, stderr } = await ioq(["find", root, ...args], dir.path);
    assertEquals([code, stderr], [0, ""]);
    return sortedLines(stdout).filter((it) => it !== "");
  };
  assertEquals(await found(["-g", "a/**/*.ts"]), [
    "./a/b/again.ts",
    "./a/b/c/and again.ts",
    "./a/b/f[o]ur.ts",
    "./a/three.ts",
  ]);
  assertEquals(await found(["--glob", "**/*.ts", "-g", "!{a,node_modules}"], `${dir.path}/`), [
    `${dir.path}/one.ts`,
  ]);
  assertEquals(await found(["-I", "--type", "f", "--max-depth", "1"]), [
    "./.gitignore",
    "./one.ts",
  ]);
  assertEquals(await found(["--gitignore", "-g", "*"]), [
    "./.gitignore",
    "./a",
    "./link",
    "./one.ts",
    "./z.d",
  ]);
  for (
    const [ours, theirs] of [
      [["--size", "7k"], ["-size", "7k"]],
      [["--size=+6000"], ["-size", "+6000c"]],
      [["--size=-1k"], ["-size", "-1k"]],
      [["--newer", "one.ts"], ["-newer", "one.ts"]],
      [["--mtime", "3"], ["-mtime", "3"]],
      [["--mtime=+2"], ["-mtime", "+2"]],
      [["--mtime=-1"], ["-mtime", "-1"]],
      [["--mtime=-3", "--size=+1k", "--type", "f"], ["-mtime", "-3", "-size", "+1k", "-type", "f"]],
    ] as [string[], string[]][]
  ) {
    const expected = await output("find", [".", ...theirs], dir.path);
    assertEquals(
      await found(ours),
      sortedLines(expected.stdout).filter((it) => it !== ""),
      `${ours}`,
    );
  }
});

Deno.test("completions know the options that commands take", async () => {
  for (const [command, options] of Object.entries(COMPLETED)) {
    const usage = text((await ioq([command, "--help"])).stdout);
    const named = [...usage.matchAll(/^ {2}(?:-\w, )?(?:--([a-z0-9-]+)|-h )/gm)].map((it) => it[1]);
    const known = options.map((it) => it.long);
    assertEquals(named.filter((it) => it !== undefined && !known.includes(it)), [], command);
    for (const { long } of options.filter((it) => it.long !== "human")) {
      assert(usage.includes(`--${long}`), `${command} --${long}`);
    }
  }
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout } = await ioq(["completions", shell]);
    assertEquals(code, 0);
    assertMatch(text(stdout), /gitignore/);
  }
});

Deno.test({
  name: "bash completes",
  ignore: !(await hasBash()),
  async fn() {
    const script = text((await ioq(["completions", "bash"])).stdout);
    const complete = async (words: string[]) => {
      const { stdout, stderr } = await output("bash", [
        "-c",
        `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ioq; printf '%s\\n' "\${COMPREPLY[@]}"`,
        "bash",
        ...words,
      ]);
      assertEquals(stderr, "");
      return text(stdout).trim().split("\n");
    };
    assertEquals(await complete(["ioq", "fi"]), ["find"]);
    assertEquals(await complete(["ioq", "find", "--gi"]), ["--gitignore"]);
    assertEquals(await complete(["ioq", "completions", "z"]), ["zsh"]);
  },
});

async function hasBash(): Promise<boolean> {
  return await output("bash", ["--version"]).then(() => true, () => false);
}

Deno.test("ioq tells how it is called", async () => {
  for (
    const args of [
      ["--help"],
      ["-h"],
      ["help"],
      ["find", "--help"],
      ["du", "--help"],
      [
        "info",
        "-h",
      ],
      ["find", ".", "-h"],
      ["--help", "find"],
      ["help", "du"],
      ["completions", "--help"],
    ]
  ) {
    const { code, stdout, stderr } = await ioq(args);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(text(stdout), /^Usage: ioq/);
  }
  const wrong = [
    [],
    ["nothing"],
    ["info", "more"],
    ["du", "--max-depth", "x"],
    ["du", "--nothing"],
    ["du", "-s", "-d", "2"],
    ["find", "--max-depth", "-1"],
    ["find", "--size", "x"],
    ["find", "--mtime", "1.5"],
    ["find", "--glob", "../*"],
    ["completions"],
    ["completions", "tcsh"],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await ioq(args);
    assertEquals([code, text(stdout)], [2, ""]);
    assertMatch(stderr, /^ioq: .*; 'ioq (?:find |du |info |completions )?--help' tells .*\n$/);
  }
  const version = await ioq(["--version"]);
  assertMatch(text(version.stdout), /^ioq \d+\.\d+\.\d+\n$/);
  const info = await ioq(["info", "--json"]);
  assertEquals(info.code, 0);
  assertEquals(JSON.parse(text(info.stdout)).backend.kind, "uring");
  const lines = text((await ioq(["info"])).stdout).split("\n");
  for (const [name, value] of [["backend", "uring, up to"], ["library", "ABI version"]]) {
    assert(lines.some((it) => it.startsWith(name!) && it.includes(value!)), lines.join("\n"));
  }
});
