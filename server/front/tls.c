#include "server/front/tls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "server/front/identity.h"
#include "server/front/keys.h"

#define VERIFY_DEPTH_MAX 6	     /* intermediate certificates; real chains have 1 to 3 */
#define CERT_LIST_BYTES	 (64 * 1024) /* a client's chain; P-256 chains are under 4 KiB */

/* Secure heap. Every handshake keeps its ephemeral private key until the connection ends: under
 * 64 bytes, two blocks for safety. The rest holds the long-term keys, also those of contexts
 * that old connections still refer to after a reload. */
#define SECURE_BYTES_PER_CONNECTION 128
#define SECURE_BYTES_KEYS	    (256 * 1024)
#define SECURE_BLOCK_BYTES	    32

int tls_init(size_t connections_max, bool *ret_is_locked, struct err *err)
{
	size_t wanted = SECURE_BYTES_KEYS + connections_max * SECURE_BYTES_PER_CONNECTION;
	size_t bytes = SECURE_BYTES_KEYS;
	int status;

	/* No openssl.cnf: it could load engines, and what it says would differ between
	 * machines. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return err_set(err, ENOMEM, "OpenSSL does not start");
	while (bytes < wanted) /* the heap wants a power of two */
		bytes *= 2;
	status = CRYPTO_secure_malloc_init(bytes, SECURE_BLOCK_BYTES);
	if (status == 0)
		return err_set(err, ENOMEM, "no memory for a secure heap of %zu bytes", bytes);
	*ret_is_locked = status == 1;
	return 0;
}

static void note_subject(X509_STORE_CTX *store, int verify_error)
{
	/* NULL in tls_judge(). */
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_info *info = ssl != NULL ? SSL_get_app_data(ssl) : NULL;
	X509 *leaf = X509_STORE_CTX_get0_cert(store);

	if (info == NULL || leaf == NULL)
		return;
	info->verify_error = verify_error;
	identity_subject(leaf, info->subject);
}

bool tls_is_crl_fault(int verify_error)
{
	switch (verify_error) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
		return true;
	default:
		return false;
	}
}

/* Runs for each certificate of the chain and for each error; 0 ends the handshake. */
static int check_certificate(int is_good, X509_STORE_CTX *store)
{
	int error = X509_STORE_CTX_get_error(store);
	int depth = X509_STORE_CTX_get_error_depth(store);

	/* Intermediates are checked against the CRLs we have; that their issuer's CRL must be
	 * given is demanded only for the client's own certificate. */
	if (!is_good && error == X509_V_ERR_UNABLE_TO_GET_CRL && depth > 0) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	if (is_good && depth == 0 &&
	    (X509_get_extension_flags(X509_STORE_CTX_get0_cert(store)) & EXFLAG_CA) != 0) {
		error = X509_V_ERR_INVALID_PURPOSE; /* a CA signs, it does not call */
		X509_STORE_CTX_set_error(store, error);
		is_good = 0;
	}
	if (is_good)
		return 1;
	note_subject(store, error);
	/* OpenSSL would tell the client that *its* certificate has expired. */
	if (tls_is_crl_fault(error))
		X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
	return 0;
}

int tls_judge(SSL_CTX *context, SSL *ssl)
{
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	int error = X509_V_ERR_OUT_OF_MEM; /* then nothing can be said for it */

	/* The steps of OpenSSL's own verification in a handshake. */
	if (store != NULL &&
	    X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(context),
				SSL_get0_peer_certificate(ssl),
				SSL_get_peer_cert_chain(ssl)) == 1 &&
	    X509_STORE_CTX_set_default(store, "ssl_client") == 1) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);

		X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(ssl));
		X509_STORE_CTX_set_verify_cb(store, check_certificate);
		if (X509_VERIFY_PARAM_set1(param, SSL_CTX_get0_param(context)) == 1)
			error = X509_verify_cert(store) == 1 ? X509_V_OK
							     : X509_STORE_CTX_get_error(store);
	}
	X509_STORE_CTX_free(store);
	ERR_clear_error();
	return error;
}

int64_t tls_good_until(const SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	int64_t until = INT64_MAX;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		const ASN1_TIME *end = X509_get0_notAfter(sk_X509_value(chain, i));
		struct tm utc = {0};
		int64_t seconds = ASN1_TIME_to_tm(end, &utc) == 1 ? timegm(&utc) : 0;

		if (seconds < until)
			until = seconds;
	}
	return until;
}

/* RFC 7301: without a common protocol the handshake ends with no_application_protocol. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
			   const unsigned char *offered, unsigned offered_length, void *unused)
{
	static const char protocol[] = "http/1.1";

	(void)ssl;
	(void)unused;
	for (unsigned at = 0; at < offered_length; at += 1u + offered[at]) {
		if (offered[at] != sizeof(protocol) - 1 ||
		    at + sizeof(protocol) > offered_length ||
		    memcmp(offered + at + 1, protocol, sizeof(protocol) - 1) != 0)
			continue;
		*out = offered + at + 1;
		*out_length = offered[at];
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int tls_allow_tls12(SSL_CTX *context, bool is_allowed, struct err *err)
{
	int lowest = is_allowed ? TLS1_2_VERSION : TLS1_3_VERSION;

	if (SSL_CTX_set_min_proto_version(context, lowest) != 1)
		return err_set(err, ENOTSUP, "OpenSSL refuses TLS version %#x", lowest);
	return 0;
}

static int set_algorithms(SSL_CTX *context, struct err *err)
{
	/* Named groups only: OpenSSL's default has finite-field groups whose arithmetic costs
	 * the server a hundred times what it costs the client. The post-quantum hybrid is first
	 * where the library (3.5 and newer) has it. */
	if (SSL_CTX_set1_groups_list(context, "X25519MLKEM768:X25519:P-256:P-384") != 1 &&
	    SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") != 1)
		return err_set(err, ENOTSUP, "OpenSSL lacks the key exchange groups");
	if (SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
		return err_set(err, ENOTSUP, "OpenSSL lacks the TLS 1.2 cipher suites");
	SSL_CTX_set_security_level(context, 2);
	ERR_clear_error();
	return 0;
}

static int set_behaviour(SSL_CTX *context, bool tls12_allowed, struct err *err)
{
	static const unsigned char session_context[] = "casemate";
	int status = tls_allow_tls12(context, tls12_allowed, err);

	if (status == 0)
		status = set_algorithms(context, err);
	if (status < 0)
		return status;
	SSL_CTX_set_options(context,
			    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
				    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	/* No resumption of any kind: a resumed session would skip dates and CRL. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_num_tickets(context, 0) != 1 ||
	    SSL_CTX_set_session_id_context(context, session_context,
					   sizeof(session_context) - 1) != 1)
		return err_set(err, ENOMEM, "OpenSSL cannot switch resumption off");
	/* One read(2) takes a whole record; buffers are given back while a connection idles. */
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   check_certificate);
	SSL_CTX_set_verify_depth(context, VERIFY_DEPTH_MAX);
	SSL_CTX_set_max_cert_list(context, CERT_LIST_BYTES);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	return 0;
}

int tls_context_new(const struct tls_keys *keys, bool tls12_allowed, SSL_CTX **ret,
		    struct err *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int status;

	if (context == NULL)
		return err_set(err, ENOMEM, "no memory for a TLS context");
	status = set_behaviour(context, tls12_allowed, err);
	if (status == 0)
		status = keys_load_own(context, keys->chain, keys->key, err);
	if (status == 0)
		status = keys_load_client_ca(context, keys->client_ca, err);
	if (status == 0 && keys->crl >= 0)
		status = keys_load_crl(context, keys->crl, err);
	ERR_clear_error();
	if (status < 0) {
		SSL_CTX_free(context);
		return status;
	}
	*ret = context;
	return 0;
}

static uint8_t verify_refusal(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return TLS_REFUSAL_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_REFUSAL_NOT_YET_VALID;
	case X509_V_ERR_CERT_REVOKED:
		return TLS_REFUSAL_REVOKED;
	case X509_V_ERR_INVALID_PURPOSE:
		return TLS_REFUSAL_WRONG_PURPOSE;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* another CA with our CA's name */
		return TLS_REFUSAL_UNKNOWN_CA;
	default:
		return tls_is_crl_fault(error) ? TLS_REFUSAL_OTHER
					       : TLS_REFUSAL_BAD_CERTIFICATE;
	}
}

uint8_t tls_refusal(const struct tls_info *info, const char **ret_detail)
{
	unsigned long error = ERR_peek_error();

	*ret_detail = ERR_reason_error_string(error);
	if (info->verify_error != X509_V_OK) {
		*ret_detail = X509_verify_cert_error_string(info->verify_error);
		return verify_refusal(info->verify_error);
	}
	if (ERR_GET_LIB(error) != ERR_LIB_SSL)
		return TLS_REFUSAL_OTHER;
	switch (ERR_GET_REASON(error)) {
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		return TLS_REFUSAL_NO_CERTIFICATE;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_NO_PROTOCOLS_AVAILABLE:
	case SSL_R_INAPPROPRIATE_FALLBACK:
		return TLS_REFUSAL_PROTOCOL_VERSION;
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
	case SSL_R_WRONG_VERSION_NUMBER:
		return TLS_REFUSAL_NOT_TLS;
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
	case SSL_R_BAD_SIGNATURE: /* he does not hold the certificate's key */
		return TLS_REFUSAL_BAD_CERTIFICATE;
	default:
		return TLS_REFUSAL_OTHER;
	}
}
