// Copyright 2026 the ioq authors. MIT license.

/**
 * `../ship.ts` with Deno's own calls alone.
 *
 *     deno run --allow-read --allow-write examples/plain/ship.ts POSITIONS FILE…
 *
 * @module
 */

/** A line that is longer is sent in pieces. */
const CHUNK_BYTES = 1024 * 1024;
const INTERVAL_MS = 100;
const NEWLINE = 0x0a;

/** A file that is followed, and the offset of its first byte that was not sent. */
interface Source {
  readonly path: string;
  file: Deno.FsFile | undefined;
  id: string;
  offset: number;
}

/** Which file it is, whatever its name. */
function idOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev}:${ino}`;
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) {
    throw error;
  }
}

/** Follow files until the signal fires. Lines have arrived when what `send` gives resolves. */
export async function ship(
  positions: string,
  paths: readonly string[],
  send: (path: string, lines: string) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const saved = JSON.parse(await Deno.readTextFile(positions).catch(unlessMissing) ?? "{}");
  const sources: Source[] = paths.map((path) => {
    const { id = "", offset = 0 } = saved[path] ?? {};
    return { path, file: undefined, id, offset };
  });

  /** Send what a file has more than before; whether that was something. */
  async function advance(source: Source): Promise<boolean> {
    const { path } = source;
    if (source.file === undefined) {
      source.file = await Deno.open(path).catch(unlessMissing);
      if (source.file === undefined) {
        return false;
      }
      const id = idOf(await source.file.stat());
      if (id !== source.id) {
        Object.assign(source, { id, offset: 0 });
      }
    }
    const { file } = source;
    const now = await Deno.stat(path).catch(unlessMissing);
    const replaced = now !== undefined && idOf(now) !== source.id;
    const { size } = await file.stat();
    if (size < source.offset) {
      source.offset = 0;
    }
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, size - source.offset));
    await file.seek(source.offset, Deno.SeekMode.Start);
    const count = await file.read(chunk) ?? 0;
    const newline = chunk.subarray(0, count).lastIndexOf(NEWLINE);
    // A line that has no end yet waits for it, unless it is too long or nobody will write it
    const end = newline < 0 && (replaced || count === CHUNK_BYTES) ? count : newline + 1;
    if (end > 0) {
      await send(path, new TextDecoder().decode(chunk.subarray(0, end)));
      source.offset += end;
    } else if (replaced) {
      file.close();
      source.file = undefined; // the new one is next
    }
    return end > 0 || replaced;
  }

  try {
    while (!signal.aborted) {
      const sent = await Promise.all(sources.map(advance));
      if (sent.includes(true)) {
        const entries = sources.map(({ path, id, offset }) => [path, { id, offset }]);
        const text = JSON.stringify(Object.fromEntries(entries));
        await Deno.writeTextFile(`${positions}.new`, text);
        await Deno.rename(`${positions}.new`, positions);
      } else {
        await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
      }
    }
  } finally {
    for (const { file } of sources) {
      file?.close();
    }
  }
}

if (import.meta.main) {
  const [positions, ...paths] = Deno.args;
  if (positions === undefined || paths.length === 0) {
    console.error("Usage: ship.ts POSITIONS FILE…");
    Deno.exit(2);
  }
  const stop = new AbortController();
  Deno.addSignalListener("SIGINT", () => stop.abort());
  const writer = Deno.stdout.writable.getWriter();
  const send = (_: string, lines: string) => writer.write(new TextEncoder().encode(lines));
  await ship(positions, paths, send, stop.signal);
}
