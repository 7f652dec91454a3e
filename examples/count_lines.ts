// Copyright 2026 the ioq authors. MIT license.

/**
 * The lines of all text files below a path, by kind of file:
 *
 *     deno run --allow-ffi --allow-read examples/count_lines.ts [PATH] [.EXT…]
 *
 * Lines are counted as wc(1) does: by their ends. A file that has a NUL in its
 * first bytes is no text. Files are read while the walk goes on to find others.
 *
 * @module
 */

import { extname } from "node:path";
import { Ioq, type Path, walk } from "@ioq/ioq";

const NEWLINE = 0x0a;
/** Larger files are read in pieces. */
const WHOLE_BYTES_MAX = 1024 * 1024;
/** How far to look for what no text has. */
const LOOK_BYTES = 8192;

/** What was counted. */
export interface Count {
  files: number;
  lines: number;
  bytes: number;
}

/** What was found below a path. */
export interface LineCounts {
  /** By the ends of names, such as `.ts`; `""` for names without. */
  readonly byExtension: Map<string, Count>;
  /** Files that are no text. */
  binaries: number;
  /** What could not be read. */
  readonly errors: Error[];
}

/** The ends of lines in bytes. `indexOf` is many times faster than a loop. */
function countNewlines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    lines++;
  }
  return lines;
}

function isText(start: Uint8Array): boolean {
  return !start.subarray(0, LOOK_BYTES).includes(0);
}

/** Count the lines of all text files below a path. */
export async function countLines(
  ioq: Ioq,
  root: string,
  exts?: readonly string[],
): Promise<LineCounts> {
  const found: LineCounts = { byExtension: new Map(), binaries: 0, errors: [] };
  const onError = (error: Error) => void found.errors.push(error);
  const add = (path: Path, lines: number, bytes: number) => {
    const name = path instanceof Uint8Array ? new TextDecoder().decode(path) : String(path);
    const extension = extname(name);
    let count = found.byExtension.get(extension);
    if (count === undefined) {
      found.byExtension.set(extension, count = { files: 0, lines: 0, bytes: 0 });
    }
    count.files++;
    count.lines += lines;
    count.bytes += bytes;
  };

  const large: Path[] = [];
  async function* small(): AsyncGenerator<Path> {
    const entries = walk(root, {
      ioq,
      stat: true,
      includeDirs: false,
      onError,
      ...exts && { exts },
    });
    for await (const { isFile, info, path, rawPath } of entries) {
      if (isFile) {
        if (info!.size <= WHOLE_BYTES_MAX) {
          yield rawPath ?? path;
        } else {
          large.push(rawPath ?? path);
        }
      }
    }
  }

  for await (const { path, bytes } of ioq.readFiles(small(), { onError })) {
    if (isText(bytes)) {
      add(path, countNewlines(bytes), bytes.length);
    } else {
      found.binaries++;
    }
  }

  for (const path of large) {
    try {
      await using file = await ioq.openFile(path);
      let [lines, bytes, text] = [0, 0, true];
      for await (const chunk of file.readable) {
        text = bytes > 0 || isText(chunk);
        if (!text) {
          break;
        }
        lines += countNewlines(chunk);
        bytes += chunk.length;
      }
      if (text) {
        add(path, lines, bytes);
      } else {
        found.binaries++;
      }
    } catch (error) {
      onError(error as Error);
    }
  }
  return found;
}

if (import.meta.main) {
  const exts = Deno.args.filter((it) => it.startsWith(".") && !/^\.\.?(?:\/|$)/.test(it));
  const [root = "."] = Deno.args.filter((it) => !exts.includes(it));
  try {
    await using ioq = await Ioq.open();
    const counts = await countLines(ioq, root, exts.length > 0 ? exts : undefined);
    const rows = [...counts.byExtension].sort(([, a], [, b]) => b.lines - a.lines);
    const total = { files: 0, lines: 0, bytes: 0 };
    for (const [extension, count] of rows) {
      console.log(
        `${String(count.lines).padStart(12)} lines  ${count.files} ${extension || "(none)"}`,
      );
      total.files += count.files;
      total.lines += count.lines;
      total.bytes += count.bytes;
    }
    console.log(
      `${String(total.lines).padStart(12)} lines  ${total.files} files, ${total.bytes} bytes`,
    );
    console.log(`${counts.binaries} files are no text`);
    for (const error of counts.errors) {
      console.error(error.message);
    }
    Deno.exitCode = counts.errors.length > 0 ? 1 : 0;
  } catch (error) {
    console.error(`count_lines: ${error instanceof Error ? error.message : error}`);
    Deno.exitCode = 1;
  }
}
