// Copyright 2026 the ioq authors. MIT license.

/**
 * The library in the package on its way into the process. What becomes of it in a
 * program that imports the package is in `publish_test.ts`.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { materialize, unpack } from "../ffi/embedded.ts";
import { ABI_VERSION } from "../ffi/layout.ts";
import { buildLibrary, canBuild } from "../prebuild/build.ts";
import { embed } from "../prebuild/embed.ts";
import { PLATFORMS } from "../prebuild/platforms.ts";
import { descriptors, runDeno, TempDir } from "./fixtures.ts";

const platform = PLATFORMS.find(({ arch }) => arch === Deno.build.arch);
const cannot = Deno.build.os !== "linux" || platform === undefined || !canBuild(platform);

const library = cannot ? new Uint8Array() : buildLibrary(platform!);

/** The ABI version that a library tells. */
function versionOf(path: string): number {
  const opened = Deno.dlopen(path, { ioq_abi_version: { parameters: [], result: "u32" } });
  const version = opened.symbols.ioq_abi_version();
  opened.close();
  return version;
}

Deno.test({
  name: "a library is loaded from memory that cannot be changed, and is gone when released",
  ignore: cannot,
  async fn() {
    const memfds = () => [...descriptors().values()].filter((it) => it.includes("memfd:libioq"));
    const file = materialize(library);
    assert(/^\/proc\/self\/fd\/\d+$/.test(file.path), file.path);
    assertEquals(memfds().length, 1);
    assertEquals(versionOf(file.path), ABI_VERSION);
    file.loaded();
    assertEquals(versionOf(file.path), ABI_VERSION);
    assertEquals(Deno.readFileSync(file.path), library);
    const writer = await Deno.open(file.path, { write: true });
    for (const length of [0, library.length + 1]) {
      const error = assertThrows(() => writer.truncateSync(length)) as Error & { code?: string };
      assertEquals(error.code, "EPERM");
    }
    writer.close();
    file.release();
    assertEquals(memfds(), []);
  },
});

Deno.test({
  name: "a library is loaded from a file of its own where FFI is granted for that alone",
  ignore: cannot,
  permissions: { ffi: ["/tmp"], write: ["/tmp"], read: ["/tmp"] },
  fn() {
    const file = materialize(library);
    const [, dir] = /^(\/tmp\/ioq-[^/]+)\/libioq\.so$/.exec(file.path)!;
    assertEquals(Deno.statSync(dir!).mode! & 0o777, 0o700);
    assertEquals(Deno.statSync(file.path).mode! & 0o777, 0o600);
    const opened = Deno.dlopen(file.path, {
      ioq_abi_version: { parameters: [], result: "u32" },
    });
    file.loaded();
    assertThrows(() => Deno.statSync(dir!), Deno.errors.NotFound);
    assertEquals(opened.symbols.ioq_abi_version(), ABI_VERSION);
    opened.close();
    file.release();
  },
});

for (
  const permissions of [
    { ffi: false },
    { ffi: ["/tmp"] },
    { ffi: ["/nowhere"], write: ["/tmp"] },
  ] satisfies Deno.TestDefinition["permissions"][]
) {
  Deno.test({
    name: `a library is not loaded with ${JSON.stringify(permissions)}`,
    ignore: cannot,
    permissions,
    fn() {
      assertThrows(
        () => materialize(library),
        Deno.errors.NotCapable,
        "run again with --allow-ffi, or with --allow-ffi=/tmp --allow-write=/tmp",
      );
    },
  });
}

Deno.test({
  name: "the module of a library gives back what was put into it",
  ignore: cannot,
  async fn() {
    const source = embed(library, "0".repeat(64), "a compiler");
    const module = await import(`data:text/typescript,${encodeURIComponent(source)}`);
    assertEquals(await unpack(module), library);
    assertEquals(module.COMPILER, "a compiler");
  },
});

/** A copy of the package, as one would vendor it: it has no build of its own. */
function vendoredIn(dir: TempDir): string {
  const root = new URL("../", import.meta.url).pathname;
  const { success } = new Deno.Command("cp", {
    args: ["-r", ...["mod.ts", "src", "ffi"].map((it) => root + it), dir.path],
  }).outputSync();
  assert(success);
  return `file://${dir.path}/mod.ts`;
}

Deno.test({
  name: "a copy without a build loads the embedded library with FFI for temporary files alone",
  ignore: cannot,
  async fn() {
    using dir = new TempDir();
    using temp = new TempDir();
    const script = `
      import { Ioq } from "${vendoredIn(dir)}";
      await using ioq = await Ioq.open({ backend: "threads" });
      console.log(ioq.backend.kind);
    `;
    for (const read of [[], ["--allow-read"]]) {
      const { stdout, stderr } = await runDeno(script, {
        flags: [
          ...["--allow-env=TMPDIR", `--allow-ffi=${temp.path}`, `--allow-write=${temp.path}`],
          ...read,
        ],
        env: { TMPDIR: temp.path },
      });
      assertEquals(stdout, "threads\n", stderr);
    }
  },
});

Deno.test({
  name: "a copy without a build advises nothing about a file that is not there",
  ignore: cannot,
  async fn() {
    using dir = new TempDir();
    const script = `
      import { Ioq } from "${vendoredIn(dir)}";
      await Ioq.open({ backend: "threads" }).catch((error) => console.log(error.message));
    `;
    for (const flags of [[], ["--allow-read"], ["--allow-read", "--allow-ffi=/nowhere"]]) {
      const { stdout, stderr } = await runDeno(script, { flags });
      assertEquals(
        stdout,
        "Cannot load the embedded library without permission, " +
          "run again with --allow-ffi, or with --allow-ffi=/tmp --allow-write=/tmp\n",
        stderr,
      );
    }
  },
});

Deno.test({
  name: "Workers that are terminated leave none of the embedded library's memory behind",
  ignore: cannot,
  async fn() {
    using dir = new TempDir();
    const module = vendoredIn(dir);
    const worker = dir.file(
      "worker.ts",
      `import { Ioq } from "${module}";
       const ioq = await Ioq.open();
       await ioq.stat("/");
       postMessage(ioq.backend.kind);
       setInterval(() => {}, 1000);`,
    );
    const script = `
      const memfds = () => [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
        try {
          return Deno.readLinkSync("/proc/self/fd/" + name).includes("memfd:libioq");
        } catch {
          return false;
        }
      }).length;
      let most = 0;
      for (let round = 0; round < 5; round++) {
        const worker = new Worker("file://${worker}", { type: "module" });
        await new Promise((resolve) => worker.onmessage = resolve);
        most = Math.max(most, memfds());
        worker.terminate();
      }
      for (let i = 0; i < 200 && memfds() > 0; i++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      console.log(most > 0, memfds());
      Deno.exit(0);
    `;
    const { stdout, stderr } = await runDeno(script, { env: { IOQ_LIBRARY: "" } });
    assertEquals(stdout, "true 0\n", stderr);
  },
});
