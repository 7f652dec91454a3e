// Copyright 2026 the ioq authors. MIT license.

/**
 * The package as its users get it.
 */

import { assert, assertEquals } from "@std/assert";
import { type DryRun, publishDryRun, startRegistry } from "./jsr_registry.ts";
import { TempDir, text } from "./fixtures.ts";
import { buildLauncher, canForbidIoUring } from "./without_io_uring.ts";

const GLIBC = Deno.build.target.endsWith("-linux-gnu");

let dryRun: Promise<DryRun> | undefined;

/** The dry run, made once. */
function published(): Promise<DryRun> {
  return dryRun ??= publishDryRun();
}

Deno.test("the package can be published as it is, with no slow types", async () => {
  const { success, output } = await published();
  assert(success, output);
  const warnings = [...output.matchAll(/^warning\[(.*)\].*\n.*\/(src\/\S+?):/gm)].map((it) =>
    it.slice(1)
  );
  // Two are as they must be: a program that is accelerated reads the queue's modules when it makes
  // enough calls; and a task's module is the caller's, and known when it is run
  assertEquals(warnings, [
    ["unanalyzable-dynamic-import", "src/accelerate/gate.ts"],
    ["unanalyzable-dynamic-import", "src/loop/pool_worker.ts"],
  ], output);
  assertEquals(output.match(/warning/gi)?.length, warnings.length, output);
});

Deno.test("the package holds what users need and nothing else", async () => {
  const { files, output } = await published();
  const outside = files.filter((path) => !path.includes("/")).sort();
  assertEquals(
    outside,
    ["CHANGELOG.md", "LICENSE", "README.md", "cli.ts", "deno.json", "mod.ts"],
    output,
  );
  for (const path of files.filter((path) => path.includes("/"))) {
    assert(/^(?:src|ffi)\/[\w/]+\.ts$/.test(path), path);
    assert(!path.endsWith("_test.ts"), path);
  }
  // All that a module of it imports, Workers' entry points among them, is in it
  for (const path of files.filter((path) => path.endsWith(".ts"))) {
    const source = Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
    const code = source.replaceAll(/^\s*\*.*$|^\s*\/\/.*$/gm, "");
    for (
      const [, specifier] of code.matchAll(
        /(?:\bfrom |\bimport\(|^import |new URL\(\s*)"([^"]+)"/gm,
      )
    ) {
      if (specifier!.startsWith(".")) {
        const target = new URL(specifier!, `file:///${path}`).pathname.slice(1);
        // A folder, and the local build, are no modules
        if (target !== "" && !target.endsWith("/") && target !== "native/build/libioq.so") {
          assert(files.includes(target), `${path} imports ${specifier}`);
        }
      } else {
        assert(specifier!.startsWith("node:"), `${path} imports ${specifier}`);
      }
    }
  }
});

/** Run a program in an empty folder, with an empty cache, that gets the package from a registry. */
async function runAsUser(
  program: string,
  { flags = ["--allow-ffi", "--allow-read"], args = [], env = {}, withoutIoUring = false }: {
    flags?: string[];
    args?: string[];
    withoutIoUring?: boolean;
    env?: Record<string, string>;
  } = {},
): Promise<{ out: string; err: string; requested: readonly string[] }> {
  using dir = new TempDir();
  await using registry = startRegistry(await published());
  Deno.mkdirSync(dir.at("project"));
  Deno.mkdirSync(dir.at("cache"));
  Deno.writeTextFileSync(dir.at("project/main.ts"), program);
  const inherited = Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => !/^(?:IOQ|DENO|JSR)_/.test(name)),
  );
  const command = [Deno.execPath(), "run", "--no-prompt", ...flags, "main.ts", ...args];
  if (withoutIoUring) {
    command.unshift(buildLauncher(dir));
  }
  const { stdout, stderr } = await new Deno.Command(command[0]!, {
    args: command.slice(1),
    cwd: dir.at("project"),
    env: {
      ...inherited,
      NO_COLOR: "1",
      DENO_DIR: dir.at("cache"),
      JSR_URL: registry.url,
      DENO_NO_UPDATE_CHECK: "1",
      ...env,
    },
    clearEnv: true,
    stdin: "null",
  }).output();
  return { out: text(stdout), err: text(stderr), requested: registry.requested };
}

/** Walks a tree and tells what ran it. */
const WALK = `
  import { Ioq, walk } from "jsr:@ioq/ioq";
  await using ioq = await Ioq.open();
  const paths = [];
  for await (const { path } of walk(".", { ioq })) paths.push(path);
  console.log(JSON.stringify({ paths: paths.sort(), backend: ioq.backend }));
`;

Deno.test({
  name: "a program that imports jsr:@ioq/ioq gets the embedded library and the ring",
  ignore: !GLIBC,
  async fn() {
    const { out, err, requested } = await runAsUser(WALK);
    assert(out !== "", err);
    const { paths, backend } = JSON.parse(out);
    assertEquals(paths, [".", "main.ts"]);
    assertEquals(backend.kind, "uring", err);
    const module = `/ffi/embedded/${Deno.build.arch}.ts`;
    assert(requested.some((path) => path.endsWith(module)), requested.join());
  },
});

Deno.test({
  name: "with FFI granted in full the library is loaded from sealed memory",
  ignore: !GLIBC,
  async fn() {
    const program = `
      import { Ioq } from "jsr:@ioq/ioq";
      const find = () => {
        for (const { name } of Deno.readDirSync("/proc/self/fd")) {
          try {
            const path = "/proc/self/fd/" + name;
            if (Deno.readLinkSync(path).startsWith("/memfd:libioq.so")) return path;
          } catch { /* the one that lists them */ }
        }
      };
      const ioq = await Ioq.open({ backend: "threads" });
      const path = find();
      const file = Deno.openSync(path, { write: true });
      for (const change of [
        () => file.writeSync(new Uint8Array(1)),
        () => file.truncateSync(0),
        () => file.truncateSync(2 ** 24),
      ]) {
        try {
          change();
          console.log("changed");
        } catch (error) {
          console.log(error.code);
        }
      }
      file.close();
      await ioq.close();
      console.log(find(), Deno.readTextFileSync("/proc/self/maps").includes("libioq"));
    `;
    const { out, err } = await runAsUser(program, { flags: ["-A"] });
    assertEquals(out, "EPERM\nEPERM\nEPERM\nundefined false\n", err);
  },
});

Deno.test({
  name: "with FFI granted for temporary files the library is loaded from one that is gone then",
  ignore: !GLIBC,
  async fn() {
    using temp = new TempDir();
    const program = `
      import { Ioq } from "jsr:@ioq/ioq";
      await using ioq = await Ioq.open({ backend: "threads" });
      console.log((await ioq.stat("/")).isDirectory, [...Deno.readDirSync(Deno.args[0])].length);
      const other = await Ioq.open({ backend: "threads" });
      await other.close();
      console.log((await ioq.stat("/")).isDirectory);
    `;
    const { out, err } = await runAsUser(program, {
      flags: [
        "--allow-env=TMPDIR",
        `--allow-ffi=${temp.path}`,
        `--allow-write=${temp.path}`,
        "--allow-read",
      ],
      args: [temp.path],
      env: { TMPDIR: temp.path },
    });
    assertEquals(out, "true 0\ntrue\n", err);
    assertEquals([...Deno.readDirSync(temp.path)], []);
  },
});

Deno.test({
  name: "with FFI granted for something else it says what it needs",
  ignore: !GLIBC,
  async fn() {
    using temp = new TempDir();
    const program = `
      import { Ioq } from "jsr:@ioq/ioq";
      await Ioq.open({ backend: "threads" }).catch((error) => console.log(error.message));
    `;
    const { path } = temp;
    for (
      const granted of ["--allow-ffi=/nowhere", `--allow-ffi=${path}`, `--allow-write=${path}`]
    ) {
      const flags = ["--allow-env=TMPDIR", granted];
      const { out, err } = await runAsUser(program, { flags, env: { TMPDIR: temp.path } });
      assert(out.startsWith("Cannot load the embedded library without permission, "), out + err);
      assert(out.endsWith(`--allow-ffi=${path} --allow-write=${path}\n`), out);
      assertEquals([...Deno.readDirSync(path)], []);
    }
  },
});

Deno.test({
  name: "importing jsr:@ioq/ioq needs no permission, and without FFI says what is missing",
  ignore: !GLIBC,
  async fn() {
    const program = `
      import { Ioq } from "jsr:@ioq/ioq";
      console.log("imported");
      try {
        await using ioq = await Ioq.open({ backend: "threads" });
      } catch (error) {
        console.log(error.name, error.message);
      }
    `;
    const { out, err } = await runAsUser(program, { flags: [] });
    assertEquals(
      out,
      "imported\n" +
        "NotSupported Cannot load the embedded library without permission, " +
        "run again with --allow-ffi, or with --allow-ffi=/tmp --allow-write=/tmp\n",
      err,
    );
  },
});

Deno.test({
  name: "tasks of an event loop run on Workers that load from the registry too",
  ignore: !GLIBC,
  async fn() {
    const program = `
      import { EventLoop } from "jsr:@ioq/ioq/loop";
      const source = "export default (io, a, b) => a * b";
      await using loop = await EventLoop.open();
      const future = loop.concurrent("data:text/javascript," + encodeURIComponent(source), [6, 7]);
      console.log(await future);
    `;
    const { out, err, requested } = await runAsUser(program);
    assertEquals(out, "42\n", err);
    assert(requested.some((path) => path.endsWith("/src/loop/pool_worker.ts")), requested.join());
  },
});

Deno.test("every export can be imported, without any permission", async () => {
  const config = JSON.parse(Deno.readTextFileSync(new URL("../deno.json", import.meta.url)));
  const paths = Object.keys(config.exports as Record<string, string>).map((it) => it.slice(1));
  assert(paths.includes("") && paths.includes("/cli"), paths.join());
  const program =
    paths.map((path, i) => `import * as m${i} from "jsr:@ioq/ioq${path}";\n`).join("") +
    `console.log([${paths.map((_, i) => `m${i}`)}].every((it) => Object.keys(it).length > 0));`;
  const { out, err } = await runAsUser(program, { flags: [] });
  assertEquals(out, "true\n", err);
});

Deno.test({
  name: "the command runs from the registry",
  ignore: !GLIBC,
  async fn() {
    using dir = new TempDir();
    dir.file("found");
    const program = `
      import { main } from "jsr:@ioq/ioq/cli";
      Deno.exitCode = await main(["find", Deno.args[0]]);
    `;
    const { out, err } = await runAsUser(program, { args: [dir.path] });
    assertEquals(out.split("\n").sort().filter((it) => it), [dir.path, dir.at("found")], err);
  },
});

Deno.test({
  name: "threads do not as much as try a ring",
  ignore: !GLIBC || !canForbidIoUring(),
  async fn() {
    const { out, err } = await runAsUser(WALK, {
      flags: ["--allow-ffi", "--allow-read", "--allow-env=IOQ_BACKEND"],
      env: { IOQ_BACKEND: "threads" },
      withoutIoUring: true,
    });
    assert(out !== "", err);
    const { paths, backend } = JSON.parse(out);
    assertEquals([paths, backend.kind, backend.reason], [[".", "main.ts"], "threads", undefined]);
  },
});

Deno.test({
  name: "queues on several threads each have the embedded library, and outlive each other's",
  ignore: !GLIBC,
  async fn() {
    const program = `
      import { Ioq } from "jsr:@ioq/ioq";
      if (typeof WorkerGlobalScope === "undefined") {
        const start = () => {
          const worker = new Worker(import.meta.url, { type: "module" });
          return new Promise((resolve, reject) => {
            worker.onmessage = ({ data }) => resolve([worker, data]);
            worker.onerror = reject;
          });
        };
        const mine = await Ioq.open({ backend: "threads" });
        const [[one, ofOne], [two, ofTwo]] = await Promise.all([start(), start()]);
        one.terminate();
        console.log(ofOne, ofTwo, (await mine.stat("/")).isDirectory);
        await mine.close();
        const again = await Ioq.open({ backend: "threads" });
        console.log((await again.stat("/")).isDirectory);
        await again.close();
        two.terminate();
      } else {
        const ioq = await Ioq.open({ backend: "threads" });
        self.postMessage((await ioq.stat("/")).isDirectory);
      }
    `;
    const { out, err } = await runAsUser(program, { flags: ["-A"] });
    assertEquals(out, "true true true\ntrue\n", err);
  },
});
Deno.test({
  name: "where io_uring is forbidden Workers take over, from the registry too, and say why",
  ignore: !GLIBC || !canForbidIoUring(),
  async fn() {
    const { out, err, requested } = await runAsUser(WALK, { withoutIoUring: true });
    assert(out !== "", err);
    const { paths, backend } = JSON.parse(out);
    assertEquals(paths, [".", "main.ts"]);
    assertEquals([backend.kind, backend.code], ["worker", "EPERM"], out);
    assert(backend.reason.startsWith("Cannot set up a ring: "), out);
    assert(backend.lanes > 0, out);
    assert(
      requested.some((path) => /\/src\/backends\/worker\/\w+\.ts$/.test(path)),
      requested.join(),
    );
  },
});

Deno.test("where the library cannot be loaded Workers do with Deno's calls, and say why", async () => {
  const { out, err } = await runAsUser(WALK, { flags: ["--allow-read"] });
  assert(out !== "", err);
  const { paths, backend } = JSON.parse(out);
  assertEquals(paths, [".", "main.ts"]);
  assertEquals(backend.kind, "worker", out);
  assert(backend.reason.includes("run again with --allow-ffi"), out);
});
