// Copyright 2026 the ioq authors. MIT license.

/**
 * Run by `full_disk_test.ts` on a file system of 1 MiB, which it is given: every call that
 * writes, by Deno and on every row, until the disk is full. Prints what each came to, a
 * line of JSON for each.
 */

import { type Ioq, type IoqFile, type IoqRequest, op } from "../../mod.ts";
import { rows } from "../backends.ts";

const [disk, large] = Deno.args as [string, string];
const path = `${disk}/file`;
const data = Deno.readFileSync(large);

type AnyFile = IoqFile | Deno.FsFile;
type Io = Ioq | typeof Deno;

/** What a call has told of the bytes that it wrote, as it goes. */
interface Told {
  bytes: number;
}

const openFile = (io: Io, options: Deno.OpenOptions): Promise<AnyFile> =>
  "openFile" in io ? io.openFile(path, options) : io.open(path, options);

/** Write until an error comes. */
async function loop(told: Told, write: (rest: Uint8Array) => number | Promise<number>) {
  while (told.bytes < data.length) {
    told.bytes += await write(data.subarray(told.bytes, told.bytes + 100_001));
  }
}

/** Do something with an open file. */
function withFile(
  use: (file: AnyFile, told: Told) => Promise<void>,
  options: Deno.OpenOptions = { write: true, create: true },
) {
  return async (io: Io, told: Told) => {
    const file = await openFile(io, options);
    try {
      await use(file, told);
    } finally {
      try {
        await file.close();
      } catch {
        // Its stream has closed it
      }
    }
  };
}

/** Chunks of the data, as a stream. */
function stream(at = 0): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(data.slice(at, at += 65_535));
      if (at >= data.length) {
        controller.close();
      }
    },
  });
}

const CALLS: Record<string, (io: Io, told: Told) => Promise<void>> = {
  "writeFile": (io) => io.writeFile(path, data) as Promise<void>,
  "writeFile, one request": (io) =>
    io.writeFile(path, data.subarray(0, 3_000_000)) as Promise<void>,
  "writeFile, small": async (io) => {
    Deno.writeFileSync(`${disk}/filler`, data.subarray(0, 1_040_000));
    await io.writeFile(path, data.subarray(0, 20_000));
  },
  "writeFile, append": async (io) => {
    await io.writeFile(path, data.subarray(0, 500_000));
    await io.writeFile(path, data.subarray(500_000, 1_500_000), { append: true });
  },
  "writeTextFile": (io) => io.writeTextFile(path, "text".repeat(1_000_000)) as Promise<void>,
  "writeFile of a stream": (io) => io.writeFile(path, stream()) as Promise<void>,
  "write": withFile((file, told) => loop(told, (rest) => file.write(rest))),
  "write, at once": withFile(async (file, told) => {
    told.bytes = await file.write(data);
    await file.write(data.subarray(told.bytes));
  }),
  "write, append": withFile(
    (file, told) => loop(told, (rest) => file.write(rest)),
    { append: true, create: true },
  ),
  "write, unordered": withFile(async (file, told) => {
    const writes = Array.from(
      { length: 16 },
      (_, i) => file.write(data.subarray(i * 100_000, (i + 1) * 100_000)),
    );
    for (const result of await Promise.allSettled(writes)) {
      told.bytes += result.status === "fulfilled" ? result.value : 0;
    }
    await Promise.all(writes);
  }),
  "pipeTo": withFile((file) => stream().pipeTo(file.writable)),
  "pipeTo, append": withFile(
    (file) => stream().pipeTo(file.writable),
    { append: true, create: true },
  ),
  "writeFile of a stream, append": async (io) => {
    await io.writeFile(path, data.subarray(0, 500_000));
    await io.writeFile(path, stream(500_000), { append: true });
  },
  "truncate, write": withFile(async (file, told) => {
    await file.truncate(8_000_000);
    await loop(told, (rest) => file.write(rest));
  }),
  "copyFile": (io) => io.copyFile(large, path) as Promise<void>,
  "copyFile onto a file": async (io) => {
    Deno.writeTextFileSync(path, "what was there");
    await io.copyFile(large, path);
  },
};

const SYNCHRONOUS: typeof CALLS = {
  "writeSync": withFile((file, told) => loop(told, (rest) => file.writeSync(rest))),
  "writeSync, append": withFile(
    (file, told) => loop(told, (rest) => file.writeSync(rest)),
    { append: true, create: true },
  ),
};

/** What Deno has no counterpart of; what is told is what there is all the same. */
const OURS: Record<string, (io: Ioq, told: Told) => Promise<unknown>> = {
  "writeAt": (io, told) =>
    withFile((file, told) => loop(told, (rest) => (file as IoqFile).writeAt(rest, told.bytes)))(
      io,
      told,
    ),
  "writev": (io, told) =>
    withFile((file, told) =>
      loop(told, (rest) => (file as IoqFile).writev([rest.subarray(0, 1000), rest.subarray(1000)]))
    )(io, told),
  "writevAt": (io, told) =>
    withFile((file, told) => loop(told, (rest) => (file as IoqFile).writevAt([rest], told.bytes)))(
      io,
      told,
    ),
  "writev, append": (io, told) =>
    withFile(
      (file, told) =>
        loop(
          told,
          (rest) => (file as IoqFile).writev([rest.subarray(0, 70_000), rest.subarray(70_000)]),
        ),
      { append: true, create: true },
    )(io, told),
  "op.write": withDescriptor({ write: true, create: true }, (fd, rest) => op.write(fd, rest)),
  "op.write, append": withDescriptor(
    { append: true, create: true },
    (fd, rest) => op.write(fd, rest),
  ),
  "op.writev": withDescriptor(
    { write: true, create: true },
    (fd, rest) => op.writev(fd, [rest.subarray(0, 50_000), rest.subarray(50_000)]),
  ),
};

/** Write to a descriptor until an error comes, where the kernel says. */
function withDescriptor(
  options: Deno.OpenOptions,
  write: (fd: number, rest: Uint8Array) => IoqRequest<"write" | "writev">,
) {
  return async (io: Ioq, told: Told) => {
    const fd = await io.run(op.open(path, options));
    try {
      await loop(told, (rest) => io.run(write(fd, rest)));
    } finally {
      await io.run(op.close(fd));
    }
  };
}

/** Whether bytes are the beginning of the data, or of the text. */
function isBeginning(bytes: Uint8Array, call: string): boolean {
  const text = new TextEncoder().encode("text");
  return bytes.every((byte, i) => byte === (call === "writeTextFile" ? text[i % 4] : data[i]));
}

/** Run one and say what it came to. */
async function report<I>(
  row: string,
  call: string,
  run: (io: I, told: Told) => Promise<unknown>,
  io: I,
): Promise<void> {
  for (const { name } of Deno.readDirSync(disk)) {
    Deno.removeSync(`${disk}/${name}`);
  }
  const told = { bytes: 0 };
  let error = "none";
  try {
    await run(io, told);
  } catch (reason) {
    error = `${(reason as Error).constructor.name} ${(reason as { code?: string }).code}`;
  }
  let written;
  try {
    written = Deno.readFileSync(path);
  } catch {
    written = new Uint8Array();
  }
  if (call === "truncate, write") {
    written = written.subarray(0, told.bytes);
  }
  const outcome = {
    ...{ row, call, error, told: told.bytes, size: written.length },
    intact: isBeginning(told.bytes > 0 ? written.subarray(0, told.bytes) : written, call),
  };
  console.log(JSON.stringify(outcome));
}

for (const [call, run] of Object.entries({ ...CALLS, ...SYNCHRONOUS })) {
  await report("Deno", call, run, Deno as Io);
}
for (const [row, reason, open] of rows) {
  if (reason !== undefined) {
    continue;
  }
  await using ioq = await open();
  for (const [call, run] of Object.entries(CALLS)) {
    await report(row.name, call, run, ioq as Io);
  }
  if (row.name !== "worker without library") {
    for (const [call, run] of Object.entries(SYNCHRONOUS)) {
      await report(row.name, call, run, ioq as Io);
    }
  }
  for (const [call, run] of Object.entries(OURS)) {
    await report(row.name, call, run, ioq);
  }
  if (row.library) {
    await report(row.name, "allocate", async (io) => {
      await using file = await io.openFile(path, { write: true, create: true });
      await io.run(op.allocate(file.fd, 0, 8_000_000));
    }, ioq as Ioq);
  }
}
