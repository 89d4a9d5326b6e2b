/*
 * file.h
 *		Files read whole, and replaced whole: whoever looks sees the old one or
 *		the new one.
 */
#ifndef SCIM_CLI_FILE_H
#define SCIM_CLI_FILE_H

#include "core/strbuf.h"

/* Larger than any file that the program reads whole. */
#define CLI_FILE_MAX ((size_t) 1 << 31)

/*
 * Open an ordinary file to read it; -1, with errno, when that does not work.
 * In a directory that somebody else made, a pipe would have us wait for ever.
 */
extern int	cli_file_open(const char *path);

/* Read such a file into buf, which is emptied; false, with errno, when that does not work. */
extern bool cli_file_read(const char *path, ScimBuf *buf);

/* Read what a user named (NULL or "-": standard input), of whatever kind; fails when that does not work. */
extern void cli_file_need(const char *path, ScimBuf *buf);

/* Replace or make a file, under another name first.  durable: it is on the disk when this returns. */
extern void cli_file_write(const char *path, ScimStr bytes, bool durable);

/* Make the directories above a file that are missing. */
extern void cli_make_parents(const char *path);

/* All that was written to the file system of this directory is on the disk. */
extern void cli_sync_directory(const char *path);

#endif							/* SCIM_CLI_FILE_H */
