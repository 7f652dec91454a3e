// Copyright 2026 the ioq authors. MIT license.

/**
 * The main job: read every directory below a path and stat every entry, through
 * the queue, and tell what is there.
 *
 *     deno task demo [PATH]
 *
 * The totals are those of `find PATH | wc -l`, `du -sx --block-size=1 PATH` and
 * `du -sxb PATH` on a tree that does not change meanwhile.
 *
 * @module
 */

import { type FileInfo, Ioq, op, type Path } from "@ioq/ioq";

/** A directory, with the bytes of what is in it: its own, until {@linkcode rollUp}. */
interface Directory {
  readonly path: Path;
  readonly parent: Directory | undefined;
  allocated: number;
}

/** What a request was for. */
interface Job {
  readonly path: Path;
  /** Where its bytes count. */
  readonly directory: Directory;
}

/** What has been found. */
class Census {
  readonly types = { files: 0, directories: 0, "symbolic links": 0, others: 0 };
  readonly directories: Directory[] = [];
  readonly errors: Error[] = [];
  entries = 0;
  allocated = 0;
  apparent = 0;
  /** Entries on other file systems: counted, but their bytes are not. */
  foreign = 0;
  #device: number | undefined;
  /** Inodes with several names, by device, that were met already. */
  readonly #linked = new Map<number, Set<number>>();

  /** Count an entry. */
  add(info: FileInfo, directory: Directory): void {
    this.entries++;
    this.types[
      info.isFile
        ? "files"
        : info.isDirectory
        ? "directories"
        : info.isSymlink
        ? "symbolic links"
        : "others"
    ]++;
    this.#device ??= info.dev;
    if (info.dev !== this.#device) {
      this.foreign++;
      return;
    }
    if (info.isDirectory || info.nlink === 1 || this.#isNew(info)) {
      const allocated = (info.blocks ?? 0) * 512;
      this.allocated += allocated;
      this.apparent += info.size;
      directory.allocated += allocated;
    }
  }

  /** Whether a file with several names has not been met by another of them. */
  #isNew(info: FileInfo): boolean {
    let inodes = this.#linked.get(info.dev);
    if (inodes === undefined) {
      this.#linked.set(info.dev, inodes = new Set());
    }
    const size = inodes.size;
    return inodes.add(info.ino!).size > size;
  }

  /** Add what is in each directory to those above it, and return the largest. */
  largest(count: number): { path: string; allocated: number }[] {
    const totals = new Map(this.directories.map((it) => [it, it.allocated]));
    // Parents are found before their children
    for (const directory of this.directories.toReversed()) {
      const { parent } = directory;
      if (parent !== undefined) {
        totals.set(parent, totals.get(parent)! + totals.get(directory)!);
      }
    }
    return [...totals]
      .map(([{ path }, allocated]) => ({ path: text(path), allocated }))
      .sort((a, b) => b.allocated - a.allocated)
      .slice(0, count);
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** A path for people: what is not UTF-8 and what would drive the terminal is replaced. */
function text(path: Path): string {
  const string = path instanceof Uint8Array ? decoder.decode(path) : String(path);
  // deno-lint-ignore no-control-regex
  return string.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
}

/** The path of an entry, in bytes if its name is not UTF-8. */
function join(parent: Path, entry: { name: string; rawName?: Uint8Array }): Path {
  if (typeof parent === "string" && entry.rawName === undefined) {
    return parent.endsWith("/") ? parent + entry.name : `${parent}/${entry.name}`;
  }
  const head = parent instanceof Uint8Array ? parent : encoder.encode(String(parent));
  const tail = entry.rawName ?? encoder.encode(entry.name);
  const bytes = new Uint8Array(head.length + 1 + tail.length);
  bytes.set(head);
  bytes[head.length] = 0x2f;
  bytes.set(tail, head.length + 1);
  return bytes;
}

/** Stat everything below a path. Stops early when the signal fires. */
async function take(
  ioq: Ioq<Job>,
  root: string,
  signal: AbortSignal,
  onProgress: (census: Census) => void,
): Promise<Census> {
  const census = new Census();
  const toStat: Job[] = [];
  const toRead: Directory[] = [];

  /** Have a directory read. */
  const enter = (path: Path, parent: Directory | undefined): Directory => {
    const directory: Directory = { path, parent, allocated: 0 };
    census.directories.push(directory);
    toRead.push(directory);
    return directory;
  };

  let info;
  try {
    info = await ioq.lstat(root, { signal });
  } catch (error) {
    if (signal.aborted) {
      return census;
    }
    // What cannot be stat'ed at all is an error of the caller's
    throw error;
  }
  const top: Directory = info.isDirectory
    ? enter(root, undefined)
    : { path: root, parent: undefined, allocated: 0 };
  census.add(info, top);

  /** Fill the queue: entries first, so that only the directories pile up. */
  const submit = () => {
    while (!signal.aborted && ioq.capacity > 0) {
      const job = toStat.pop();
      if (job !== undefined) {
        ioq.submit(op.lstat(job.path), job);
        continue;
      }
      const directory = toRead.pop();
      if (directory === undefined) {
        return;
      }
      ioq.submit(op.readDir(directory.path), { path: directory.path, directory });
    }
  };

  submit();
  for await (const completions of ioq.batches()) {
    for (const completion of completions) {
      const { path, directory } = completion.data;
      if (!completion.ok) {
        // Those that were cancelled are neither here nor there
        if (!signal.aborted) {
          census.errors.push(completion.error);
        }
      } else if (completion.op === "lstat") {
        census.add(completion.value, directory);
      } else if (completion.op === "readDir") {
        for (const entry of completion.value) {
          const child = join(path, entry);
          toStat.push({
            path: child,
            directory: entry.isDirectory ? enter(child, directory) : directory,
          });
        }
      }
    }
    onProgress(census);
    submit();
  }
  return census;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes for people. */
function human(bytes: number): string {
  let unit = 0;
  while (bytes >= 1024 && unit < UNITS.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${UNITS[unit]}`;
}

const integer = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** Print what was found. */
function report(census: Census, ioq: Ioq<Job>, seconds: number, operations: number): void {
  const rows: [string, string][] = [
    ["entries", integer.format(census.entries)],
    ...Object.entries(census.types).map(([name, count]): [string, string] => [
      `  ${name}`,
      integer.format(count),
    ]),
    ["allocated", `${census.allocated} bytes (${human(census.allocated)})`],
    ["apparent", `${census.apparent} bytes (${human(census.apparent)})`],
  ];
  if (census.foreign > 0) {
    rows.push(["elsewhere", `${integer.format(census.foreign)} on other file systems, not summed`]);
  }
  rows.push(["unreadable", integer.format(census.errors.length)]);
  rows.push(["time", `${seconds.toFixed(3)} s`]);
  rows.push([
    "operations",
    `${integer.format(operations)} (${integer.format(operations / seconds)}/s)`,
  ]);

  const { backend, completed } = ioq;
  rows.push(["backend", `${backend.kind}, up to ${backend.lanes} lanes`]);
  rows.push(["ran on", describeLanes(completed)]);
  if (backend.ring !== undefined) {
    rows.push(["ring", `${backend.ring.entries} entries, ${backend.ring.flags.join(" ")}`]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) {
    console.log(`${name.padEnd(width)}  ${value}`);
  }

  const largest = census.largest(10);
  if (largest.length > 0) {
    console.log(`\nlargest directories`);
    for (const { path, allocated } of largest) {
      console.log(`${human(allocated).padStart(10)}  ${path}`);
    }
  }
  if (census.errors.length > 0) {
    console.log(`\nunreadable`);
    for (const error of census.errors.slice(0, 20)) {
      console.log(`  ${text(error.message)}`);
    }
    if (census.errors.length > 20) {
      console.log(`  and ${integer.format(census.errors.length - 20)} more`);
    }
  }
}

/** How many requests each kind of lane ran. */
function describeLanes(completed: Ioq["completed"]): string {
  const names = {
    core: "the queue itself",
    ring: "the ring",
    worker: "worker lanes",
  };
  return Object.entries(names)
    .map(([key, name]) => [completed[key as keyof typeof names], name] as const)
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${name}: ${integer.format(count)}`)
    .join(", ");
}

/** Redraws a line on a terminal now and then; does nothing elsewhere. */
function makeProgress(): { show(census: Census): void; clear(): void } {
  if (!Deno.stderr.isTerminal()) {
    return { show() {}, clear() {} };
  }
  let last = 0;
  const draw = (line: string) => Deno.stderr.writeSync(encoder.encode(`\r\x1b[K${line}`));
  return {
    show(census) {
      const now = performance.now();
      if (now - last >= 100) {
        last = now;
        draw(`${integer.format(census.entries)} entries, ${human(census.allocated)}`);
      }
    },
    clear: () => draw(""),
  };
}

/** Run the job; returns the exit code. */
async function main(args: string[]): Promise<number> {
  const flag = args.find((arg) => arg.startsWith("-"));
  if (flag !== undefined || args.length > 1) {
    const help = flag === "-h" || flag === "--help";
    (help ? console.log : console.error)("Usage: deno task demo [PATH]    (default: /usr)");
    return help ? 0 : 2;
  }
  const root = args[0] ?? "/usr";

  const abort = new AbortController();
  const interrupt = () => abort.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  const progress = makeProgress();
  try {
    await using ioq = await Ioq.open<Job>();
    abort.signal.addEventListener("abort", () => ioq.cancelAll());
    const start = performance.now();
    const census = await take(ioq, root, abort.signal, (it) => progress.show(it));
    const seconds = (performance.now() - start) / 1000;
    progress.clear();
    const { core, ring, worker } = ioq.completed;
    if (abort.signal.aborted) {
      console.log("interrupted: this is what was found until then\n");
    }
    report(census, ioq, seconds, core + ring + worker);
    return abort.signal.aborted ? 130 : 0;
  } catch (error) {
    progress.clear();
    console.error(`demo: ${error instanceof Error ? text(error.message) : error}`);
    return 1;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args);
}
