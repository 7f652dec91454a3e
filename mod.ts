// Copyright 2026 the ioq authors. MIT license.

/**
 * Fast asynchronous file I/O for Deno on Linux, by io_uring and worker threads: walk trees,
 * read thousands of files, run many file operations at once. Every operation is a promise
 * that can be cancelled, or one of a stream.
 *
 * Deno's own asynchronous calls take one trip to a thread pool each. A queue of this module
 * hands a whole batch of operations to native code by one call, and wakes JavaScript once
 * for all that are complete. Programs that touch many files gain most: build tools, indexers,
 * linters, backups, log shippers, embedded databases.
 *
 * Add it by `deno add jsr:@ioq/ioq`, and run a program by
 *
 * ```sh
 * deno run --allow-read --allow-ffi main.ts
 * ```
 *
 * It needs Deno 2.4 or newer. The native library for Linux on x86-64 and arm64 comes with the
 * package. On other systems, and without `--allow-ffi`, Web Workers and Deno's own calls
 * take its place: the same functions, less speed.
 *
 * @example Operations as promises, any number at once
 * ```ts
 * import { Ioq } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * const names = (await ioq.readDir("/etc")).map((entry) => entry.name);
 * const infos = await Promise.all(names.map((name) => ioq.lstat(`/etc/${name}`)));
 * console.log(infos.length === names.length); // true
 * ```
 *
 * @example Walk a tree
 * ```ts
 * import { Ioq, walk } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open(); // or none: functions share a queue
 * for await (const entry of walk("src", { exts: ["ts"], includeDirs: false, ioq })) {
 *   console.log(entry.path);
 * }
 * ```
 *
 * @example Read many files
 * ```ts
 * import { Ioq } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open(); // or none: readFiles() is a function as well
 * const paths = ["/etc/hostname", "/etc/hosts"];
 * for await (const { path, bytes } of ioq.readFiles(paths, { onError: "skip" })) {
 *   console.log(path, bytes.length);
 * }
 * ```
 *
 * @example A stream of completions, for more operations than there can be promises
 * ```ts
 * import { Ioq, op } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open<string>(); // what goes along with each request
 * const paths = ["/etc/hostname", "/etc/hosts", "/nope"];
 * let next = 0;
 * function submit() {
 *   while (next < paths.length && ioq.capacity > 0) {
 *     const path = paths[next++]!;
 *     ioq.submit(op.stat(path), path);
 *   }
 * }
 * submit();
 * for await (const completion of ioq) {
 *   console.log(completion.data, completion.ok ? "exists" : completion.error.message);
 *   submit(); // the completion that was taken has made room
 * }
 * ```
 *
 * # Permissions
 *
 * Importing needs none. The native library needs `--allow-ffi`. Operations need what Deno's
 * own calls need: `--allow-read` and `--allow-write`, for all paths or for some. Each path
 * is checked before its request is accepted, with Deno's errors.
 *
 * # More
 *
 * Tasks that own their I/O, and locks and queues for them, are in `@ioq/ioq/loop`. The
 * commands `find` and `du` are in `@ioq/ioq/cli`. `@ioq/ioq/accelerate` has the calls of programs
 * that are not to be changed go through a queue, and `@ioq/ioq/node` is an `fs` in Node's shape for
 * libraries that take one. The repository has a guide, the
 * benchmarks, the permissions of each operation, limits and troubleshooting in `docs/`.
 *
 * @module
 */

export { Ioq } from "./src/ioq.ts";
export type {
  CloseOptions,
  IoqOptions,
  SubmitArguments,
  SubmitOptions,
} from "./src/queue/option_types.ts";
export { IoqBuffer } from "./src/queue/buffer.ts";
export type { PromiseForms } from "./src/forms.ts";
export type { OperationOptions } from "./src/queue/runner.ts";
export type { RemoveOptions } from "./src/forms.ts";
export type { IoqFile } from "./src/files/file.ts";
export type { FileRange } from "./src/files/read_ranges.ts";
export type { OpenFileOptions, WriteOptions } from "./src/files/file.ts";
export type {
  FileContents,
  FileSource,
  PathOf,
  ReadFilesErrorPolicy,
  ReadFilesOptions,
} from "./src/files/read_files.ts";
export type { ReadFileOptions } from "./src/files/whole_files.ts";
export type { MakeTempOptions } from "./src/files/temporary.ts";
export type { ExistsOptions } from "./src/trees/ensure.ts";
export type { MoveOptions } from "./src/trees/move.ts";
export { defaultQueue } from "./src/default_queue.ts";
export * from "./src/functions.ts";
export { op } from "./src/operations/op.ts";
export type {
  Advice,
  AtOptions,
  ChownOptions,
  DurableOptions,
  FromToOptions,
  OpenRequestOptions,
  PollOptions,
  RenameOptions,
  SetXattrOptions,
  SpliceOptions,
  StatOptions,
  SyncRangeOptions,
  TimeoutOptions,
  UtimeOptions,
  WriteFileOptions,
  XattrOptions,
} from "./src/operations/request_options.ts";
export type { OpBuilders } from "./src/operations/values.ts";
export type { OpName, OpValues } from "./src/operations/values.ts";
export type { PollEvents } from "./src/linux/poll.ts";
export type { IoqRequest } from "./src/operations/request.ts";
export type { Completion } from "./src/queue/completion.ts";
export type { BackendInfo, BackendKind, LaneCounts, RingInfo } from "./src/backends/backend.ts";
export type { ClockName, CpuClockName } from "./src/linux/clock.ts";
export type { BigIntFileInfo, FileInfo } from "./src/linux/stat.ts";
export type { DirEntry } from "./src/linux/directory.ts";
export type { FileTime } from "./src/file_time.ts";
export type { Path } from "./src/path.ts";
export { expandGlob, glob } from "./src/trees/glob.ts";
export type { ExpandGlobOptions, Glob, GlobEntry, GlobOptions } from "./src/trees/glob_types.ts";
export { walk } from "./src/trees/walk.ts";
export type { Walk } from "./src/trees/walk.ts";
export type {
  WalkEntry,
  WalkEntryWithBigIntInfo,
  WalkEntryWithInfo,
  WalkErrorPolicy,
  WalkOptions,
} from "./src/trees/walk/walk_types.ts";
export { copyTree, removeTree } from "./src/trees/functions.ts";
export type { CopyTreeOptions, PreserveOptions } from "./src/trees/copy_tree.ts";
export type { ErrorPolicy } from "./src/trees/error_policy.ts";
export type { TreeOptions, TreeProgress } from "./src/trees/tree_options.ts";
export type {
  FileToWrite,
  WriteFilesOptions,
  WriteFilesProgress,
  WrittenFiles,
} from "./src/trees/write_files.ts";
