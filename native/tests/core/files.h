// Copyright 2026 the ioq authors. MIT license.

/** What the tests work on: a folder with files and directories of all kinds. */

#ifndef IOQ_TEST_FILES_H
#define IOQ_TEST_FILES_H


/** Entries of the large directory. */
#define LARGE_COUNT 20000

/** Make them, and go there. */
void make_files(void);

/** Leave, and remove them. */
void remove_files(void);

#endif // IOQ_TEST_FILES_H
