// Copyright 2026 the ioq authors. MIT license.

/**
 * `ioq du -s`: one number, for which lanes add up what they read, see `native/calls/report.c`.
 *
 * What has several names counts once, wherever it is met first: that makes no difference to
 * the total. A directory that is mounted below itself would: then it is done the other way.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { EXIT_FAILURE, EXIT_OK, parseCommandLine, UsageError } from "./command.ts";
import { DU_OPTIONS, formatSize, withOneSlash } from "./du_options.ts";
import { complain, Progress, writeText } from "./output.ts";
import { quote } from "./quoting.ts";
import { explain, joinWords, type Report, Reporter, type ReportError } from "./reports.ts";

const LINK_WORDS = layout.REPORT_LINK_SIZE / 4;

/** What a directory is and takes, if it is one and no link. */
function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path).isDirectory ? Deno.statSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** What a command line says; a wrong one is told of elsewhere. */
function parse(args: readonly string[]) {
  try {
    return parseCommandLine(args, DU_OPTIONS);
  } catch (error) {
    if (error instanceof UsageError) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Run `ioq du`, if the total of one directory is all that it is to print.
 *
 * @returns The exit code; `undefined` if nothing was done, since it takes another way.
 */
export async function duTotal(args: readonly string[]): Promise<number | undefined> {
  const line = parse(args);
  if (
    line === undefined || !line.values.summarize || line.values["max-depth"] !== undefined ||
    line.positionals.length > 1
  ) {
    return undefined;
  }
  const path = withOneSlash(line.positionals[0] ?? ".");
  const info = lookAt(path);
  const reporter = info === undefined ? undefined : await Reporter.open();
  if (info === undefined || reporter === undefined) {
    return undefined;
  }
  const isApparent = line.values["apparent-size"];
  let total = isApparent ? info.size : info.blocks! * 512;
  let count = 1;
  let takesOtherWay = false;
  const errors: ReportError[] = [];
  /** What has several names, by device. */
  const seen = new Map<bigint, Set<bigint>>();
  const progress = new Progress();
  /** What ends the work: it is done the other way. */
  const otherWay = new Error("A report is not enough");
  const take = (report: Report) => {
    const { links } = report;
    takesOtherWay ||= report.isMounted ||
      report.errors.some(({ what }) => what === layout.REPORT_TOO_LONG);
    if (takesOtherWay) {
      throw otherWay;
    }
    total += report.total;
    for (let at = 0; at < links.length; at += LINK_WORDS) {
      const dev = joinWords(links, at + layout.REPORT_LINK_DEV_LOW);
      const ino = joinWords(links, at + layout.REPORT_LINK_INO_LOW);
      let inodes = seen.get(dev);
      if (inodes === undefined) {
        seen.set(dev, inodes = new Set());
      }
      if (!inodes.has(ino)) {
        inodes.add(ino);
        total += Number(joinWords(links, at + layout.REPORT_LINK_BYTES_LOW));
      }
    }
    errors.push(...report.errors);
    count += report.count;
    progress.show(() => `${count} entries`);
  };
  try {
    const options = { mode: layout.TREE_TOTAL, detail: isApparent ? 1 : 0 };
    await reporter.run(path, options, take);
  } catch (error) {
    if (error !== otherWay) {
      throw error;
    }
  } finally {
    reporter.close();
    progress.clear();
  }
  if (takesOtherWay) {
    return undefined;
  }
  for (const error of errors) {
    complain("du", await explain(error));
  }
  const shown = Deno.stdout.isTerminal() ? quote(path) : path;
  await writeText(`${formatSize(total, line.values.human)}\t${shown}\n`);
  return errors.length > 0 ? EXIT_FAILURE : EXIT_OK;
}
