// Copyright 2026 the ioq authors. MIT license.

import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ABI_VERSION } from "../ffi/layout.ts";
import { Ioq } from "../mod.ts";
import { descriptors, errorOf, LIBRARY, MOD, runDeno, TempDir, text } from "./fixtures.ts";

function hasCompiler(): boolean {
  try {
    return new Deno.Command("cc", { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

/** Compile a library. */
function compile(dir: TempDir, name: string, source: string): string {
  const path = dir.at(`${name}.so`);
  const { success, stderr } = new Deno.Command("cc", {
    args: ["-shared", "-fPIC", "-o", path, dir.file(`${name}.c`, source)],
  }).outputSync();
  assert(success, text(stderr));
  return path;
}

Deno.test("a library that is not there is refused with its path", async () => {
  using dir = new TempDir();
  const path = dir.at("libmissing.so");
  for (const library of [path, pathToFileURL(path)]) {
    const error = await assertRejects(
      () => Ioq.open({ backend: "uring", library }),
      Deno.errors.NotSupported,
    );
    assert(error.message.includes(`'${path}'`), error.message);
  }
});

Deno.test("what is no library is refused with its path", async () => {
  using dir = new TempDir();
  const path = dir.file("libtext.so", "no library");
  const error = await assertRejects(
    () => Ioq.open({ backend: "uring", library: path }),
    Deno.errors.NotSupported,
  );
  assert(error.message.startsWith(`Cannot load '${path}': `), error.message);
  assert(error.cause instanceof Error);
});

Deno.test("library takes a path or a file URL", async () => {
  for (const library of [LIBRARY, pathToFileURL(LIBRARY)]) {
    await using ioq = await Ioq.open({ library, backend: "threads" });
    assertEquals((await ioq.stat("/")).isDirectory, true);
  }
});

Deno.test({
  name: "a library of another ABI version is refused with both versions",
  ignore: !hasCompiler(),
  async fn() {
    using dir = new TempDir();
    const version = ABI_VERSION + 6;
    // It has nothing else that this version needs
    const path = compile(dir, "other", `unsigned ioq_abi_version(void) { return ${version}; }\n`);
    const before = descriptors().size;
    const error = await assertRejects(
      () => Ioq.open({ backend: "uring", library: path }),
      Deno.errors.NotSupported,
    );
    assertEquals(
      error.message,
      `Cannot use '${path}': it has ABI version ${version}, this module needs ${ABI_VERSION}`,
    );
    assertEquals(descriptors().size, before);
    assertEquals(Deno.readTextFileSync("/proc/self/maps").includes(path), false);
  },
});

Deno.test({
  name: "a library that is another one altogether is refused",
  ignore: !hasCompiler(),
  async fn() {
    using dir = new TempDir();
    const path = compile(dir, "stranger", "int something_else(void) { return 1; }\n");
    const error = await assertRejects(
      () => Ioq.open({ backend: "uring", library: path }),
      Deno.errors.NotSupported,
    );
    assert(error.message.startsWith(`Cannot load '${path}': `), error.message);
    const partial = compile(
      dir,
      "partial",
      `unsigned ioq_abi_version(void) { return ${ABI_VERSION}; }\n`,
    );
    await assertRejects(
      () => Ioq.open({ backend: "uring", library: partial }),
      Deno.errors.NotSupported,
      partial,
    );
  },
});

Deno.test("auto falls back to Workers without a library, and says why", async () => {
  using dir = new TempDir();
  const path = dir.at("libmissing.so");
  await using ioq = await Ioq.open({ library: path });
  const { kind, reason, code, errno } = ioq.backend;
  assertEquals([kind, code, errno], ["worker", undefined, undefined]);
  assert(reason?.startsWith(`Cannot load '${path}': `), reason);
  assertEquals((await ioq.stat("/")).isDirectory, true);
  assertEquals(ioq.completed.worker, 1);
});

Deno.test("auto takes the ring where there is one", async () => {
  const uring = await Ioq.open({ backend: "uring" }).then(
    async (ioq) => {
      await ioq.close();
      return undefined;
    },
    (error) => error as Error,
  );
  if (uring === undefined) {
    await using ioq = await Ioq.open({ backend: "auto" });
    assertEquals(ioq.backend.kind, Deno.env.get("IOQ_BACKEND") ?? "uring");
  } else {
    // Until there is something to fall back to, it says why there is no ring
    assert(uring instanceof Deno.errors.NotSupported);
    assert(typeof (uring as { code?: unknown }).code === "string", uring.message);
  }
});

Deno.test("IOQ_BACKEND chooses the backend, unless the option does", async () => {
  const script = `
    import { Ioq } from "${MOD}";
    for (const options of [undefined, {}, { backend: "auto" }, { backend: "uring" }]) {
      try {
        await using ioq = await Ioq.open(options);
        console.log(ioq.backend.kind);
      } catch (error) {
        console.log(error.name + ": " + error.message);
      }
    }
  `;
  const env = (value: string) => ({ env: { IOQ_BACKEND: value, IOQ_LIBRARY: LIBRARY } });
  const { stdout } = await runDeno(script, env("threads"));
  const chosen = stdout.split("\n");
  assertEquals(chosen.slice(0, 3), ["threads", "threads", "threads"]);
  assert(chosen[3] === "uring" || chosen[3]!.startsWith("NotSupported: Cannot set up a ring"));

  const wrong = (await runDeno(script, env("io_uring"))).stdout.split("\n");
  for (const line of wrong.slice(0, 3)) {
    assert(line.startsWith("TypeError: Expected IOQ_BACKEND to be one of auto, uring, "), line);
    assert(line.endsWith(", got io_uring"), line);
  }
  assertEquals(wrong[3], chosen[3]);

  // Nothing in it is as if it were not there
  const empty = (await runDeno(script, env(""))).stdout.split("\n");
  assertEquals(empty[0], empty[3]);
});

Deno.test("IOQ_LIBRARY chooses the library, unless the option does", async () => {
  const script = `
    import { Ioq } from "${MOD}";
    for (const options of [{}, { library: Deno.args[0] }]) {
      try {
        await using ioq = await Ioq.open({ backend: "threads", ...options });
        console.log((await ioq.stat("/")).isDirectory);
      } catch (error) {
        console.log(error.name + ": " + error.message);
      }
    }
  `;
  const missing = await runDeno(script, {
    env: { IOQ_LIBRARY: "/nowhere/libioq.so" },
    args: [LIBRARY],
  });
  const [byEnv, byOption] = missing.stdout.split("\n");
  assert(byEnv!.startsWith("NotSupported: Cannot load '/nowhere/libioq.so': "), byEnv);
  assertEquals(byOption, "true");

  const chosen = await runDeno(script, { env: { IOQ_LIBRARY: LIBRARY }, args: ["/nowhere/x.so"] });
  assertEquals(chosen.stdout.split("\n")[0], "true");
  assert(chosen.stdout.includes("/nowhere/x.so"), chosen.stdout);
});

Deno.test({
  name: "a backend that the kernel refuses says why, with its code",
  // A limit on descriptors refuses any ring
  async fn() {
    const script = `
      import { Ioq } from "${MOD}";
      const files = [];
      try {
        while (true) files.push(Deno.openSync("/dev/null"));
      } catch { /* no more of them */ }
      // Enough for the library to be loaded and for worker threads, not for a ring
      files.pop().close();
      files.pop().close();
      for (const backend of ["uring", "threads"]) {
        try {
          await using _ = await Ioq.open({ backend, library: Deno.args[0] });
          console.log("opened");
        } catch (error) {
          console.log([error.name, error.code, error.errno, error.message].join("|"));
        }
      }
    `;
    using dir = new TempDir();
    const file = dir.file("main.ts", script);
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: [
        "-c",
        'ulimit -n 64; exec "$0" run -A --no-config --no-lock "$@"',
        Deno.execPath(),
        file,
        LIBRARY,
      ],
      stdin: "null",
    }).output();
    const [uring, threads] = text(stdout).split("\n");
    // The eventfd and the epoll take the last ones, the ring finds none left
    assert(
      uring!.startsWith("NotSupported|EMFILE|24|Cannot set up a ring: Too many open files"),
      `${uring}\n${text(stderr)}`,
    );
    assertEquals(threads, "opened");
  },
});

Deno.test("queues share one library, which goes with the last of them", async () => {
  const mapped = () => Deno.readTextFileSync("/proc/self/maps").includes(LIBRARY);
  const one = await Ioq.open({ backend: "threads" });
  const two = await Ioq.open({ backend: "threads" });
  await one.close();
  assertEquals(mapped(), true);
  assertEquals((await two.stat("/")).isDirectory, true);
  await two.close();
  assertEquals(mapped(), false);
  assert(await errorOf(() => two.stat("/")) instanceof Deno.errors.BadResource);
});
