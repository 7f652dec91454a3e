// Copyright 2026 the ioq authors. MIT license.

/**
 * A crawler that goes easy on a file system: it reads every directory below a path,
 * a few at a time and not more than so many a second. Ctrl-C stops it at once, and it
 * tells what it has found until then.
 *
 *     deno run -A examples/crawl.ts [--rate PER_SECOND] [--at-once COUNT] [PATH]
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Canceled, EventLoop, type Io, Mutex, Semaphore } from "@ioq/ioq/loop";

/** Lets its callers go on one after the other, at a rate. */
export class RateLimit {
  readonly #intervalNs: bigint;
  readonly #turn = new Mutex();
  #nextNs = 0n;

  /** @param perSecond How many may go on in a second. */
  constructor(perSecond: number) {
    this.#intervalNs = BigInt(Math.max(1, Math.round(1e9 / perSecond)));
  }

  /** Wait for one's turn. */
  async wait(io: Io): Promise<void> {
    using _turn = await this.#turn.acquire(io);
    await io.sleepUntil(this.#nextNs);
    const now = io.now();
    const next = this.#nextNs + this.#intervalNs;
    // Whoever was idle for a while does not catch up
    this.#nextNs = next > now ? next : now + this.#intervalNs;
  }
}

/** What was found. */
export interface Found {
  directories: number;
  others: number;
  readonly errors: Error[];
}

/** How to crawl. */
export interface CrawlOptions {
  /** Directories a second. */
  perSecond: number;
  /** Directories at a time. */
  atOnce: number;
}

/** Read every directory below a path, filling in what is found. */
export async function crawl(
  loop: EventLoop,
  io: Io,
  root: string,
  { perSecond, atOnce }: CrawlOptions,
  found: Found,
): Promise<void> {
  const rate = new RateLimit(perSecond);
  const slots = new Semaphore(atOnce);
  await using group = loop.group();
  const enter = (path: string) =>
    group.async(async (io) => {
      using _slot = await slots.acquire(io);
      await rate.wait(io);
      try {
        const entries = await io.readDir(path);
        found.directories++;
        for (const entry of entries) {
          if (entry.isDirectory && entry.rawName === undefined) {
            enter(path.endsWith("/") ? path + entry.name : `${path}/${entry.name}`);
          } else {
            found.others++;
          }
        }
      } catch (error) {
        if (error instanceof Canceled || !(error instanceof Error)) {
          throw error;
        }
        found.errors.push(error);
      }
    });
  enter(root);
  await group.wait(io);
}

/** Crawl and tell; the exit code. */
async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rate: { type: "string", default: "1000" },
      "at-once": { type: "string", default: "8" },
    },
  });
  const options = { perSecond: Number(values.rate), atOnce: Number(values["at-once"]) };
  if (!(options.perSecond > 0) || !(options.atOnce >= 1) || positionals.length > 1) {
    console.error("Usage: crawl.ts [--rate PER_SECOND] [--at-once COUNT] [PATH]");
    return 2;
  }

  await using loop = await EventLoop.open();
  const found: Found = { directories: 0, others: 0, errors: [] };
  const crawling = loop.async((io) => crawl(loop, io, positionals[0] ?? ".", options, found));
  const interrupt = () => void crawling.cancel();
  Deno.addSignalListener("SIGINT", interrupt);
  let code = 0;
  try {
    await crawling;
  } catch (error) {
    if (!(error instanceof Canceled)) {
      throw error;
    }
    console.log("interrupted: this is what was found until then");
    code = 130;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
  console.log(`directories  ${found.directories}`);
  console.log(`others       ${found.others}`);
  console.log(`unreadable   ${found.errors.length}`);
  for (const error of found.errors.slice(0, 10)) {
    console.error(`crawl: ${error.message}`);
  }
  return code;
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args);
}
