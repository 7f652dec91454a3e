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

/** How much of the machine others may use before the results are in doubt: 0 to 1. */
export const OTHERS_BUSY_MAX = 0.05;

/** Processor time so far, in clock ticks. */
export interface Ticks {
  /** Of all processors together. */
  readonly total: number;
  /** Of that, what no process used. */
  readonly idle: number;
  /** What this process and the children it waited for used. */
  readonly own: number;
}

/** Read the clocks, see `proc_stat(5)` and `proc_pid_stat(5)`. */
export function readTicks(): Ticks {
  const cpu = Deno.readTextFileSync("/proc/stat").split("\n", 1)[0]!.trim().split(/\s+/);
  // user nice system idle iowait irq softirq steal; the guests' are in user and nice
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    cpu.slice(1).map(Number);
  // The second field is the name in parentheses, which may contain anything
  const self = Deno.readTextFileSync("/proc/self/stat");
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = self.slice(self.lastIndexOf(")") + 2)
    .split(" ").slice(11, 15).map(Number);
  return {
    total: user + nice + system + idle + iowait + irq + softirq + steal,
    idle: idle + iowait,
    own: utime + stime + cutime + cstime,
  };
}

/** The share of the machine that others used between two readings, 0 to 1. */
export function othersBusy(start: Ticks, end: Ticks): number {
  const total = end.total - start.total;
  const others = total - (end.idle - start.idle) - (end.own - start.own);
  return total > 0 ? Math.max(0, others / total) : 0;
}
