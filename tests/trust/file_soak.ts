// Copyright 2026 the ioq authors. MIT license.

/**
 * The soak of open files, on a small disk that it is given: transfers at the position and
 * at offsets, some awaited and some not, until the disk is full, with an end in the middle.
 * Each byte says where it belongs, so that whatever is in the file must be what was written
 * there, and all that was acknowledged must be in it.
 *
 *     deno run -A tests/trust/file_soak.ts DISK [rounds] [seed]
 */

import { assert, assertEquals } from "@std/assert";
import type { Ioq, IoqFile } from "../../mod.ts";
import { rows } from "../backends.ts";
import { descriptorsUnder, newSeed, randomFrom } from "../fixtures.ts";

/** The byte that belongs at an offset of a round's file. */
const byteAt = (offset: number, round: number) => (offset * 31 + (offset >> 8) * 7 + round) & 0xff;

function bytesAt(offset: number, length: number, round: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => byteAt(offset + i, round));
}

/** What a call came to: how many bytes, or its error. */
type Told = number | null | Error;

const told = (call: Promise<number | null>): Promise<Told> => call.catch((error: Error) => error);

/** What a run came to. */
interface Figures {
  calls: number;
  bytes: number;
  full: number;
  ended: number;
}

/** What happens to one file, from its beginning to its end. Whether the queue was closed. */
async function live(
  ioq: Ioq,
  path: string,
  round: number,
  random: () => number,
  figures: Figures,
): Promise<boolean> {
  const below = (max: number) => Math.floor(random() * max);
  const file: IoqFile = await ioq.openFile(path, { read: true, write: true, create: true });
  /** Where calls at the position are, since they are awaited. */
  let position = 0;
  /** What was acknowledged: from the start to there, and the pieces at offsets. */
  const acknowledged: [number, number][] = [];
  const pending: Promise<void>[] = [];
  const end = below(40);
  const ending = random();
  const take = (from: number, length: number, outcome: Told) => {
    figures.calls++;
    if (typeof outcome === "number") {
      assert(outcome <= length, `${outcome} of ${length}`);
      figures.bytes += outcome;
      acknowledged.push([from, outcome]);
    } else if ((outcome as { code?: string } | null)?.code === "ENOSPC") {
      figures.full++;
    } else {
      figures.ended++;
      assert(/Interrupted|BadResource|closed/.test(`${outcome}`), `${outcome}`);
    }
  };
  for (let step = 0; step < end; step++) {
    const length = 1 + below(random() < 0.1 ? 400_000 : 20_000);
    const at = below(900_000);
    const choice = random();
    if (choice < 0.4) {
      const outcome = await told(file.write(bytesAt(position, length, round)));
      take(position, length, outcome);
      position += typeof outcome === "number" ? outcome : 0;
    } else if (choice < 0.7) {
      pending.push(
        told(file.writeAt(bytesAt(at, length, round), at)).then((it) => take(at, length, it)),
      );
    } else if (choice < 0.8) {
      const parts = [bytesAt(at, length, round), bytesAt(at + length, 77, round)];
      pending.push(told(file.writevAt(parts, at)).then((it) => take(at, length + 77, it)));
    } else if (choice < 0.9) {
      position = await file.seek(below(500_000), Deno.SeekMode.Start);
    } else {
      const buffer = new Uint8Array(length);
      const outcome = await told(file.read(buffer));
      const count = typeof outcome === "number" ? outcome : 0;
      for (let i = 0; i < count; i++) {
        // What nobody has written yet is 0
        const isFine = buffer[i] === byteAt(position + i, round) || buffer[i] === 0;
        assert(isFine, `byte ${position + i} is ${buffer[i]}`);
      }
      position += count;
    }
  }
  const closes = ending < 0.3;
  if (closes) {
    await ioq.close();
  } else {
    await file.close();
  }
  await Promise.all(pending);
  const there = Deno.readFileSync(path);
  for (const [from, length] of acknowledged) {
    assertEquals(there.length >= from + length, true, `${from} + ${length} of ${there.length}`);
    for (let at = from; at < from + length; at++) {
      assert(there[at] === byteAt(at, round), `byte ${at} is ${there[at]}`);
    }
  }
  for (let at = 0; at < there.length; at++) {
    assert(there[at] === byteAt(at, round) || there[at] === 0, `byte ${at} is ${there[at]}`);
  }
  return closes;
}

/** Run so many rounds on a disk, on every backend. */
async function soakFiles(disk: string, rounds: number, seed: number): Promise<void> {
  for (const [row, reason, open] of rows) {
    if (reason !== undefined) {
      continue;
    }
    const random = randomFrom(seed);
    const figures: Figures = { calls: 0, bytes: 0, full: 0, ended: 0 };
    let ioq: Ioq | undefined;
    for (let round = 0; round < rounds; round++) {
      ioq ??= await open({ depth: [2, 16, 256][round % 3]! });
      const path = `${disk}/file`;
      if (await live(ioq, path, round, random, figures) || round % 8 === 7) {
        await ioq.close();
        ioq = undefined;
        assertEquals(descriptorsUnder(disk), 0);
      }
      Deno.removeSync(path);
    }
    await ioq?.close();
    console.log(JSON.stringify({ row: row.name, seed, rounds, ...figures }));
  }
}

if (import.meta.main) {
  const [disk, rounds = "40", seed] = Deno.args as [string, string?, string?];
  await soakFiles(disk, Number(rounds), seed === undefined ? newSeed() : Number(seed));
}
