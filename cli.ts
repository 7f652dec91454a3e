// Copyright 2026 the ioq authors. MIT license.

/**
 * The `ioq` command.
 *
 *     ioq info [--json]    which backend this machine gets, and why
 *
 * @module
 */

import { type BackendInfo, Ioq } from "./mod.ts";

const USAGE = `Usage: ioq COMMAND

Commands:
  info [--json]    tell which backend this machine gets, and why`;

/** What `ioq info` tells. */
type Info = {
  versions: { deno: string; kernel: string | null };
  backend: BackendInfo | null;
  error: string | null;
};

/** Open a queue, and tell what came of it. */
async function collectInfo(): Promise<Info> {
  const mayAskKernel = Deno.permissions.querySync({ name: "sys", kind: "osRelease" }).state;
  const info: Info = {
    versions: {
      deno: Deno.version.deno,
      kernel: mayAskKernel === "granted" ? Deno.osRelease() : null,
    },
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
function describe({ versions, backend, error }: Info): string {
  const rows: [string, string][] = [
    ["Deno", versions.deno],
    ["kernel", versions.kernel ?? "unknown (needs --allow-sys=osRelease)"],
  ];
  if (backend !== null) {
    rows.push(["backend", `${backend.kind}, up to ${backend.lanes} lanes`]);
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

/**
 * Run the command.
 *
 * @param args What follows `ioq` on the command line.
 * @returns The exit code: 0, 1 if there is no backend, 2 for a wrong call.
 */
export async function main(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === "-h" || command === "--help" || rest.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  if (command !== "info" || rest.some((arg) => arg !== "--json")) {
    console.error(USAGE);
    return 2;
  }
  const info = await collectInfo();
  console.log(rest.includes("--json") ? JSON.stringify(info, null, 2) : describe(info));
  return info.error === null ? 0 : 1;
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args);
}
