/* The plain data that crosses the ABI: spans of bytes, keys, addresses. Every struct here has a fixed layout that a
 * test checks; none ever changes. */
#ifndef HDHT_TYPES_H
#define HDHT_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(HDHT_SHARED)
#ifdef HDHT_BUILDING
#define HDHT_API __declspec(dllexport)
#else
#define HDHT_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define HDHT_API __attribute__((visibility("default")))
#else
#define HDHT_API
#endif

#define HDHT_PUBLIC_KEY_SIZE     32 /* Ed25519 public key */
#define HDHT_SECRET_KEY_SIZE     64 /* Ed25519 seed, then public key (libsodium's form) */
#define HDHT_SEED_SIZE           32
#define HDHT_SIGNATURE_SIZE      64
#define HDHT_HASH_SIZE           32 /* BLAKE2b-256 */
#define HDHT_HANDSHAKE_HASH_SIZE 64 /* the final hash of a Noise handshake, BLAKE2b-512 */
#define HDHT_NODE_ID_SIZE        32
#define HDHT_TOKEN_SIZE          32

/* Bytes that somebody else owns. How long they live is said where the span is handed out. `data` may be NULL when
 * `size` is 0. */
typedef struct hdht_bytes {
  const uint8_t *data;
  size_t size; /* bytes */
} hdht_bytes;

enum { HDHT_FAMILY_NONE = 0, HDHT_FAMILY_IPV4 = 4, HDHT_FAMILY_IPV6 = 6 };

/* An internet address. An all-zero value is "no address". Two equal addresses have equal bytes: an IPv4 address uses
 * the first 4 bytes of `ip` and leaves the others 0, and an IPv4-mapped IPv6 address is always stored as IPv4. */
typedef struct hdht_address {
  uint8_t ip[16];   /* network order, as read aloud */
  uint16_t port;    /* the host's byte order */
  uint8_t family;   /* HDHT_FAMILY_* */
  uint8_t reserved; /* 0 */
} hdht_address;

#endif
