// Copyright 2026 the ioq authors. MIT license.

import { assertEquals } from "@std/assert";
import { Backlog } from "../../src/backends/backlog.ts";
import { op } from "../../mod.ts";
import { toCoreRequest } from "../../src/operations/request.ts";

Deno.test("a backlog gives what waits in order, however often it goes round and grows", () => {
  const backlog = new Backlog();
  const nop = toCoreRequest(op.nop());
  const expected: number[] = [];
  const taken: number[] = [];
  let slot = 0;
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 300; i++, slot++) {
      backlog.add(slot, nop, i % 7 === 0 ? slot : undefined, i % 5 === 0 ? 3_600_000 : undefined);
      expected.push(slot);
    }
    assertEquals(backlog.cancel(slot - 1), true);
    let room = 200;
    backlog.drain((at, request, region, timeoutMs, cancelled) => {
      if (room-- === 0) {
        return false;
      }
      const i = at % 300;
      assertEquals(request, nop);
      assertEquals(region, i % 7 === 0 ? at : undefined);
      assertEquals(timeoutMs !== undefined, i % 5 === 0);
      assertEquals(cancelled, i === 299);
      taken.push(at);
      return true;
    });
  }
  assertEquals(backlog.size, slot - taken.length);
  backlog.drain((at) => taken.push(at) > 0);
  assertEquals(taken, expected);
  assertEquals(backlog.size, 0);
  assertEquals(backlog.cancel(0), undefined);
});

Deno.test("a close in a backlog is not cancelled", () => {
  const backlog = new Backlog();
  backlog.add(5, toCoreRequest(op.close(3)), undefined, undefined);
  assertEquals(backlog.cancel(5), false);
  backlog.drain((_slot, _request, _region, _timeoutMs, cancelled) => {
    assertEquals(cancelled, false);
    return true;
  });
  assertEquals(backlog.cancel(5), undefined);
});
