// Copyright 2026 the ioq authors. MIT license.

/**
 * Where the benchmarks ran.
 *
 * @module
 */

import { availableParallelism } from "node:os";

/** Facts about the machine and the software. `null`: it could not be found out. */
export interface Machine {
  /** The processor's model. */
  readonly cpu: string | null;
  /** Processors that this process may use. */
  readonly cores: number;
  /** Memory in bytes. */
  readonly memoryBytes: number;
  /** The kernel's release. */
  readonly kernel: string;
  /** The architecture. */
  readonly arch: string;
  /** Deno's version. */
  readonly deno: string;
  /** V8's version. */
  readonly v8: string;
  /** The version of liburing that the native library is built with. */
  readonly liburing: string | null;
}

async function findCpu(): Promise<string | null> {
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    return /^(?:model name|Model)\s*:\s*(.+)$/m.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** The library is linked statically, so what is installed is what was built with. */
async function findLiburing(): Promise<string | null> {
  try {
    const command = new Deno.Command("pkg-config", {
      args: ["--modversion", "liburing"],
      stderr: "null",
    });
    const { success, stdout } = await command.output();
    if (success) {
      return new TextDecoder().decode(stdout).trim();
    }
  } catch {
    // There is no pkg-config
  }
  try {
    const text = await Deno.readTextFile("/usr/include/liburing/io_uring_version.h");
    const major = /IO_URING_VERSION_MAJOR\s+(\d+)/.exec(text)?.[1];
    const minor = /IO_URING_VERSION_MINOR\s+(\d+)/.exec(text)?.[1];
    return major && minor ? `${major}.${minor}` : null;
  } catch {
    return null;
  }
}

/** Find out about the machine. */
export async function describeMachine(): Promise<Machine> {
  return {
    cpu: await findCpu(),
    cores: availableParallelism(),
    memoryBytes: Deno.systemMemoryInfo().total,
    kernel: Deno.osRelease(),
    arch: Deno.build.arch,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    liburing: await findLiburing(),
  };
}
