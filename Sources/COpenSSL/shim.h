// OpenSSL, for TLS and for the SHA-1 of WebSocket's handshake. Swift sees no macros, so those we need are functions here.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline int hd_openssl_set_minimum_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_min_proto_version(context, version);
}

/* No renegotiation and no compression, both of which have hurt; the server chooses the cipher. */
static inline uint64_t hd_openssl_options(void) {
  return SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
}

/* Idle connections give their buffers back. */
static inline long hd_openssl_modes(void) {
  return SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;
}

/* Whether an error says that a text holds no (further) PEM block. */
static inline int hd_openssl_is_no_start_line(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static inline void hd_openssl_set_mode(SSL_CTX *context, long mode) {
  (void)SSL_CTX_set_mode(context, mode);
}

static inline void hd_openssl_set_session_cache_mode(SSL_CTX *context, long mode) {
  (void)SSL_CTX_set_session_cache_mode(context, mode);
}

/* Takes over one reference to the certificate if it succeeds. */
static inline int hd_openssl_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
  return (int)SSL_CTX_add0_chain_cert(context, certificate);
}

static inline int hd_openssl_set_server_name(SSL *ssl, const char *name) {
  return (int)SSL_set_tlsext_host_name(ssl, name);
}

static inline void hd_openssl_on_server_name(SSL_CTX *context, int (*callback)(SSL *, int *, void *), void *argument) {
  (void)SSL_CTX_set_tlsext_servername_callback(context, callback);
  (void)SSL_CTX_set_tlsext_servername_arg(context, argument);
}

/* Encrypted keys are refused rather than asked for at the terminal. */
static inline int hd_openssl_no_password(char *buffer, int size, int is_writing, void *argument) {
  (void)buffer, (void)size, (void)is_writing, (void)argument;
  return 0;
}

static inline void hd_openssl_bio_set_retry_read(BIO *bio) {
  BIO_set_retry_read(bio);
}

static inline void hd_openssl_bio_clear_retry(BIO *bio) {
  BIO_clear_retry_flags(bio);
}

/* SHA-1 of bytes, 20 of them. 1, or 0 where it is forbidden. */
static inline int hd_openssl_sha1(const void *bytes, size_t count, unsigned char *digest) {
  return EVP_Digest(bytes, count, digest, NULL, EVP_sha1(), NULL);
}

#endif
