// Copyright 2026 the ioq authors. MIT license.

/**
 * The native library's functions, as `native/ioq.h` declares them.
 *
 * All pointers to JavaScript's memory are `"buffer"` parameters: with them,
 * `--allow-ffi=PATH` is enough. Binding a function takes the runtime about 0.2 ms, so
 * each of those that not every queue calls is bound when it is first wanted.
 *
 * @module
 */

/** What every queue calls before its first result. */
export const everydaySymbols = {
  ioq_abi_version: {
    parameters: [],
    result: "u32",
  },
  ioq_open: {
    parameters: [
      "buffer", // const struct ioq_options *options
      "buffer", // struct ioq_info *info
    ],
    result: "pointer", // struct ioq *
  },
  ioq_turn: {
    parameters: [
      "pointer", // struct ioq *ioq
      "buffer", // struct ioq_turn *turn
      "buffer", // const uint8_t *input
      "buffer", // uint8_t *output
    ],
    result: "i32",
  },
  ioq_park: {
    parameters: [
      "pointer", // struct ioq *ioq
    ],
    result: "i32",
    // Runs on a thread of the runtime's: the only one that may wait
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** What not every queue calls, or not at first. */
export const laterSymbols = {
  // When it is woken while it waits, and at its end
  ioq_wake: {
    parameters: [
      "pointer", // struct ioq *ioq
    ],
    result: "void",
  },
  ioq_close: {
    parameters: [
      "pointer", // struct ioq *ioq
    ],
    result: "i32",
  },

  // When it reads or writes bytes
  ioq_stage: {
    parameters: [
      "pointer", // struct ioq *ioq
      "u32", // uint32_t slot
      "buffer", // const uint8_t *bytes
      "u32", // uint32_t length
    ],
    result: "i32",
  },
  ioq_take: {
    parameters: [
      "pointer", // struct ioq *ioq
      "u32", // uint32_t slot
      "buffer", // uint8_t *bytes
      "u32", // uint32_t length
    ],
    result: "i32",
  },
  ioq_release: {
    parameters: [
      "pointer", // struct ioq *ioq
      "u32", // uint32_t slot
    ],
    result: "i32",
  },
  ioq_stage_part: {
    parameters: [
      "pointer", // struct ioq *ioq
      "u32", // uint32_t slot
      "u32", // uint32_t at
      "u32", // uint32_t total
      "buffer", // const uint8_t *bytes
      "u32", // uint32_t length
    ],
    result: "i32",
  },
  ioq_is_cached: {
    parameters: [
      "i32", // int32_t fd
    ],
    result: "i32",
  },
  ioq_read_cached: {
    parameters: [
      "i32", // int32_t fd
      "buffer", // uint8_t *bytes
      "u32", // uint32_t length
      "u32", // uint32_t offset_low
      "u32", // uint32_t offset_high
    ],
    result: "i32",
  },
  ioq_read_ranges: {
    parameters: [
      "i32", // int32_t fd
      "buffer", // struct ioq_range *ranges
      "u32", // uint32_t count
      "buffer", // uint8_t *bytes
      "u32", // uint32_t room
    ],
    result: "u32",
  },
  ioq_write_cached: {
    parameters: [
      "pointer", // struct ioq *ioq
      "i32", // int32_t fd
      "u32", // uint32_t kind
      "buffer", // const uint8_t *bytes
      "u32", // uint32_t length
      "u32", // uint32_t offset_low
      "u32", // uint32_t offset_high
    ],
    result: "i32",
  },
  ioq_take_part: {
    parameters: [
      "pointer", // struct ioq *ioq
      "u32", // uint32_t slot
      "u32", // uint32_t at
      "buffer", // uint8_t *bytes
      "u32", // uint32_t length
    ],
    result: "i32",
  },

  // For some operations only, or for none
  ioq_cancel: {
    parameters: [
      "pointer", // struct ioq *ioq
      "u32", // uint32_t slot
    ],
    result: "i32",
  },
  ioq_cancel_all: {
    parameters: [
      "pointer", // struct ioq *ioq
    ],
    result: "void",
  },
  ioq_caller_id: {
    parameters: [
      "pointer", // struct ioq *ioq
    ],
    result: "u32",
  },
  ioq_interrupt: {
    parameters: [
      "u32", // uint32_t id
      "u32", // uint32_t turn
    ],
    result: "i32",
  },
  ioq_id: {
    parameters: [
      "pointer", // struct ioq *ioq
    ],
    result: "u32",
  },
  ioq_allocate: {
    parameters: [
      "pointer", // struct ioq *ioq
      "u32", // uint32_t length
      "buffer", // uint32_t *index
    ],
    result: "pointer", // void *
  },
  ioq_deallocate: {
    parameters: [
      "pointer", // struct ioq *ioq
      "u32", // uint32_t index
    ],
    result: "i32",
  },
  ioq_resize: {
    parameters: [
      "pointer", // struct ioq *ioq
      "u32", // uint32_t depth
    ],
    result: "i32",
  },
  ioq_now: {
    parameters: [
      "u32", // uint32_t clock
      "buffer", // uint32_t *words
    ],
    result: "void",
  },
  ioq_is_terminal: {
    parameters: [
      "i32", // int32_t fd
    ],
    result: "i32",
  },
  ioq_set_raw: {
    parameters: [
      "i32", // int32_t fd
      "u32", // uint32_t mode
      "buffer", // uint8_t *state
    ],
    result: "i32",
  },
  ioq_abandon: {
    parameters: [
      "pointer", // struct ioq *ioq
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** What is called once of a library that was loaded from memory. */
export const memorySymbols = {
  ioq_adopt: {
    parameters: [
      "i32", // int32_t fd
    ],
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** All of them. */
export const symbols = {
  ...everydaySymbols,
  ...laterSymbols,
  ...memorySymbols,
};
