// Copyright 2026 the ioq authors. MIT license.

/**
 * Prints the layout of the ABI's records, as the compiler has it, as TypeScript.
 * The output is `ffi/layout.ts`; a test compares the two.
 */

#include "ioq.h"

#include <stddef.h>
#include <stdio.h>

/** A constant. */
#define CONSTANT(name, value, doc) \
	printf("/** %s */\nexport const %s = %u;\n", doc, name, (unsigned int)(value))

/** The size of a record, in bytes. */
#define SIZE(name, type, doc) \
	CONSTANT(name "_SIZE", sizeof(type), doc ": size in bytes.")

/** The index of a 32-bit field of a record. */
#define WORD(name, type, field) \
	printf("export const %s = %zu;\n", name, offsetof(type, field) / 4)

int main(void) {
	printf("// Copyright 2026 the ioq authors. MIT license.\n");
	printf("// Generated from native/ioq.h by `make -C native layout`. Do not edit.\n\n");
	printf("/**\n * Layout of the native core's records. `*_SIZE` and `*_AT` are in bytes, the other\n"
		" * names of fields are indices of 32-bit words within their record.\n *\n * @module\n */\n\n");

	CONSTANT("ABI_VERSION", IOQ_ABI_VERSION, "The ABI version that this module speaks.");
	CONSTANT("DEPTH_MAX", IOQ_DEPTH_MAX, "The largest depth of a queue.");
	CONSTANT("LANES_MAX", IOQ_LANES_MAX, "The most worker lanes of a queue.");
	CONSTANT("TURN_REQUESTS", IOQ_TURN_REQUESTS, "Requests that one turn takes.");
	CONSTANT("TURN_COMPLETIONS", IOQ_TURN_COMPLETIONS, "Completions that one turn hands out.");
	CONSTANT("MESSAGES_MAX", IOQ_MESSAGES_MAX, "Messages that a queue keeps.");
	CONSTANT("PATH_MAX", IOQ_PATH_MAX, "Longest path in bytes.");
	CONSTANT("TRANSFER_MAX", IOQ_TRANSFER_MAX, "Longest read or write in bytes.");

	printf("\n/** Operation codes. */\nexport const OP = {\n");
#define PRINT_OP(upper, code, name) printf("  %s: %d,\n", #name, IOQ_OP_##upper);
	IOQ_OPS(PRINT_OP)
	printf("} as const;\n\n");

	CONSTANT("HINT_CANCELLED", IOQ_HINT_CANCELLED, "The request was cancelled before it was submitted.");
	CONSTANT("HINT_OFFSET", IOQ_HINT_OFFSET, "The request's offset counts.");
	CONSTANT("HINT_TIMEOUT", IOQ_HINT_TIMEOUT, "The request may take only so long.");
	CONSTANT("HINT_GUARDED", IOQ_HINT_GUARDED, "The request opens nothing in /proc, /sys and /dev.");
	CONSTANT("HINT_NO_RING", IOQ_HINT_NO_RING, "The request is not for a ring.");
	CONSTANT("HINT_REGION", IOQ_HINT_REGION, "The request goes by allocated memory.");
	CONSTANT("CLOCK_MONOTONIC", IOQ_CLOCK_MONOTONIC, "The clock that nobody sets.");
	CONSTANT("CLOCK_REALTIME", IOQ_CLOCK_REALTIME, "The wall clock.");
	CONSTANT("CLOCK_BOOTTIME", IOQ_CLOCK_BOOTTIME, "The clock that counts suspension as well.");
	CONSTANT("CLOCK_PROCESS", IOQ_CLOCK_PROCESS, "The processor time of the process.");
	CONSTANT("CLOCK_THREAD", IOQ_CLOCK_THREAD, "The processor time of the calling thread.");
	CONSTANT("TIMEOUT_ABSOLUTE", IOQ_TIMEOUT_ABSOLUTE, "Until then, not for so long.");
	CONSTANT("SYNC_DATA", IOQ_SYNC_DATA, "Sync the data, and only as much else as it needs.");
	CONSTANT("ENOTREG", IOQ_ENOTREG, "A copy's source is no regular file.");
	CONSTANT("ESAMEFILE", IOQ_ESAMEFILE, "A copy's source and target are one file.");
	CONSTANT("ESPECIAL", IOQ_ESPECIAL, "The file is in /proc, /sys or /dev.");
	CONSTANT("EWAITS", IOQ_EWAITS, "It would have to wait, and the queue only tries.");
	CONSTANT("ENOREPLACE", IOQ_ENOREPLACE, "What is to be replaced is no regular file.");
	CONSTANT("ENOQUEUE", IOQ_ENOQUEUE, "There is no queue to post to.");
	CONSTANT("NO_OFFSET", IOQ_NO_OFFSET, "For an offset's high word: the file's own position.");
	CONSTANT("COMPLETION_HELD", IOQ_COMPLETION_HELD, "The payload is held until it is taken.");
	CONSTANT("TURN_ARM", IOQ_TURN_ARM, "Arm the wake-up if nothing completes.");
	CONSTANT("TURN_SUBMIT", IOQ_TURN_SUBMIT, "Submit, and hand out only what fails at once.");
	CONSTANT("TURN_YIELD", IOQ_TURN_YIELD, "Let other threads run if nothing completes.");
	CONSTANT("DIRECTORY_RAW", IOQ_DIRECTORY_RAW, "Some name is not UTF-8.");
	CONSTANT("DIRECTORY_END", IOQ_DIRECTORY_END, "The end of the directory was reached.");
	CONSTANT("TREE", IOQ_TREE, "Of a readDir: read trees.");
	CONSTANT("TREE_SLOW", IOQ_TREE_SLOW, "A single directory took longer than was meant for many.");
	CONSTANT("TREE_IDENTIFY", IOQ_TREE_IDENTIFY, "Tell device and inode of each directory.");
	CONSTANT("TREE_STAT", IOQ_TREE_STAT, "Stat each entry.");
	CONSTANT("TREE_SORT", IOQ_TREE_SORT, "Sort the entries of each directory.");
	CONSTANT("TREE_SORTED", IOQ_TREE_SORTED, "They are sorted.");
	CONSTANT("TREE_ONE_DEVICE", IOQ_TREE_ONE_DEVICE, "Read no directory on another device.");
	CONSTANT("COPY_TIMES", IOQ_COPY_TIMES, "Of a copyFile: times as well.");
	CONSTANT("COPY_OWNER", IOQ_COPY_OWNER, "Owner and group as well.");
	CONSTANT("COPY_NO_SET_ID", IOQ_COPY_NO_SET_ID, "No set-ID bits but of an owner or a group that is kept.");
	CONSTANT("COPY_XATTRS", IOQ_COPY_XATTRS, "Extended attributes as well.");
	CONSTANT("COPY_DIRECTORY", IOQ_COPY_DIRECTORY, "A directory's attributes, and nothing else.");
	CONSTANT("COPY_LINK", IOQ_COPY_LINK, "A symbolic link's attributes, and nothing else.");
	CONSTANT("COPY_OVERWRITE", IOQ_COPY_OVERWRITE, "Of trees: copy over what is there.");
	CONSTANT("COPY_NO_LINKED", IOQ_COPY_NO_LINKED, "Leave what has several names.");
	CONSTANT("COPY_NO_SYMLINKS", IOQ_COPY_NO_SYMLINKS, "Leave symbolic links.");
	CONSTANT("TREE_COPY", IOQ_TREE_COPY, "Copy what is named.");
	CONSTANT("TREE_FINISH", IOQ_TREE_FINISH, "Give copies of directories their attributes.");
	CONSTANT("TREE_APART", IOQ_TREE_APART, "An entry is left because that was asked for.");
	CONSTANT("EINSIDE", IOQ_EINSIDE, "The directory is the one that a tree is copied to.");
	CONSTANT("WRITE_ATOMIC", IOQ_WRITE_ATOMIC, "Of a writeFile: the old contents or the new, at any time.");
	CONSTANT("WRITE_DURABLE", IOQ_WRITE_DURABLE, "Of a writeFile: complete when it is on the device.");
	CONSTANT("REPLACE_TAKE", IOQ_REPLACE_TAKE, "A file takes the place of another.");
	CONSTANT("REPLACE_FORGET", IOQ_REPLACE_FORGET, "It is to be forgotten.");
	CONSTANT("REPLACE_SYNC", IOQ_REPLACE_SYNC, "The folder of a file is to be synced.");
	CONSTANT("TREE_REMOVE", IOQ_TREE_REMOVE, "Remove what is read.");
	CONSTANT("TREE_TELL", IOQ_TREE_TELL, "Tell of what was removed or copied as well.");
	CONSTANT("TREE_LEFT", IOQ_TREE_LEFT, "Something is left to another request.");
	CONSTANT("TREE_GONE", IOQ_TREE_GONE, "The directory was removed, or copied.");
	CONSTANT("TREE_FOREIGN", IOQ_TREE_FOREIGN, "The directory is on another device.");
	CONSTANT("TREE_LINES", IOQ_TREE_LINES, "Report of trees by lines.");
	CONSTANT("TREE_TOTAL", IOQ_TREE_TOTAL, "Report how much room they take.");
	CONSTANT("REPORT_MOUNT", IOQ_REPORT_MOUNT, "A file system may be mounted on a directory.");
	CONSTANT("REPORT_READ_FAILED", IOQ_REPORT_READ_FAILED, "A directory could not be read.");
	CONSTANT("REPORT_STAT_FAILED", IOQ_REPORT_STAT_FAILED, "An entry has no attributes.");
	CONSTANT("REPORT_TOO_LONG", IOQ_REPORT_TOO_LONG, "A directory's path is too long: it was not read.");
	CONSTANT("NO_OWNER", IOQ_NO_OWNER, "What a queue opens is nobody's to close but the caller's.");
	CONSTANT("OPEN_RING", IOQ_OPEN_RING, "Make a ring on the owner's thread.");
	CONSTANT("OPEN_RAW_SQE", IOQ_OPEN_RAW_SQE, "Let the ring take raw SQEs.");
	CONSTANT("IS_CACHED", IOQ_IS_CACHED, "A kind of file: reads of what is cached may be tried.");
	CONSTANT("HAS_POSITION", IOQ_HAS_POSITION, "A kind of file: transfers may have offsets.");
	CONSTANT("WRITES_ALONE", IOQ_WRITES_ALONE, "A kind of file: its writes are not for a ring.");
	CONSTANT("WRITES_CACHED", IOQ_WRITES_CACHED, "A kind of file: writes into the cache may be tried.");
	CONSTANT("WRITE_CONTINUES", IOQ_WRITE_CONTINUES, "Of a write: it begins where the last one ended.");
	CONSTANT("WRITE_CACHED_MAX", IOQ_WRITE_CACHED_MAX, "Bytes of a write into the cache, at the most.");
	CONSTANT("TERMINAL_RESTORE", IOQ_TERMINAL_RESTORE, "Mode of a terminal: as it was.");
	CONSTANT("TERMINAL_RAW", IOQ_TERMINAL_RAW, "Bytes as they are typed.");
	CONSTANT("TERMINAL_CBREAK", IOQ_TERMINAL_CBREAK, "Bytes as they are typed, but for signals.");
	CONSTANT("TERMINAL_STATE", IOQ_TERMINAL_STATE, "What keeps a terminal's state: size in bytes.");
	CONSTANT("OPEN_SYNC", IOQ_OPEN_SYNC, "Run requests within the turn that brings them.");
	CONSTANT("OPEN_TRIES", IOQ_OPEN_TRIES, "Beside `OPEN_SYNC`: what would have to wait fails with `EWAITS`.");
	CONSTANT("OPEN_WAITS", IOQ_OPEN_WAITS, "Beside `OPEN_SYNC`: what has to wait does so in the queue.");

	printf("\n");
	SIZE("REQUEST", struct ioq_request, "A request");
	WORD("REQUEST_SLOT", struct ioq_request, slot);
	printf("/** The operation in the low half, the hints in the high one. */\n");
	WORD("REQUEST_OP_AND_HINTS", struct ioq_request, op);
	WORD("REQUEST_FD", struct ioq_request, fd);
	WORD("REQUEST_FLAGS", struct ioq_request, flags);
	WORD("REQUEST_MODE", struct ioq_request, mode);
	WORD("REQUEST_LENGTH", struct ioq_request, length);
	WORD("REQUEST_OFFSET_LOW", struct ioq_request, offset_low);
	WORD("REQUEST_OFFSET_HIGH", struct ioq_request, offset_high);
	WORD("REQUEST_PATH", struct ioq_request, path);
	WORD("REQUEST_PATH_LENGTH", struct ioq_request, path_length);
	WORD("REQUEST_FD2", struct ioq_request, fd2);
	WORD("REQUEST_PATH2_LENGTH", struct ioq_request, path2_length);
	WORD("REQUEST_ARGS", struct ioq_request, args);

	printf("\n");
	SIZE("COMPLETION", struct ioq_completion, "A completion");
	WORD("COMPLETION_SLOT", struct ioq_completion, slot);
	WORD("COMPLETION_RESULT", struct ioq_completion, result);
	WORD("COMPLETION_PAYLOAD", struct ioq_completion, payload);
	WORD("COMPLETION_PAYLOAD_LENGTH", struct ioq_completion, payload_length);
	printf("/** The flags in the low half, the lane in the high one. */\n");
	WORD("COMPLETION_FLAGS_AND_LANE", struct ioq_completion, flags);

	printf("\n");
	SIZE("TURN", struct ioq_turn, "The block of a turn");
	WORD("TURN_REQUEST_COUNT", struct ioq_turn, request_count);
	WORD("TURN_INPUT_LENGTH", struct ioq_turn, input_length);
	WORD("TURN_OUTPUT_LENGTH", struct ioq_turn, output_length);
	WORD("TURN_FLAGS", struct ioq_turn, flags);
	WORD("TURN_COMPLETION_COUNT", struct ioq_turn, completion_count);
	WORD("TURN_IN_FLIGHT", struct ioq_turn, in_flight);
	WORD("TURN_ARMED", struct ioq_turn, armed);
	WORD("TURN_RING_ERROR", struct ioq_turn, ring_error);
	CONSTANT("TURN_REQUESTS_AT", offsetof(struct ioq_turn, requests), "Where the requests begin.");
	CONSTANT("TURN_COMPLETIONS_AT", offsetof(struct ioq_turn, completions), "Where the completions begin.");

	printf("\n");
	SIZE("STAT", struct ioq_stat, "A stat");
#define PRINT_STAT(upper, field) WORD("STAT_" upper, struct ioq_stat, field);
	PRINT_STAT("MASK", mask)
	PRINT_STAT("MODE", mode)
	PRINT_STAT("NLINK", nlink)
	PRINT_STAT("UID", uid)
	PRINT_STAT("GID", gid)
	PRINT_STAT("BLKSIZE", blksize)
	PRINT_STAT("SIZE_LOW", size_low)
	PRINT_STAT("BLOCKS_LOW", blocks_low)
	PRINT_STAT("INO_LOW", ino_low)
	PRINT_STAT("DEV_LOW", dev_low)
	PRINT_STAT("RDEV_LOW", rdev_low)
	PRINT_STAT("ATIME_LOW", atime_low)
	PRINT_STAT("MTIME_LOW", mtime_low)
	PRINT_STAT("CTIME_LOW", ctime_low)
	PRINT_STAT("BTIME_LOW", btime_low)
	PRINT_STAT("ATIME_NSEC", atime_nsec)
	PRINT_STAT("MTIME_NSEC", mtime_nsec)
	PRINT_STAT("CTIME_NSEC", ctime_nsec)
	PRINT_STAT("BTIME_NSEC", btime_nsec)
	PRINT_STAT("ERROR", error)

	printf("\n");
	CONSTANT("UNLINK_ANY", IOQ_UNLINK_ANY, "The first argument of an unlink: directories as well.");
	CONSTANT("RANGES_MAX", IOQ_RANGES_MAX, "Ranges of one request.");
	CONSTANT("RANGE_LENGTH_MAX", IOQ_RANGE_LENGTH_MAX, "Bytes of one of them.");
	CONSTANT("RANGES_LENGTH_MAX", IOQ_RANGES_LENGTH_MAX, "Bytes of all of them.");
	SIZE("RANGE", struct ioq_range, "A range of a file");
	WORD("RANGE_OFFSET_LOW", struct ioq_range, offset_low);
	WORD("RANGE_OFFSET_HIGH", struct ioq_range, offset_high);
	WORD("RANGE_LENGTH", struct ioq_range, length);
	WORD("RANGE_RESULT", struct ioq_range, result);

	printf("\n");
	SIZE("DIRECTORY", struct ioq_directory, "The head of a directory block");
	WORD("DIRECTORY_COUNT", struct ioq_directory, count);
	WORD("DIRECTORY_NAMES_LENGTH", struct ioq_directory, names_length);
	WORD("DIRECTORY_FLAGS", struct ioq_directory, flags);

	printf("\n");
	SIZE("TREE_HEAD", struct ioq_tree, "The head of a block of trees");
	WORD("TREE_DIRECTORY_COUNT", struct ioq_tree, directory_count);
	WORD("TREE_ENTRY_COUNT", struct ioq_tree, entry_count);
	WORD("TREE_NAMES_LENGTH", struct ioq_tree, names_length);
	WORD("TREE_FLAGS", struct ioq_tree, flags);

	printf("\n");
	SIZE("TREE_DIRECTORY", struct ioq_tree_directory, "A directory of a tree");
	WORD("TREE_DIRECTORY_PARENT", struct ioq_tree_directory, parent);
	WORD("TREE_DIRECTORY_ENTRIES", struct ioq_tree_directory, count);
	WORD("TREE_DIRECTORY_ERROR", struct ioq_tree_directory, error);
	WORD("TREE_DIRECTORY_FLAGS", struct ioq_tree_directory, flags);
	WORD("TREE_DIRECTORY_DEV_LOW", struct ioq_tree_directory, dev_low);
	WORD("TREE_DIRECTORY_INO_LOW", struct ioq_tree_directory, ino_low);

	printf("\n");
	SIZE("REPORT", struct ioq_report, "The head of a report");
	WORD("REPORT_ENTRY_COUNT", struct ioq_report, entry_count);
	WORD("REPORT_LINK_COUNT", struct ioq_report, link_count);
	WORD("REPORT_ERROR_COUNT", struct ioq_report, error_count);
	WORD("REPORT_LINES_LENGTH", struct ioq_report, lines_length);
	WORD("REPORT_ERROR_PATHS_LENGTH", struct ioq_report, error_paths_length);
	WORD("REPORT_LEFT_LENGTH", struct ioq_report, left_length);
	WORD("REPORT_TOTAL_LOW", struct ioq_report, total_low);
	WORD("REPORT_FLAGS", struct ioq_report, flags);
	SIZE("REPORT_LINK", struct ioq_report_link, "An entry of a report that has several names");
	WORD("REPORT_LINK_DEV_LOW", struct ioq_report_link, dev_low);
	WORD("REPORT_LINK_INO_LOW", struct ioq_report_link, ino_low);
	WORD("REPORT_LINK_BYTES_LOW", struct ioq_report_link, bytes_low);
	SIZE("REPORT_ERROR", struct ioq_report_error, "What of a report could not be read");

	printf("\n");
	SIZE("OPTIONS", struct ioq_options, "The options of a queue");
	WORD("OPTIONS_DEPTH", struct ioq_options, depth);
	WORD("OPTIONS_LANES", struct ioq_options, lanes);
	WORD("OPTIONS_FLAGS", struct ioq_options, flags);
	WORD("OPTIONS_WORKER_OPS_LOW", struct ioq_options, worker_ops_low);
	WORD("OPTIONS_WORKER_OPS_HIGH", struct ioq_options, worker_ops_high);
	WORD("OPTIONS_OVERFLOW_OPS_LOW", struct ioq_options, overflow_ops_low);
	WORD("OPTIONS_OVERFLOW_OPS_HIGH", struct ioq_options, overflow_ops_high);
	WORD("OPTIONS_OWNER", struct ioq_options, owner);

	printf("\n");
	SIZE("INFO", struct ioq_info, "What a queue turned out to be");
	WORD("INFO_ERROR", struct ioq_info, error);
	WORD("INFO_LANES", struct ioq_info, lanes);
	WORD("INFO_RING_FLAGS", struct ioq_info, ring_flags);
	WORD("INFO_RING_FEATURES", struct ioq_info, ring_features);
	WORD("INFO_SQ_ENTRIES", struct ioq_info, sq_entries);
	WORD("INFO_CQ_ENTRIES", struct ioq_info, cq_entries);
	WORD("INFO_RING_OPS_LOW", struct ioq_info, ring_ops_low);
	WORD("INFO_RING_OPS_HIGH", struct ioq_info, ring_ops_high);
	WORD("INFO_RESTRICTED", struct ioq_info, restricted);
	WORD("INFO_BROKERED", struct ioq_info, brokered);
	WORD("INFO_OWNER", struct ioq_info, owner);
	WORD("INFO_OPCODES_LOW", struct ioq_info, opcodes_low);
	WORD("INFO_OPCODES_HIGH", struct ioq_info, opcodes_high);
	return 0;
}
