// Copyright 2026 the ioq authors. MIT license.
// Generated from native/ioq.h by `make -C native layout`. Do not edit.

/**
 * Layout of the native core's records. `*_SIZE` and `*_AT` are in bytes, the other
 * names of fields are indices of 32-bit words within their record.
 *
 * @module
 */

/** The ABI version that this module speaks. */
export const ABI_VERSION = 13;
/** The largest depth of a queue. */
export const DEPTH_MAX = 65536;
/** The most worker lanes of a queue. */
export const LANES_MAX = 256;
/** Requests that one turn takes. */
export const TURN_REQUESTS = 256;
/** Completions that one turn hands out. */
export const TURN_COMPLETIONS = 256;
/** Messages that a queue keeps. */
export const MESSAGES_MAX = 1024;
/** Longest path in bytes. */
export const PATH_MAX = 4095;
/** Longest read or write in bytes. */
export const TRANSFER_MAX = 2147479552;

/** Operation codes. */
export const OP = {
  nop: 0,
  kernelNop: 1,
  open: 2,
  close: 3,
  stat: 4,
  openDir: 5,
  readDirBlock: 6,
  closeDir: 7,
  readDir: 8,
  read: 9,
  write: 10,
  seek: 11,
  sync: 12,
  truncate: 13,
  allocate: 14,
  unlink: 15,
  rename: 16,
  mkdir: 17,
  symlink: 18,
  link: 19,
  readLink: 20,
  realPath: 21,
  chmod: 22,
  chown: 23,
  utime: 24,
  access: 25,
  lock: 26,
  copyRange: 27,
  advise: 28,
  readFile: 29,
  writeFile: 30,
  copyFile: 31,
  timeout: 32,
  poll: 33,
  post: 34,
  receive: 35,
  syncRange: 36,
  splice: 37,
  getXattr: 38,
  setXattr: 39,
  listXattr: 40,
  removeXattr: 41,
  rawSqe: 42,
  replaceBegin: 43,
  replaceEnd: 44,
  readRanges: 45,
} as const;

/** The request was cancelled before it was submitted. */
export const HINT_CANCELLED = 1;
/** The request's offset counts. */
export const HINT_OFFSET = 2;
/** The request may take only so long. */
export const HINT_TIMEOUT = 4;
/** The request opens nothing in /proc, /sys and /dev. */
export const HINT_GUARDED = 16;
/** The request is not for a ring. */
export const HINT_NO_RING = 32;
/** The request goes by allocated memory. */
export const HINT_REGION = 8;
/** The clock that nobody sets. */
export const CLOCK_MONOTONIC = 0;
/** The wall clock. */
export const CLOCK_REALTIME = 1;
/** The clock that counts suspension as well. */
export const CLOCK_BOOTTIME = 2;
/** The processor time of the process. */
export const CLOCK_PROCESS = 3;
/** The processor time of the calling thread. */
export const CLOCK_THREAD = 4;
/** Until then, not for so long. */
export const TIMEOUT_ABSOLUTE = 4;
/** Sync the data, and only as much else as it needs. */
export const SYNC_DATA = 1;
/** A copy's source is no regular file. */
export const ENOTREG = 4000;
/** A copy's source and target are one file. */
export const ESAMEFILE = 4001;
/** The file is in /proc, /sys or /dev. */
export const ESPECIAL = 4003;
/** It would have to wait, and the queue only tries. */
export const EWAITS = 4004;
/** What is to be replaced is no regular file. */
export const ENOREPLACE = 4005;
/** There is no queue to post to. */
export const ENOQUEUE = 4002;
/** For an offset's high word: the file's own position. */
export const NO_OFFSET = 4294967295;
/** The payload is held until it is taken. */
export const COMPLETION_HELD = 1;
/** Arm the wake-up if nothing completes. */
export const TURN_ARM = 1;
/** Submit, and hand out only what fails at once. */
export const TURN_SUBMIT = 4;
/** Let other threads run if nothing completes. */
export const TURN_YIELD = 2;
/** Some name is not UTF-8. */
export const DIRECTORY_RAW = 1;
/** The end of the directory was reached. */
export const DIRECTORY_END = 2;
/** Of a readDir: read trees. */
export const TREE = 1;
/** A single directory took longer than was meant for many. */
export const TREE_SLOW = 2;
/** Tell device and inode of each directory. */
export const TREE_IDENTIFY = 2;
/** Stat each entry. */
export const TREE_STAT = 4;
/** Sort the entries of each directory. */
export const TREE_SORT = 256;
/** They are sorted. */
export const TREE_SORTED = 4;
/** Read no directory on another device. */
export const TREE_ONE_DEVICE = 8;
/** Of a copyFile: times as well. */
export const COPY_TIMES = 1;
/** Owner and group as well. */
export const COPY_OWNER = 2;
/** No set-ID bits but of an owner or a group that is kept. */
export const COPY_NO_SET_ID = 4;
/** Extended attributes as well. */
export const COPY_XATTRS = 8;
/** A directory's attributes, and nothing else. */
export const COPY_DIRECTORY = 16;
/** A symbolic link's attributes, and nothing else. */
export const COPY_LINK = 32;
/** Of trees: copy over what is there. */
export const COPY_OVERWRITE = 64;
/** Leave what has several names. */
export const COPY_NO_LINKED = 128;
/** Leave symbolic links. */
export const COPY_NO_SYMLINKS = 256;
/** Copy what is named. */
export const TREE_COPY = 64;
/** Give copies of directories their attributes. */
export const TREE_FINISH = 128;
/** An entry is left because that was asked for. */
export const TREE_APART = 65537;
/** The directory is the one that a tree is copied to. */
export const EINSIDE = 4006;
/** Of a writeFile: the old contents or the new, at any time. */
export const WRITE_ATOMIC = 1;
/** Of a writeFile: complete when it is on the device. */
export const WRITE_DURABLE = 2;
/** A file takes the place of another. */
export const REPLACE_TAKE = 0;
/** It is to be forgotten. */
export const REPLACE_FORGET = 1;
/** The folder of a file is to be synced. */
export const REPLACE_SYNC = 2;
/** Remove what is read. */
export const TREE_REMOVE = 16;
/** Tell of what was removed or copied as well. */
export const TREE_TELL = 32;
/** Something is left to another request. */
export const TREE_LEFT = 65536;
/** The directory was removed, or copied. */
export const TREE_GONE = 2;
/** The directory is on another device. */
export const TREE_FOREIGN = 1;
/** Report of trees by lines. */
export const TREE_LINES = 4096;
/** Report how much room they take. */
export const TREE_TOTAL = 8192;
/** A file system may be mounted on a directory. */
export const REPORT_MOUNT = 1;
/** A directory could not be read. */
export const REPORT_READ_FAILED = 0;
/** An entry has no attributes. */
export const REPORT_STAT_FAILED = 1;
/** A directory's path is too long: it was not read. */
export const REPORT_TOO_LONG = 2;
/** What a queue opens is nobody's to close but the caller's. */
export const NO_OWNER = 4294967295;
/** Make a ring on the owner's thread. */
export const OPEN_RING = 1;
/** Let the ring take raw SQEs. */
export const OPEN_RAW_SQE = 2;
/** A kind of file: reads of what is cached may be tried. */
export const IS_CACHED = 1;
/** A kind of file: transfers may have offsets. */
export const HAS_POSITION = 2;
/** A kind of file: its writes are not for a ring. */
export const WRITES_ALONE = 4;
/** A kind of file: writes into the cache may be tried. */
export const WRITES_CACHED = 8;
/** Of a write: it begins where the last one ended. */
export const WRITE_CONTINUES = 64;
/** Bytes of a write into the cache, at the most. */
export const WRITE_CACHED_MAX = 65536;
/** Mode of a terminal: as it was. */
export const TERMINAL_RESTORE = 0;
/** Bytes as they are typed. */
export const TERMINAL_RAW = 1;
/** Bytes as they are typed, but for signals. */
export const TERMINAL_CBREAK = 2;
/** What keeps a terminal's state: size in bytes. */
export const TERMINAL_STATE = 128;
/** Run requests within the turn that brings them. */
export const OPEN_SYNC = 4;
/** Beside `OPEN_SYNC`: what would have to wait fails with `EWAITS`. */
export const OPEN_TRIES = 8;
/** Beside `OPEN_SYNC`: what has to wait does so in the queue. */
export const OPEN_WAITS = 16;

/** A request: size in bytes. */
export const REQUEST_SIZE = 64;
export const REQUEST_SLOT = 0;
/** The operation in the low half, the hints in the high one. */
export const REQUEST_OP_AND_HINTS = 1;
export const REQUEST_FD = 2;
export const REQUEST_FLAGS = 3;
export const REQUEST_MODE = 4;
export const REQUEST_LENGTH = 5;
export const REQUEST_OFFSET_LOW = 6;
export const REQUEST_OFFSET_HIGH = 7;
export const REQUEST_PATH = 8;
export const REQUEST_PATH_LENGTH = 9;
export const REQUEST_FD2 = 10;
export const REQUEST_PATH2_LENGTH = 11;
export const REQUEST_ARGS = 12;

/** A completion: size in bytes. */
export const COMPLETION_SIZE = 32;
export const COMPLETION_SLOT = 0;
export const COMPLETION_RESULT = 1;
export const COMPLETION_PAYLOAD = 2;
export const COMPLETION_PAYLOAD_LENGTH = 3;
/** The flags in the low half, the lane in the high one. */
export const COMPLETION_FLAGS_AND_LANE = 4;

/** The block of a turn: size in bytes. */
export const TURN_SIZE = 24640;
export const TURN_REQUEST_COUNT = 0;
export const TURN_INPUT_LENGTH = 1;
export const TURN_OUTPUT_LENGTH = 2;
export const TURN_FLAGS = 3;
export const TURN_COMPLETION_COUNT = 4;
export const TURN_IN_FLIGHT = 5;
export const TURN_ARMED = 6;
export const TURN_RING_ERROR = 7;
/** Where the requests begin. */
export const TURN_REQUESTS_AT = 64;
/** Where the completions begin. */
export const TURN_COMPLETIONS_AT = 16448;

/** A stat: size in bytes. */
export const STAT_SIZE = 128;
export const STAT_MASK = 0;
export const STAT_MODE = 1;
export const STAT_NLINK = 2;
export const STAT_UID = 3;
export const STAT_GID = 4;
export const STAT_BLKSIZE = 5;
export const STAT_SIZE_LOW = 6;
export const STAT_BLOCKS_LOW = 8;
export const STAT_INO_LOW = 10;
export const STAT_DEV_LOW = 12;
export const STAT_RDEV_LOW = 14;
export const STAT_ATIME_LOW = 16;
export const STAT_MTIME_LOW = 18;
export const STAT_CTIME_LOW = 20;
export const STAT_BTIME_LOW = 22;
export const STAT_ATIME_NSEC = 24;
export const STAT_MTIME_NSEC = 25;
export const STAT_CTIME_NSEC = 26;
export const STAT_BTIME_NSEC = 27;
export const STAT_ERROR = 28;

/** The first argument of an unlink: directories as well. */
export const UNLINK_ANY = 1;
/** Ranges of one request. */
export const RANGES_MAX = 1024;
/** Bytes of one of them. */
export const RANGE_LENGTH_MAX = 131072;
/** Bytes of all of them. */
export const RANGES_LENGTH_MAX = 983040;
/** A range of a file: size in bytes. */
export const RANGE_SIZE = 16;
export const RANGE_OFFSET_LOW = 0;
export const RANGE_OFFSET_HIGH = 1;
export const RANGE_LENGTH = 2;
export const RANGE_RESULT = 3;

/** The head of a directory block: size in bytes. */
export const DIRECTORY_SIZE = 16;
export const DIRECTORY_COUNT = 0;
export const DIRECTORY_NAMES_LENGTH = 1;
export const DIRECTORY_FLAGS = 2;

/** The head of a block of trees: size in bytes. */
export const TREE_HEAD_SIZE = 32;
export const TREE_DIRECTORY_COUNT = 0;
export const TREE_ENTRY_COUNT = 1;
export const TREE_NAMES_LENGTH = 2;
export const TREE_FLAGS = 3;

/** A directory of a tree: size in bytes. */
export const TREE_DIRECTORY_SIZE = 32;
export const TREE_DIRECTORY_PARENT = 0;
export const TREE_DIRECTORY_ENTRIES = 1;
export const TREE_DIRECTORY_ERROR = 2;
export const TREE_DIRECTORY_FLAGS = 3;
export const TREE_DIRECTORY_DEV_LOW = 4;
export const TREE_DIRECTORY_INO_LOW = 6;

/** The head of a report: size in bytes. */
export const REPORT_SIZE = 48;
export const REPORT_ENTRY_COUNT = 0;
export const REPORT_LINK_COUNT = 1;
export const REPORT_ERROR_COUNT = 2;
export const REPORT_LINES_LENGTH = 3;
export const REPORT_ERROR_PATHS_LENGTH = 4;
export const REPORT_LEFT_LENGTH = 5;
export const REPORT_TOTAL_LOW = 6;
export const REPORT_FLAGS = 8;
/** An entry of a report that has several names: size in bytes. */
export const REPORT_LINK_SIZE = 24;
export const REPORT_LINK_DEV_LOW = 0;
export const REPORT_LINK_INO_LOW = 2;
export const REPORT_LINK_BYTES_LOW = 4;
/** What of a report could not be read: size in bytes. */
export const REPORT_ERROR_SIZE = 8;

/** The options of a queue: size in bytes. */
export const OPTIONS_SIZE = 32;
export const OPTIONS_DEPTH = 0;
export const OPTIONS_LANES = 1;
export const OPTIONS_FLAGS = 2;
export const OPTIONS_WORKER_OPS_LOW = 3;
export const OPTIONS_WORKER_OPS_HIGH = 4;
export const OPTIONS_OVERFLOW_OPS_LOW = 5;
export const OPTIONS_OVERFLOW_OPS_HIGH = 6;
export const OPTIONS_OWNER = 7;

/** What a queue turned out to be: size in bytes. */
export const INFO_SIZE = 64;
export const INFO_ERROR = 0;
export const INFO_LANES = 1;
export const INFO_RING_FLAGS = 2;
export const INFO_RING_FEATURES = 3;
export const INFO_SQ_ENTRIES = 4;
export const INFO_CQ_ENTRIES = 5;
export const INFO_RING_OPS_LOW = 6;
export const INFO_RING_OPS_HIGH = 7;
export const INFO_RESTRICTED = 8;
export const INFO_BROKERED = 11;
export const INFO_OWNER = 12;
export const INFO_OPCODES_LOW = 9;
export const INFO_OPCODES_HIGH = 10;
