// Copyright 2026 the ioq authors. MIT license.

/**
 * `ioq info`: which backend this machine gets, and why.
 *
 * @module
 */

import { ABI_VERSION } from "../../ffi/layout.ts";
import { loadLibrary, prepareLibrary } from "../../ffi/library.ts";
import type { BackendInfo } from "../backends/backend.ts";
import { Ioq } from "../ioq.ts";
import { type Command, EXIT_FAILURE, EXIT_OK, UsageError } from "./command.ts";
import { writeText } from "./output.ts";

/** What `ioq info` tells. */
type Info = {
  versions: { deno: string; kernel: string | null };
  /** `kernel.io_uring_disabled`: 0 nobody is refused, 1 the unprivileged, 2 everybody. */
  sysctl: number | null;
  /** The native library, or why there is none. */
  library: { path: string; abi: number } | { error: string };
  /** What of the permissions is granted, and which in part. */
  permissions: Record<string, string>;
  backend: BackendInfo | null;
  error: string | null;
};

/** The sysctl that forbids io_uring, if it is there and may be read. */
function readSysctl(): number | null {
  try {
    return Number(Deno.readTextFileSync("/proc/sys/kernel/io_uring_disabled"));
  } catch {
    return null;
  }
}

/** Load the library to see whether it can be. */
async function findLibrary(): Promise<Info["library"]> {
  await prepareLibrary();
  try {
    const library = loadLibrary();
    library.release();
    return { path: library.path, abi: ABI_VERSION };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** What is granted of what matters here. */
function readPermissions(): Record<string, string> {
  const names = ["read", "write", "ffi", "env", "sys"] as const;
  return Object.fromEntries(names.map((name) => {
    const { state, partial } = Deno.permissions.querySync({ name });
    return [name, partial ? `${state} in part` : state];
  }));
}

/** Open a queue, and tell what came of it. */
async function collectInfo(): Promise<Info> {
  const mayAskKernel = Deno.permissions.querySync({ name: "sys", kind: "osRelease" }).state;
  const info: Info = {
    versions: {
      deno: Deno.version.deno,
      kernel: mayAskKernel === "granted" ? Deno.osRelease() : null,
    },
    // Never asked for
    sysctl: Deno.permissions.querySync({ name: "read" }).state === "granted" ? readSysctl() : null,
    library: await findLibrary(),
    permissions: readPermissions(),
    backend: null,
    error: null,
  };
  try {
    await using ioq = await Ioq.open();
    info.backend = ioq.backend;
  } catch (error) {
    info.error = error instanceof Error ? error.message : String(error);
  }
  return info;
}

/** The same for people. */
function describe({ versions, sysctl, library, permissions, backend, error }: Info): string {
  const rows: [string, string][] = [
    ["Deno", versions.deno],
    ["kernel", versions.kernel ?? "unknown (needs --allow-sys=osRelease)"],
  ];
  rows.push(
    ["sysctl", `kernel.io_uring_disabled = ${sysctl ?? "unknown"}`],
    ["library", "path" in library ? `${library.path}, ABI version ${library.abi}` : library.error],
    ["permissions", Object.entries(permissions).map((entry) => entry.join(": ")).join(", ")],
  );
  if (backend !== null) {
    const lanes = backend.lanes === 1 ? "one lane" : `up to ${backend.lanes} lanes`;
    rows.push(["backend", `${backend.kind}, ${lanes}`]);
    if (backend.reason !== undefined) {
      rows.push(["reason", backend.reason]);
    }
  }
  if (backend?.ring !== undefined) {
    const { ring } = backend;
    rows.push(
      ["ring", `${ring.entries} submission and ${ring.completionEntries} completion entries`],
      ["flags", ring.flags.join(" ")],
      ["on the ring", ring.operations.join(" ")],
      ["restricted", ring.restricted ? "yes: the kernel refuses all other opcodes" : "no"],
    );
  }
  if (error !== null) {
    rows.push(["no backend", error]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

async function run(args: string[]): Promise<number> {
  const wrong = args.find((arg) => arg !== "--json");
  if (wrong !== undefined) {
    throw new UsageError(`Unexpected argument '${wrong}'`);
  }
  const info = await collectInfo();
  const text = args.includes("--json") ? JSON.stringify(info, null, 2) : describe(info);
  await writeText(`${text}\n`);
  return info.error === null ? EXIT_OK : EXIT_FAILURE;
}

/** The command `ioq info`. */
export const info: Command = {
  usage: `Usage: ioq info [--json]

Tell which backend this machine gets, and why.

Options:
  --json      as JSON
  -h, --help  show this

Exit code: 0, or 1 if there is no backend.`,
  run,
};
