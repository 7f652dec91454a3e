// Copyright 2026 the ioq authors. MIT license.

/**
 * The rows of the conformance suite: every backend, in every shape that takes
 * another way through the core. A new backend is a new row.
 */

import { Ioq, type IoqOptions } from "../mod.ts";
import { LANE } from "../src/backends/open_backend.ts";

/** A backend to test. */
export interface Row {
  /** What test names call it. */
  readonly name: string;
  /** What opens it. */
  readonly options: IoqOptions;
  /** Whether a read that waits for its data can be cancelled. */
  readonly interruptible: boolean;
  /** Whether the native library is there. */
  readonly library: boolean;
  /** Whether requests run while this thread does something else. */
  readonly concurrent: boolean;
  /** Whether the threads that run requests are the native library's. */
  readonly nativeThreads: boolean;
}

/** Rows of the native core. */
const NATIVE = { library: true, concurrent: true, nativeThreads: true } as const;
/** Rows of the worker backend. */
const WORKER = { concurrent: true, nativeThreads: false } as const;
/** A library that is not there. */
const MISSING = "/nonexistent/libioq.so";

const ROWS: readonly Row[] = [
  { name: "uring", options: { backend: "uring" }, interruptible: true, ...NATIVE },
  {
    name: "uring, one thread",
    options: { backend: "uring", threads: 1 },
    interruptible: true,
    ...NATIVE,
  },
  { name: "threads", options: { backend: "threads" }, interruptible: true, ...NATIVE },
  {
    name: "threads, one",
    options: { backend: "threads", threads: 1 },
    interruptible: true,
    ...NATIVE,
  },
  {
    name: "worker",
    options: { backend: "worker" },
    interruptible: true,
    library: true,
    ...WORKER,
  },
  {
    name: "worker without library",
    options: { backend: "worker", library: MISSING },
    interruptible: false,
    library: false,
    ...WORKER,
  },
  {
    name: "main thread",
    options: { backend: "worker", [LANE]: null } as IoqOptions,
    interruptible: false,
    library: true,
    ...WORKER,
    concurrent: false,
  },
  {
    name: "main thread without library",
    options: { backend: "worker", library: MISSING, [LANE]: null } as IoqOptions,
    interruptible: false,
    library: false,
    ...WORKER,
    concurrent: false,
  },
];

/** Opens a queue of the row at hand. */
export type OpenQueue = <T = unknown>(options?: IoqOptions) => Promise<Ioq<T>>;

/** What a conformance test gets. */
export interface Bench {
  /** Opens a queue. */
  readonly open: OpenQueue;
  /** The row. */
  readonly row: Row;
  /** For steps. */
  readonly t: Deno.TestContext;
}

/** Why a row cannot be tested here, if so. */
async function whyNot(row: Row): Promise<string | undefined> {
  try {
    await using _ = await Ioq.open(row.options);
    return undefined;
  } catch (error) {
    if (row.options.backend === "uring" && error instanceof Deno.errors.NotSupported) {
      return error.message;
    }
    throw error;
  }
}

/** The rows, and why some of them cannot be tested here. */
export const rows: readonly (readonly [Row, string | undefined, OpenQueue])[] = await Promise.all(
  ROWS.map(async (row) =>
    [row, await whyNot(row), (options) => Ioq.open({ ...row.options, ...options })] as const
  ),
);

/**
 * A test for each backend.
 *
 * @param name What it shows, such as `poll() gives what has completed`.
 * @param test The test.
 * @param which The rows that it makes sense for.
 */
export function forEachBackend(
  name: string,
  test: (bench: Bench) => void | Promise<void>,
  which: (row: Row) => boolean = () => true,
): void {
  for (const [row, reason, open] of rows) {
    if (which(row)) {
      Deno.test({
        name: `${name} [${row.name}]${reason === undefined ? "" : ` (cannot: ${reason})`}`,
        ignore: reason !== undefined,
        fn: (t) => test({ t, row, open }) ?? Promise.resolve(),
      });
    }
  }
}
