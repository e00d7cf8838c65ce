#include "server/certs/store.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER_MODE 0755 /* others may read certificates; keys have their own mode */
#define NAME_BYTES  128	 /* a name of at most 64 characters, suffix, ".new" */

static int make_folders(const char *path, struct err *err)
{
	char partial[PATH_MAX];

	if ((size_t)snprintf(partial, sizeof(partial), "%s", path) >= sizeof(partial))
		return err_set(err, ENAMETOOLONG, "%s", path);
	for (char *slash = partial + 1; slash != NULL; slash++) {
		slash = strchr(slash, '/');
		if (slash != NULL)
			*slash = '\0';
		if (mkdir(partial, FOLDER_MODE) != 0 && errno != EEXIST)
			return err_errno(err, errno, "make the folder %s", partial);
		if (slash == NULL)
			break;
		*slash = '/';
	}
	return 0;
}

int store_open(struct store *store, const char *path, bool is_made, struct err *err)
{
	int status = is_made ? make_folders(path, err) : 0;

	if (status < 0)
		return status;
	(void)snprintf(store->path, sizeof(store->path), "%s", path);
	store->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->fd < 0 && errno == ENOENT)
		return err_set(
			err, ENOENT,
			"there is no folder %s: run 'casemate certs init' first, or name "
			"another with --pki",
			path);
	if (store->fd < 0)
		return err_errno(err, errno, "open the folder %s", path);
	return 0;
}

void store_close(struct store *store)
{
	fd_drop(&store->fd);
}

bool store_has(const struct store *store, const char *name, const char *suffix)
{
	char file[NAME_BYTES];

	(void)snprintf(file, sizeof(file), "%s.%s", name, suffix);
	return faccessat(store->fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int write_new(int folder, const char *file, mode_t mode, BIO *content, struct err *err)
{
	own_fd fd = openat(folder, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			   mode);
	char *data = NULL;
	long length = BIO_get_mem_data(content, &data);

	if (fd < 0)
		return err_errno(err, errno, "create %s", file);
	for (long at = 0; at < length;) {
		ssize_t wrote = write(fd, data + at, (size_t)(length - at));

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return err_errno(err, wrote < 0 ? errno : EIO, "write %s", file);
		at += wrote;
	}
	if (fsync(fd) != 0)
		return err_errno(err, errno, "write %s to disk", file);
	return 0;
}

/* Takes the content. */
static int save(const struct store *store, const char *file, mode_t mode, BIO *take_content,
		struct err *err)
{
	char fresh[NAME_BYTES];
	int status;

	(void)snprintf(fresh, sizeof(fresh), ".%s.new", file);
	/* Left over from an interrupted run. */
	if (unlinkat(store->fd, fresh, 0) != 0 && errno != ENOENT)
		status = err_errno(err, errno, "remove %s", fresh);
	else
		status = write_new(store->fd, fresh, mode, take_content, err);
	if (status == 0 && renameat(store->fd, fresh, store->fd, file) != 0)
		status = err_errno(err, errno, "rename %s", fresh);
	if (status == 0 && fsync(store->fd) != 0)
		status = err_errno(err, errno, "write the folder to disk");
	if (status < 0) {
		(void)unlinkat(store->fd, fresh, 0);
		status = err_prefix(err, "%s", store->path);
	}
	BIO_free(take_content);
	return status;
}

int store_save_pair(const struct store *store, const char *name, const struct make_pair *pair,
		    struct err *err)
{
	BIO *key = BIO_new(BIO_s_secmem());
	BIO *certificate = BIO_new(BIO_s_mem());
	char file[NAME_BYTES];
	int status;

	if (key == NULL || certificate == NULL ||
	    PEM_write_bio_PrivateKey(key, pair->key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_X509(certificate, pair->certificate) != 1) {
		BIO_free(key);
		BIO_free(certificate);
		return err_set(err, ENOMEM, "encode %s", name);
	}
	(void)snprintf(file, sizeof(file), "%s.key", name);
	status = save(store, file, 0600, key, err);
	if (status < 0) {
		BIO_free(certificate);
		return status;
	}
	(void)snprintf(file, sizeof(file), "%s.crt", name);
	return save(store, file, 0644, certificate, err);
}

/* A stream of NAME.suffix, closed by the caller with fclose(). */
static int open_file(const struct store *store, const char *name, const char *suffix,
		     FILE **ret, struct err *err)
{
	char file[NAME_BYTES];
	own_fd fd = -1;

	(void)snprintf(file, sizeof(file), "%s.%s", name, suffix);
	fd = openat(store->fd, file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open %s/%s", store->path, file);
	*ret = fdopen(fd, "r");
	if (*ret == NULL)
		return err_errno(err, errno, "open %s/%s", store->path, file);
	err_ignore(fd_take(&fd), "the stream owns it");
	return 0;
}

int store_load_certificate(const struct store *store, const char *name, X509 **ret,
			   struct err *err)
{
	FILE *file = NULL;
	int status = open_file(store, name, "crt", &file, err);
	X509 *certificate;

	if (status < 0)
		return status;
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	(void)fclose(file);
	if (certificate == NULL)
		return err_set(err, EINVAL, "%s/%s.crt holds no PEM certificate", store->path,
			       name);
	*ret = certificate;
	return 0;
}

int store_load_pair(const struct store *store, const char *name, struct make_pair *ret,
		    struct err *err)
{
	own_pair pair = {0};
	FILE *file = NULL;
	char none[] = "";
	int status = store_load_certificate(store, name, &pair.certificate, err);

	if (status == 0)
		status = open_file(store, name, "key", &file, err);
	if (status < 0)
		return status;
	pair.key = PEM_read_PrivateKey(file, NULL, NULL, none);
	(void)fclose(file);
	if (pair.key == NULL)
		return err_set(err, EINVAL, "%s/%s.key holds no unencrypted PEM private key",
			       store->path, name);
	if (X509_check_private_key(pair.certificate, pair.key) != 1)
		return err_set(err, EINVAL, "%s: %s.key does not belong to %s.crt", store->path,
			       name, name);
	*ret = pair;
	pair = (struct make_pair){0};
	return 0;
}

int store_save_crl(const struct store *store, X509_CRL *crl, struct err *err)
{
	BIO *content = BIO_new(BIO_s_mem());

	if (content == NULL || PEM_write_bio_X509_CRL(content, crl) != 1) {
		BIO_free(content);
		return err_set(err, ENOMEM, "encode the CRL");
	}
	return save(store, "crl.pem", 0644, content, err);
}

int store_load_crl(const struct store *store, X509_CRL **ret, struct err *err)
{
	FILE *file = NULL;
	X509_CRL *crl;
	int status = open_file(store, "crl", "pem", &file, err);

	if (status == -ENOENT) {
		*ret = NULL;
		return 0;
	}
	if (status < 0)
		return status;
	crl = PEM_read_X509_CRL(file, NULL, NULL, NULL);
	(void)fclose(file);
	if (crl == NULL)
		return err_set(err, EINVAL, "%s/crl.pem holds no PEM CRL", store->path);
	*ret = crl;
	return 0;
}
