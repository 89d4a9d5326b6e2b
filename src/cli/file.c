/*
 * file.c
 *		Files read whole, and replaced whole (see file.h).
 */
#define _GNU_SOURCE				/* syncfs */
#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

#define READ_SIZE 65536


int
cli_file_open(const char *path)
{
	int			fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	errno = S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP;
	return -1;
}

static bool
read_all(int fd, ScimBuf *buf)
{
	char		bytes[READ_SIZE];
	ssize_t		n;

	while ((n = read(fd, bytes, sizeof bytes)) != 0)
	{
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		scim_buf_bytes(buf, bytes, (size_t) n);
		if (buf->failed)
		{
			errno = EFBIG;
			return false;
		}
	}
	return true;
}

static bool
read_and_close(int fd, ScimBuf *buf)
{
	bool		whole = fd >= 0 && read_all(fd, buf);
	int			saved = errno;

	if (fd > STDIN_FILENO)
		close(fd);
	errno = saved;
	return whole;
}

bool
cli_file_read(const char *path, ScimBuf *buf)
{
	scim_buf_reset(buf);
	return read_and_close(cli_file_open(path), buf);
}

void
cli_file_need(const char *path, ScimBuf *buf)
{
	bool		is_input = path == NULL || strcmp(path, "-") == 0;

	scim_buf_reset(buf);
	if (!read_and_close(is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), buf))
		cli_fail(NULL, "could not read %s: %s", is_input ? "standard input" : path, strerror(errno));
}

static void
refuse(const char *what, const char *path)
{
	cli_fail(errno == ENOSPC ? "the disk is full" : NULL, "could not %s %s: %s", what, path, strerror(errno));
}

static void
sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char	   *parent = slash == NULL ? cli_printf(".") : cli_printf("%.*s", slash == path ? 1 : (int) (slash - path), path);
	int			fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		refuse("sync", parent);
	close(fd);
	free(parent);
}

void
cli_file_write(const char *path, ScimStr bytes, bool durable)
{
	char	   *name = cli_printf("%s.tmp", path);
	int			fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	size_t		done = 0;

	if (fd < 0)
		refuse("create", name);
	while (done < bytes.len)
	{
		ssize_t		n = write(fd, bytes.ptr + done, bytes.len - done);

		if (n < 0 && errno != EINTR)
			refuse("write", name);
		done += n > 0 ? (size_t) n : 0;
	}
	if (durable && fsync(fd) != 0)
		refuse("sync", name);
	if (close(fd) != 0)
		refuse("write", name);
	if (rename(name, path) != 0)
		refuse("rename", name);
	if (durable)
		sync_parent(path);
	free(name);
}

void
cli_make_parents(const char *path)
{
	char	   *name = cli_printf("%s", path);

	for (char *slash = strchr(name + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
	{
		*slash = '\0';
		if (mkdir(name, 0777) != 0 && errno != EEXIST)
			refuse("create", name);
		*slash = '/';
	}
	free(name);
}

void
cli_sync_directory(const char *path)
{
	int			fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		refuse("open", path);
#ifdef __linux__
	if (syncfs(fd) != 0)
		refuse("sync", path);
#else
	sync();
#endif
	close(fd);
}
