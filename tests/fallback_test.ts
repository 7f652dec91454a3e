// Copyright 2026 the ioq authors. MIT license.

/**
 * Where the kernel refuses io_uring, the same program runs with the same results,
 * and says which backend it got and why. The refusals are real ones: a seccomp
 * filter around a process, for each errno that a setup is known to fail with.
 */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { BackendInfo } from "../mod.ts";
import { LIBRARY, MOD, TempDir, text } from "./fixtures.ts";
import { buildLauncher, canForbidIoUring } from "./without_io_uring.ts";

const DEMO = fileURLToPath(new URL("../examples/demo.ts", import.meta.url));
const CLI = fileURLToPath(new URL("../cli.ts", import.meta.url));

/** Run Deno, perhaps by way of a launcher. */
function output(
  launcher: string | undefined,
  args: string[],
  library = LIBRARY,
): Promise<Deno.CommandOutput> {
  const deno = Deno.execPath();
  const { IOQ_BACKEND: _, ...inherited } = Deno.env.toObject();
  return new Deno.Command(launcher ?? deno, {
    args: [...(launcher === undefined ? [] : [deno]), "run", "-A", ...args],
    clearEnv: true,
    env: { ...inherited, NO_COLOR: "1", IOQ_LIBRARY: library },
  }).output();
}

/** The same, and what it printed: it must not fail. */
async function run(...how: Parameters<typeof output>): Promise<string> {
  const { code, stdout, stderr } = await output(...how);
  assertEquals(code, 0, text(stderr));
  return text(stdout);
}

/** What `ioq info` tells. */
async function info(launcher: string): Promise<BackendInfo> {
  return JSON.parse(await run(launcher, [CLI, "info", "--json"])).backend;
}

/** The totals of the demo's output: its lines without what is of this very run. */
function totals(out: string): string[] {
  return out.split("\n").filter((line) =>
    /^\s*(entries|files|directories|symbolic links|others|allocated|apparent|unreadable)/.test(line)
  );
}

/** Errors of a setup: number, and a word of the reason. */
const REFUSALS: readonly (readonly [code: string, errno: number, word: string])[] = [
  ["EPERM", 1, "seccomp"],
  ["ENOMEM", 12, "RLIMIT_MEMLOCK"],
  ["EACCES", 13, "security module"],
  ["EINVAL", 22, "setups"],
  ["ENOSYS", 38, "gVisor"],
];

Deno.test({
  name: "auto falls back to Workers when a ring is refused, and tells why",
  ignore: !canForbidIoUring(),
  async fn(t) {
    using dir = new TempDir();
    for (const [code, errno, word] of REFUSALS) {
      await t.step(code, async () => {
        const backend = await info(buildLauncher(dir, "io_uring_setup", code));
        assertEquals([backend.kind, backend.code, backend.errno], ["worker", code, errno]);
        assert(backend.reason?.includes(word), backend.reason);
      });
    }
  },
});

Deno.test({
  name: "auto starts no Workers where there are no descriptors left for them",
  ignore: !canForbidIoUring(),
  async fn() {
    using dir = new TempDir();
    const { stdout } = await output(buildLauncher(dir, "io_uring_setup", "EMFILE"), [
      CLI,
      "info",
      "--json",
    ]);
    assert(text(stdout).includes("RLIMIT_NOFILE"), text(stdout));
    assertEquals(text(stdout).includes('"worker"'), false, text(stdout));
  },
});

Deno.test({
  name: "the main job has the same totals where io_uring is refused",
  ignore: !canForbidIoUring(),
  async fn(t) {
    using dir = new TempDir();
    const tree = fileURLToPath(new URL("../src", import.meta.url));
    const expected = totals(await run(undefined, [DEMO, tree]));
    assert(expected.length >= 5, expected.join("\n"));
    for (
      const [call, code] of [
        ["io_uring_setup", "EPERM"],
        ["io_uring_setup", "ENOSYS"],
        ["io_uring_enter", "EPERM"],
        ["io_uring_register", "EPERM"],
      ] as const
    ) {
      await t.step(`${call} fails with ${code}`, async () => {
        const out = await run(buildLauncher(dir, call, code), [DEMO, tree]);
        assertEquals(totals(out), expected, out);
      });
    }
  },
});

Deno.test("the main job has the same totals without the native library, which `info` tells", async () => {
  using dir = new TempDir();
  const tree = fileURLToPath(new URL("../src", import.meta.url));
  const expected = totals(await run(undefined, [DEMO, tree]));
  for (const library of [dir.at("missing.so"), dir.file("no library")]) {
    assertEquals(totals(await run(undefined, [DEMO, tree], library)), expected);
    const told = JSON.parse(await run(undefined, [CLI, "info", "--json"], library));
    assertEquals(told.backend.kind, "worker");
    assert(told.backend.reason.startsWith(`Cannot load '${library}': `), told.backend.reason);
    assert(told.backend.reason.includes("Workers use Deno's own calls"), told.backend.reason);
  }
});

Deno.test({
  name: "a ring that is refused after its setup is given up, and nothing is lost",
  ignore: !canForbidIoUring(),
  async fn() {
    using dir = new TempDir();
    const script = dir.file(
      "main.ts",
      `import { Ioq, op } from "${MOD}";
       await using ioq = await Ioq.open();
       const fds = await Promise.all(Array.from({ length: 50 }, () => ioq.run(op.open("/dev/null"))));
       await Promise.all(fds.map((fd) => ioq.run(op.close(fd))));
       const { kind, code, errno, reason } = ioq.backend;
       console.log(JSON.stringify([fds.length, kind, code ?? null, errno ?? null, reason ?? null]));`,
    );
    const launcher = buildLauncher(dir, "io_uring_enter", "EPERM");
    const [count, kind, code, errno, reason] = JSON.parse(await run(launcher, [script]));
    assertEquals([count, kind, code, errno], [50, "threads", "EPERM", 1]);
    assert(reason.includes("stopped working"), reason);
  },
});

const SYSCTL = "/proc/sys/kernel/io_uring_disabled";

/** Why the machine's own switch is left alone, if so: it is everybody's. */
function whyNoSysctl(): string | undefined {
  if (Deno.env.get("IOQ_TEST_SYSCTL") !== "1") {
    return "set IOQ_TEST_SYSCTL=1 to have it changed for a moment";
  }
  try {
    Deno.writeTextFileSync(SYSCTL, Deno.readTextFileSync(SYSCTL));
    return undefined;
  } catch (error) {
    return `${error}`;
  }
}

const noSysctl = whyNoSysctl();

Deno.test({
  name: "the main job has the same totals with kernel.io_uring_disabled" +
    (noSysctl === undefined ? "" : ` (skipped: ${noSysctl})`),
  ignore: noSysctl !== undefined,
  async fn() {
    const tree = fileURLToPath(new URL("../src", import.meta.url));
    const expected = totals(await run(undefined, [DEMO, tree]));
    const before = Deno.readTextFileSync(SYSCTL);
    let told, out;
    try {
      Deno.writeTextFileSync(SYSCTL, "2");
      told = JSON.parse(await run(undefined, [CLI, "info", "--json"]));
      out = await run(undefined, [DEMO, tree]);
    } finally {
      Deno.writeTextFileSync(SYSCTL, before);
    }
    const { kind, code, errno, reason } = told.backend as BackendInfo;
    assertEquals([told.sysctl, kind, code, errno], [2, "worker", "EPERM", 1]);
    assert(reason?.includes("kernel.io_uring_disabled"), reason);
    assertEquals(totals(out), expected, out);
  },
});
