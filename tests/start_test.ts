// Copyright 2026 the ioq authors. MIT license.

/**
 * What starting loads: the modules on each way have a budget, Node's are on none of them,
 * and what Workers run is in the module graph.
 */

import { assert, assertEquals } from "@std/assert";
import { TempDir, text } from "./fixtures.ts";

const ROOT = new URL("../", import.meta.url);

interface Dependency {
  readonly specifier: string;
  readonly isDynamic?: boolean;
  readonly code?: { readonly specifier?: string };
}

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly Dependency[];
}

/** The modules that can be reached from one of the package's, by their URLs. */
async function graphOf(path: string): Promise<[string, Module][]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL(path, ROOT).href],
    stdin: "null",
    stderr: "null",
  }).output();
  const { modules } = JSON.parse(text(stdout)) as { modules: Module[] };
  return modules.map((module) => [module.specifier, module]);
}

const graph = new Map(
  (await Promise.all(["mod.ts", "cli.ts", "src/loop/mod.ts"].map(graphOf))).flat(),
);

/** What importing some modules of the package loads, by path. */
function loadedBy(paths: readonly string[]): string[] {
  const waiting = paths.map((path) => new URL(path, ROOT).href);
  const loaded = new Set<string>();
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (loaded.has(url)) {
      continue;
    }
    loaded.add(url);
    for (const { isDynamic, code } of graph.get(url)?.dependencies ?? []) {
      if (!isDynamic && code?.specifier !== undefined) {
        waiting.push(code.specifier);
      }
    }
  }
  return [...loaded].map((url) => url.startsWith(ROOT.href) ? url.slice(ROOT.href.length) : url);
}

/** Each way: what is imported, what is loaded on it later, and how many modules that may be. */
const WAYS: Readonly<
  Record<string, readonly [paths: readonly string[], most: number, least?: number]>
> = {
  "import, open, stat, readFile": [["mod.ts"], 80],
  "walk": [["mod.ts", "src/trees/walk/scheduler.ts"], 94],
  "openFile": [["mod.ts", "src/files/file.ts"], 88],
  "ioq find, all of it": [["cli.ts", "src/cli/find_lines.ts"], 10, 9],
  "ioq du -s": [["cli.ts", "src/cli/du_total.ts"], 11, 9],
  "ioq find": [["cli.ts", "src/cli/find.ts", "src/trees/walk/scheduler.ts"], 105],
  "ioq du": [["cli.ts", "src/cli/du.ts", "src/trees/walk/scheduler.ts"], 98],
};

for (const [name, [paths, most, least = 40]] of Object.entries(WAYS)) {
  Deno.test(`few modules are loaded, and none of Node's: ${name}`, () => {
    const loaded = loadedBy(paths);
    assertEquals(loaded.filter((path) => !/^(?:mod|cli)\.ts$|^(?:src|ffi)\//.test(path)), []);
    assert(loaded.length <= most, `${loaded.length} modules, at most ${most} are meant to be`);
    assert(loaded.length >= least, "the graph was read");
  });
}

Deno.test("what Workers run is in the module graph", () => {
  for (const path of ["src/backends/worker/lane.ts", "src/loop/pool_worker.ts"]) {
    assert(graph.has(new URL(path, ROOT).href), path);
  }
});

/** Run Deno with a cache of its own. */
async function deno(dir: TempDir, args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: dir.path,
    env: { NO_COLOR: "1", DENO_DIR: dir.at("cache"), DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  }).output();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Uses a Worker of each kind. */
const script = (mod: string, loop: string) => `
  import { Ioq } from "${mod}";
  import { EventLoop } from "${loop}";
  {
    await using ioq = await Ioq.open({ backend: "worker", threads: 1 });
    console.log(ioq.backend.lanes, (await ioq.stat(".")).isDirectory);
  }
  await using loop = await EventLoop.open({ backend: "threads" });
  const task = new URL("data:text/javascript,export default () => 42");
  console.log(await loop.concurrent(task, []));
`;

/** Tells which functions of the library are bound by a first result, and by the end. */
const BINDING = (mod: string) => `
  const { dlopen } = Deno;
  const names = [];
  Deno.dlopen = (path, functions) => {
    names.push(...Object.keys(functions));
    return dlopen(path, functions);
  };
  const { Ioq } = await import("${mod}");
  const ioq = await Ioq.open();
  await ioq.stat(".");
  console.log(names.length);
  await ioq.readFile("main.js");
  await ioq.close();
  console.log(names.length);
`;

Deno.test("few of the library's functions are bound, each of which takes 0.3 ms", async () => {
  using dir = new TempDir();
  dir.file("main.js", BINDING(new URL("mod.ts", ROOT).href));
  const { code, stdout, stderr } = await deno(dir, ["run", "--quiet", "-A", "main.js"]);
  assertEquals(code, 0, stderr);
  const [first, all] = stdout.trim().split("\n").map(Number);
  // One more where a call was parked and had to be woken
  assert(first! <= 5 && all! <= 7, stdout);
});

Deno.test("a program whose modules were cached from a server starts Workers without it", async () => {
  using dir = new TempDir();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const file = await Deno.readFile(new URL(`.${pathname}`, ROOT)).catch(() => undefined);
    return file === undefined
      ? new Response(null, { status: 404 })
      : new Response(file, { headers: { "content-type": "application/typescript" } });
  });
  const { port } = server.addr;
  const base = `http://127.0.0.1:${port}`;
  dir.file("main.ts", script(`${base}/mod.ts`, `${base}/src/loop/mod.ts`));
  const options = ["--quiet", "--no-config", "--no-lock", `--allow-import=127.0.0.1:${port}`];
  const cached = await deno(dir, ["cache", ...options, "main.ts"]);
  await server.shutdown();
  assertEquals(cached, { code: 0, stdout: "", stderr: "" });
  const run = await deno(dir, [
    "run",
    "--quiet",
    "--no-config",
    "--no-lock",
    "-A",
    "--cached-only",
    "main.ts",
  ]);
  assertEquals(run, { code: 0, stdout: "1 true\n42\n", stderr: "" });
});

Deno.test("a program that was bundled runs", async () => {
  using dir = new TempDir();
  dir.file(
    "main.ts",
    `
    import { Ioq, walk } from "${new URL("mod.ts", ROOT).href}";
    await using ioq = await Ioq.open();
    await using file = await ioq.openFile("main.ts");
    console.log(file.fd > 2);
    for await (const { name } of walk(".", { ioq, exts: ["ts"], maxDepth: 1 })) console.log(name);
  `,
  );
  const bundled = await deno(dir, ["bundle", "--quiet", "--no-lock", "-o", "out.js", "main.ts"]);
  assertEquals(bundled.code, 0, bundled.stderr);
  const run = await deno(dir, ["run", "--quiet", "--no-lock", "-A", "out.js"]);
  assertEquals(run, { code: 0, stdout: "true\nmain.ts\n", stderr: "" });
});

Deno.test("a program that was bundled goes without Workers, and says so", async () => {
  using dir = new TempDir();
  dir.file(
    "main.ts",
    `
    import { Ioq } from "${new URL("mod.ts", ROOT).href}";
    import { EventLoop } from "${new URL("src/loop/mod.ts", ROOT).href}";
    {
      await using ioq = await Ioq.open({ backend: "worker" });
      console.log(ioq.backend.lanes, ioq.backend.reason.includes("a bundle has no file"));
      console.log((await ioq.stat(".")).isDirectory);
    }
    await using loop = await EventLoop.open({ backend: "worker" });
    const task = new URL("data:text/javascript,export default () => 42");
    try {
      await loop.concurrent(task, []);
    } catch (error) {
      console.log(error.name, error.message);
    }
  `,
  );
  const bundled = await deno(dir, ["bundle", "--quiet", "--no-lock", "-o", "out.js", "main.ts"]);
  assertEquals(bundled.code, 0, bundled.stderr);
  const run = await deno(dir, ["run", "--quiet", "--no-lock", "-A", "out.js"]);
  assertEquals(run, {
    code: 0,
    stdout:
      "1 true\ntrue\nNotSupported Cannot start Workers: a bundle has no file of what Workers run\n",
    stderr: "",
  });
});
