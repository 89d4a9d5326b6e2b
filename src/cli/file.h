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

/* Read a file (NULL or "-": standard input) into buf, which is emptied; false, with errno, when that does not work. */
extern bool cli_file_read(const char *path, ScimBuf *buf);

/* The same; fails instead. */
extern void cli_file_need(const char *path, ScimBuf *buf);

/* Replace or make a file, under another name first.  durable: it is on the disk when this returns. */
extern void cli_file_write(const char *path, ScimStr bytes, bool durable);

/* Make the directories above a file that are missing. */
extern void cli_make_parents(const char *path);

/* All that was written to the file system of this directory is on the disk. */
extern void cli_sync_directory(const char *path);

#endif							/* SCIM_CLI_FILE_H */
