// Copyright 2026 the ioq authors. MIT license.

/**
 * Running programs against a build of the native library under AddressSanitizer
 * and UndefinedBehaviorSanitizer, whose runtime is preloaded into Deno.
 *
 * The runtime writes its reports to files, one per process, so that none is lost
 * whatever becomes of the process's output:
 *
 * - Errors (overflows, uses after free, undefined behaviour) end their process
 *   and count wherever they occur.
 * - Leaks are looked for when a process ends, and most that are found are Deno's
 *   own. Those count whose allocation the library asked for; and only in the
 *   process that was started, since some tests have processes of their own end
 *   with queues open.
 *
 * `deno run -A tests/trust/asan.ts [arguments of deno test]` runs the tests this
 * way and fails if they do or if anything was reported.
 */

import { fileURLToPath } from "node:url";
import { TempDir } from "../fixtures.ts";

const NATIVE = fileURLToPath(new URL("../../native", import.meta.url));
const LIBRARY = `${NATIVE}/build/asan-library/libioq.so`;

/** What became of a program. */
export interface AsanOutcome {
  /** Its exit status. */
  readonly code: number;
  /** What it wrote, if that was wanted. */
  readonly stdout: string;
  /** Errors, as the sanitizer reports them. */
  readonly errors: string[];
  /** Leaks of the library's. */
  readonly leaks: string[];
  /** Leaks of Deno's, and of whatever else it has loaded. */
  readonly othersLeaks: string[];
}

/** Build the library. Returns why that cannot be, if so. */
export async function buildAsanLibrary(): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command("make", {
      args: ["-s", "-C", NATIVE, "asan-library"],
      stdout: "null",
    }).output();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return `make: ${error}`;
  }
}

/** Modules that allocate for others: the runtime itself, libc, the dynamic linker. */
const ON_BEHALF = /\/(?:lib(?:asan|ubsan|c|clang_rt[^/]*)|ld-linux[^/]*)[.-][^/]*$/;

/**
 * Whether an allocation was made by the library: the first frame that is nobody's
 * servant is in it, or in no module at all, since it may be unloaded by then.
 */
export function isOurs(block: string): boolean {
  for (const line of block.split("\n")) {
    const frame = /^ +#\d+ 0x[0-9a-f]+ (.*)$/.exec(line)?.[1];
    if (frame === undefined) {
      continue;
    }
    const module = /\(([^()]*?)\+0x[0-9a-f]+\)/.exec(frame)?.[1];
    if (module === undefined) {
      if (frame.startsWith("in __interceptor_") || /\blibsanitizer\//.test(frame)) {
        continue;
      }
      // With debugging information there is a source file instead
      return frame.includes("native/") || frame.includes("<unknown module>");
    }
    if (!ON_BEHALF.test(module)) {
      return module.endsWith("/libioq.so") || module.includes("unknown module");
    }
  }
  return false;
}

/**
 * Run Deno against the library.
 *
 * @param args Its arguments.
 * @param capture Whether its output is wanted; otherwise it is passed on.
 */
export async function runUnderAsan(args: string[], capture = false): Promise<AsanOutcome> {
  using dir = new TempDir();
  // A report of leaks must not change the exit status, which is the tests'
  const options = `abort_on_error=1:exitcode=0:detect_leaks=1:log_path=${dir.at("report")}`;
  const child = new Deno.Command(Deno.execPath(), {
    args,
    env: {
      LD_PRELOAD: await Deno.readTextFile(`${NATIVE}/build/asan-library/runtime`),
      ASAN_OPTIONS: options,
      UBSAN_OPTIONS: `print_stacktrace=1:${options}`,
      IOQ_LIBRARY: LIBRARY,
    },
    stdin: "null",
    stdout: capture ? "piped" : "inherit",
    stderr: capture ? "piped" : "inherit",
  }).spawn();
  const { code, stdout } = capture
    ? await child.output()
    : { ...await child.status, stdout: new Uint8Array() };

  const errors: string[] = [];
  const blocks: string[] = [];
  for (const { name } of Deno.readDirSync(dir.path)) {
    const report = await Deno.readTextFile(dir.at(name));
    if (/ERROR: AddressSanitizer|runtime error:/.test(report)) {
      errors.push(report);
    } else if (name === `report.${child.pid}`) {
      blocks.push(...report.split("\n\n").filter((block) => / leak of /.test(block)));
    }
  }
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    errors,
    leaks: blocks.filter(isOurs),
    othersLeaks: blocks.filter((block) => !isOurs(block)),
  };
}

if (import.meta.main) {
  const cannot = await buildAsanLibrary();
  if (cannot !== undefined) {
    console.error(`cannot: ${cannot}`);
    Deno.exit(2);
  }
  const { code, errors, leaks } = await runUnderAsan(["test", "-A", ...Deno.args]);
  for (const report of [...errors, ...leaks]) {
    console.error(report);
  }
  console.log(`sanitizer: ${errors.length} errors, ${leaks.length} leaks`);
  Deno.exit(code || Number(errors.length + leaks.length > 0));
}
