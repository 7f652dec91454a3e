// Copyright 2026 the ioq authors. MIT license.

/**
 * Whether a permission broker decides for this process. Deno's queries do not say so, and
 * its variable in the environment takes a permission to read, which the library needs not.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import type { Symbols } from "../../ffi/library.ts";
import { obeyBroker } from "../permissions.ts";

let asked = false;

/** Have a broker decide from now on, if there is one. */
export function heedBroker(symbols: Symbols): void {
  if (asked) {
    return;
  }
  asked = true;
  // A queue without any depth: it is not opened, and what is told all the same will do
  const info = new Uint8Array(layout.INFO_SIZE);
  symbols.ioq_open(new Uint8Array(layout.OPTIONS_SIZE), info);
  if (new Uint32Array(info.buffer)[layout.INFO_BROKERED] !== 0) {
    obeyBroker();
  }
}
