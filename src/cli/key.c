/*
 * key.c
 *		scim-audit keygen, and reading what it wrote (see key.h).
 */
#include "cli/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/crypto.h"
#include "cli/file.h"
#include "core/text.h"

#define PREFIX "PRIVATE+KEY+"
#define ED25519 1				/* the type of key, before its bytes */


/* Append "name+id+base64(0x01 || bytes)". */
static void
put_key(ScimBuf *buf, const ScimNoteKey *key, const uint8_t bytes[SCIM_NOTE_KEY_SIZE])
{
	ScimNoteKey with = *key;

	memcpy(with.public, bytes, SCIM_NOTE_KEY_SIZE);
	scim_note_key_format(buf, &with);
	cli_forget(&with, sizeof with);
	cli_check_buffer(buf);
}

/* A file that was not there and that nobody else may read. */
static void
write_secret(const char *path, ScimStr bytes)
{
	int			fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		cli_fail(errno == EEXIST ? "a key is never overwritten" : NULL, "could not create %s: %s", path, strerror(errno));
	if (fchmod(fd, 0600) != 0 || write(fd, bytes.ptr, bytes.len) != (ssize_t) bytes.len || fsync(fd) != 0 || close(fd) != 0)
	{
		int			saved = errno;

		unlink(path);
		cli_fail(NULL, "could not write %s: %s", path, strerror(saved));
	}
}

static int
run_keygen(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	uint8_t		seed[SCIM_NOTE_KEY_SIZE];
	uint8_t		public[SCIM_NOTE_KEY_SIZE];
	ScimNoteKey key;
	ScimError	err;
	ScimBuf		buf;

	while (cli_option(argc, argv, ":h", options) != -1)
		;
	cli_words(argc, 2, 2);
	cli_random_seed(seed);
	if (!cli_public_key(seed, public))
		cli_fail(NULL, "libcrypto has no Ed25519");
	if (scim_note_key_make(&key, cli_sha256, cli_str(argv[optind]), public, &err) != SCIM_OK)
		cli_fail("the origin of the log, like audit.example.com/scim", "%s", err.detail);
	scim_buf_init(&buf, NULL, CLI_FILE_MAX);
	scim_buf_str(&buf, PREFIX);
	put_key(&buf, &key, seed);
	scim_buf_char(&buf, '\n');
	cli_check_buffer(&buf);
	write_secret(argv[optind + 1], cli_buf_str(&buf));
	cli_forget(buf.data, buf.len);
	cli_forget(seed, sizeof seed);
	scim_buf_reset(&buf);
	put_key(&buf, &key, public);
	puts(buf.data);
	scim_buf_free(&buf);
	return CLI_FINE;
}

/* The line of a key file. */
static bool
parse_key(CliPrivateKey *key, ScimStr line)
{
	const char *name = line.ptr + strlen(PREFIX);
	const char *id;
	const char *base64;
	uint8_t		bytes[1 + SCIM_NOTE_KEY_SIZE];
	uint8_t		public[SCIM_NOTE_KEY_SIZE];
	char		hex[9];
	bool		good;

	if (strncmp(line.ptr, PREFIX, strlen(PREFIX)) != 0 || (id = strchr(name, '+')) == NULL || (base64 = strchr(id + 1, '+')) == NULL)
		return false;
	if (!scim_base64_exactly(cli_str(base64 + 1), bytes, sizeof bytes) || bytes[0] != ED25519)
		return false;
	memcpy(key->seed, bytes + 1, SCIM_NOTE_KEY_SIZE);
	cli_forget(bytes, sizeof bytes);
	good = cli_public_key(key->seed, public) &&
		scim_note_key_make(&key->key, cli_sha256, (ScimStr) {name, (size_t) (id - name)}, public, NULL) == SCIM_OK;
	snprintf(hex, sizeof hex, "%02x%02x%02x%02x", key->key.id[0], key->key.id[1], key->key.id[2], key->key.id[3]);
	return good && base64 - id - 1 == 8 && strncmp(hex, id + 1, 8) == 0;
}

void
cli_key_need(CliPrivateKey *key, const char *path)
{
	char		line[1024];
	struct stat status;
	ssize_t		n;

	memset(key, 0, sizeof *key);
	key->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (key->fd < 0)
		cli_fail(errno == ENOENT ? "scim-audit keygen makes one" : NULL, "could not read %s: %s", path, strerror(errno));
	if (fstat(key->fd, &status) != 0 || (status.st_mode & 077) != 0)
		cli_fail("chmod 600", "others than its owner may use the key in %s", path);
	if (flock(key->fd, LOCK_EX) != 0)
		cli_fail(NULL, "could not lock %s: %s", path, strerror(errno));
	n = read(key->fd, line, sizeof line - 1);
	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (!parse_key(key, cli_str(line)))
		cli_fail("scim-audit keygen makes one", "there is no Ed25519 key in %s", path);
	/* The key's name must outlive the line. */
	key->key.name = cli_str(cli_printf("%.*s", (int) key->key.name.len, key->key.name.ptr));
	cli_forget(line, sizeof line);
}

void
cli_key_forget(CliPrivateKey *key)
{
	cli_forget(key->seed, sizeof key->seed);
	close(key->fd);
}

const CliCommand cli_keygen_command = {
	"keygen", "NAME FILE", "makes the key that checkpoints are signed with",
	"Makes an Ed25519 key pair. The private key goes to FILE, which must not be there yet and\n"
	"which only you may read; the public key, a vkey as C2SP signed-note has it, is printed.\n"
	"NAME is the name of the log, as its checkpoints have it: the URL at which it can be read,\n"
	"without https://. Keep FILE away from the database: who has both can forge the log.\n\n"
	"  -h, --help     this\n\n"
	"Example, on the machine that signs, then in the database:\n"
	"  scim-audit keygen audit.example.com/scim log.key > log.vkey\n"
	"  SELECT scim_audit.set_log_origin('audit.example.com/scim', ARRAY['what log.vkey holds']);\n",
	run_keygen
};
