// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { Pump, type PumpSource } from "../src/queue/pump.ts";
import { sleep, until } from "./fixtures.ts";

/** A source whose requests complete when the test says so. */
class FakeSource implements PumpSource {
  inFlight = 0;
  parksOnThread = false;
  /** Requests that complete at the next turn. */
  due = 0;
  turns: { arm: boolean; result: number }[] = [];
  rests = 0;
  parks = 0;
  parked = 0;
  parkedMax = 0;
  wakes = 0;
  /** Whether the parked call notices a wake-up at once. */
  attentive = true;
  #awake = false;
  #notice: (() => void) | undefined;

  turn(arm: boolean): number {
    const completed = this.due;
    this.due = 0;
    this.inFlight -= completed;
    const armed = arm && completed === 0 && this.inFlight > 0;
    if (armed) {
      // As the core does: what was written before no longer counts
      this.#awake = false;
    }
    const result = completed || (armed ? -1 : 0);
    this.turns.push({ arm, result });
    return result;
  }

  park(): Promise<void> {
    this.parks++;
    this.parkedMax = Math.max(this.parkedMax, ++this.parked);
    return new Promise((resolve) => {
      this.#notice = () => {
        if (this.#awake) {
          this.#awake = false;
          this.#notice = undefined;
          this.parked--;
          resolve();
        }
      };
    });
  }

  wake(): void {
    this.wakes++;
    this.stir();
  }

  /** Something happens that the parked call has to notice. */
  stir(): void {
    this.#awake = true;
    if (this.attentive) {
      this.notice();
    }
  }

  /** The parked call looks around. */
  notice(): void {
    this.#notice?.();
  }

  rest(): void {
    this.rests++;
  }

  /** Accept a request and have it complete at once, or not. */
  accept(due = 0): void {
    this.inFlight++;
    this.due += due;
  }
}

/** A pump that has parked over one request. */
async function parkedPump(): Promise<[Pump, FakeSource]> {
  const source = new FakeSource();
  const pump = new Pump(source);
  source.accept();
  pump.kick();
  await until(() => pump.parked, "parked");
  return [pump, source];
}

Deno.test("kick() has one turn follow the code that runs", async () => {
  const source = new FakeSource();
  const pump = new Pump(source);
  for (let i = 0; i < 10; i++) {
    source.accept(1);
    pump.kick();
  }
  assertEquals(source.turns, []);
  await Promise.resolve();
  assertEquals(source.turns, [{ arm: false, result: 10 }]);
  assertEquals(source.rests, 1);
});

Deno.test("at first the event loop goes round by parking, without setImmediate", async () => {
  const source = new FakeSource();
  source.parksOnThread = true;
  const pump = new Pump(source);
  let isDue = false;
  const timer = sleep(1).then(() => isDue = true);
  // Each completes with the turn after the one that submits it
  for (let i = 0; i < 20; i++) {
    source.accept();
    pump.kick();
    await Promise.resolve();
    // As a turn that completes as much as may be in one iteration of the event loop
    pump.spend(1024);
    source.due = 1;
    await until(() => source.inFlight === 0, "completed");
  }
  await timer;
  assert(isDue);
  assert(source.parks > 0, "parked");
  assertEquals(source.parkedMax, 1);
});

Deno.test("with nothing in flight the pump rests", async () => {
  const source = new FakeSource();
  const pump = new Pump(source);
  pump.kick();
  await sleep(20);
  assertEquals(source.turns.length, 1);
  assertEquals([source.rests, source.parks, source.wakes], [1, 0, 0]);
  assertEquals(pump.parked, false);
});

Deno.test("the pump turns a bounded number of times before it parks", async () => {
  const [pump, source] = await parkedPump();
  const turns = source.turns.length;
  assert(turns > 1 && turns <= 66, `${turns} turns`);
  assertEquals(source.turns.filter(({ arm }) => arm).length, 1);
  assertEquals(source.turns.at(-1), { arm: true, result: -1 });
  await sleep(20);
  assertEquals(source.turns.length, turns, "it turns while parked");
  assertEquals(source.parks, 1);

  source.due = 1;
  source.stir();
  await until(() => !pump.parked, "resumed");
  await sleep(20);
  assertEquals(source.turns.length, turns + 1);
  assertEquals(source.rests, 1);
});

Deno.test("never more than one call is parked", async () => {
  const [pump, source] = await parkedPump();
  for (let i = 0; i < 20; i++) {
    source.accept();
    pump.kick();
    await sleep(i % 3);
  }
  assertEquals(source.parkedMax, 1);
  source.due = source.inFlight;
  pump.kick();
  await until(() => !pump.parked, "resumed");
  await sleep(5);
  assertEquals([source.parkedMax, source.parked], [1, 0]);
  assertEquals(source.inFlight, 0);
});

Deno.test("a parked call is woken when nothing is in flight any more", async () => {
  const [pump, source] = await parkedPump();
  source.due = 1;
  pump.kick();
  await until(() => !pump.parked, "resumed");
  assertEquals(source.wakes, 1);
  await sleep(5);
  assertEquals(source.parks, 1);
  assert(source.rests >= 1);
});

Deno.test("a parked call's wake-up is not taken back before it has returned", async () => {
  const [pump, source] = await parkedPump();
  source.attentive = false;
  source.due = 1;
  pump.kick();
  await Promise.resolve();
  assertEquals(source.wakes, 1);

  // Before it has noticed, another request comes, which takes its time
  const turns = source.turns.length;
  source.accept();
  pump.kick();
  await until(() => source.turns.length > turns + 66, "it gave up turning");
  source.attentive = true;
  source.notice();
  await until(() => source.parks === 2, "parked again");
  assertEquals(pump.parked, true);

  source.due = 1;
  pump.kick();
  await until(() => !pump.parked, "resumed");
  assertEquals([source.wakes, source.parked, source.parkedMax], [2, 0, 1]);
});

Deno.test("the longer the waits, the less the pump spins, and the other way round", async () => {
  const source = new FakeSource();
  const pump = new Pump(source);
  /** Fruitless turns of one wait that ends by itself after some milliseconds. */
  const spinsOf = async (ms: number): Promise<number> => {
    source.turns = [];
    source.accept();
    pump.kick();
    await until(() => pump.parked, "parked");
    const spins = source.turns.filter(({ result }) => result <= 0).length;
    if (ms > 0) {
      await sleep(ms);
    }
    source.due = 1;
    source.stir();
    while (pump.parked) {
      await Promise.resolve();
    }
    return spins;
  };
  const long: number[] = [];
  for (let i = 0; i < 8; i++) {
    long.push(await spinsOf(2));
  }
  assert(long[0]! > 10, `${long}`);
  assertEquals(long.at(-1), 1, `${long}`);
  assertEquals(long, [...long].sort((a, b) => b - a));
});

Deno.test("a short wait that was parked brings the spinning back", async () => {
  const source = new FakeSource();
  const pump = new Pump(source);
  const originalNow = performance.now;
  // How long a wait was is the clock's say, not the machine's
  let now = 0;
  performance.now = () => now;
  try {
    const wait = async (ms: number): Promise<number> => {
      source.turns = [];
      source.accept();
      pump.kick();
      while (!pump.parked) {
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      const spins = source.turns.length;
      now += ms;
      source.due = 1;
      source.stir();
      while (pump.parked) {
        await Promise.resolve();
      }
      return spins;
    };
    for (let i = 0; i < 8; i++) {
      await wait(5);
    }
    assertEquals(await wait(0.01), 1);
    assert(await wait(5) > 10);
  } finally {
    performance.now = originalNow;
  }
});
