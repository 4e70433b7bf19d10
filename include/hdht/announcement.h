/* The signature that lets only the owner of a key announce it, and take the announcement back (hyperdht, `announce` and
 * `unannounce`). For those whose DHT node is elsewhere: a client of a relay signs, the relay checks. Everything here
 * may be called on any thread. */
#ifndef HDHT_ANNOUNCEMENT_H
#define HDHT_ANNOUNCEMENT_H

#include <hdht/keys.h>
#include <hdht/peer.h>

/* What one signature is good for: it is worth nothing for another target, at another node, or with the token of another
 * host. */
typedef struct hdht_announcement_scope {
  const uint8_t *target;  /* HDHT_HASH_SIZE bytes: the topic, or the hash of the peer's key */
  const uint8_t *node_id; /* HDHT_NODE_ID_SIZE bytes: the node that is to store or forget the record */
  const uint8_t *token;   /* HDHT_TOKEN_SIZE bytes: made by that node for the announcer */
  uint32_t name_space;    /* HDHT_NAMESPACE_ANNOUNCE or HDHT_NAMESPACE_UNANNOUNCE */
  uint32_t reserved;      /* 0 */
} hdht_announcement_scope;

#ifdef __cplusplus
extern "C" {
#endif

/* Signs the record of `key_pair` with these relay addresses.
 *
 * relay_addresses  NULL for none
 * signature        [out] HDHT_SIGNATURE_SIZE bytes
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT, also for an address that is not IPv4; HDHT_ERR_TOO_LARGE for a list above
 * HDHT_LIST_LIMIT. */
HDHT_API int hdht_announcement_sign(const hdht_announcement_scope *scope, const hdht_address_list *relay_addresses,
                                    const hdht_key_pair *key_pair, uint8_t *signature);

/* Checks a signature of HDHT_SIGNATURE_SIZE bytes against the key of the peer that is announced.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT; HDHT_ERR_BAD_SIGNATURE. */
HDHT_API int hdht_announcement_verify(const hdht_announcement_scope *scope, const hdht_peer *peer,
                                      const uint8_t *signature);

#ifdef __cplusplus
}
#endif

#endif
