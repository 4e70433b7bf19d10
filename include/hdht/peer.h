/* Peers as the DHT stores and announces them, and the lists they come in.
 *
 * A list is one value for both directions. A decoded list borrows the bytes of its message: `array` is NULL and
 * `encoded` holds `count` elements that were checked when the message was decoded. A list to be encoded may instead
 * point at the caller's `array` of `count` elements; `encoded` is then ignored. The `_next` functions walk both kinds
 * by taking the first element off a copy of the list:
 *
 *   hdht_peer_list rest = announcers.peers;
 *   hdht_peer peer;
 *   while (hdht_peer_list_next(&rest, &peer)) { ... }
 *
 * What an element points to lives as long as the bytes that were decoded. Nothing here allocates or keeps anything; all
 * functions may be called on any thread. */
#ifndef HDHT_PEER_H
#define HDHT_PEER_H

#include <hdht/types.h>

/* The most elements any list on the wire may announce, as in the reference. */
#define HDHT_LIST_LIMIT 0x100000

/* IPv4 addresses with ports. */
typedef struct hdht_address_list {
  const hdht_address *array; /* NULL in a decoded list */
  hdht_bytes encoded;        /* 6 bytes for each address */
  size_t count;
} hdht_address_list;

/* Who announced itself, and the nodes that pass messages on to it. */
typedef struct hdht_peer {
  const uint8_t *public_key; /* HDHT_PUBLIC_KEY_SIZE bytes */
  hdht_address_list relay_addresses;
} hdht_peer;

typedef struct hdht_peer_list {
  const hdht_peer *array; /* NULL in a decoded list */
  hdht_bytes encoded;
  size_t count;
} hdht_peer_list;

/* A DHT node as another node names it. */
typedef struct hdht_contact {
  hdht_bytes id; /* HDHT_NODE_ID_SIZE bytes, or empty when the node does not reveal it; a peer can send any size */
  hdht_address address; /* IPv4 */
} hdht_contact;

/* What one node answered when asked who announced a topic. */
typedef struct hdht_announcers {
  const uint8_t *token; /* HDHT_TOKEN_SIZE bytes */
  hdht_contact from;    /* the node that answered */
  hdht_contact to;      /* who asked, as that node saw it; the id is practically always empty */
  hdht_peer_list peers;
} hdht_announcers;

#ifdef __cplusplus
extern "C" {
#endif

/* Takes the first element off `list` and returns 1; returns 0 and leaves *address alone when none is left. */
HDHT_API int hdht_address_list_next(hdht_address_list *list, hdht_address *address);

/* Takes the first element off `list` and returns 1; returns 0 and leaves *peer alone when none is left. */
HDHT_API int hdht_peer_list_next(hdht_peer_list *list, hdht_peer *peer);

/* Reads the record that a relay's `result` message carries. Bytes after it are ignored.
 *
 * data        borrowed: what *announcers points to lives as long as these bytes
 * announcers  untouched on error
 *
 * Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_TOO_LARGE when a list announces more than HDHT_LIST_LIMIT elements. */
HDHT_API int hdht_announcers_decode(hdht_bytes data, hdht_announcers *announcers);

/* The size of the record hdht_announcers_encode would write.
 *
 * Errors: HDHT_ERR_INVALID_ARGUMENT for a missing token, key or array, or an address that is not IPv4;
 * HDHT_ERR_TOO_LARGE for a list above HDHT_LIST_LIMIT. */
HDHT_API int hdht_announcers_size(const hdht_announcers *announcers, size_t *size);

/* Writes the record.
 *
 * buffer  room for `capacity` bytes, not overlapping what the record points to
 * size    how many were written
 *
 * Errors: those of hdht_announcers_size; HDHT_ERR_BUFFER_TOO_SMALL. Nothing is written on error. */
HDHT_API int hdht_announcers_encode(const hdht_announcers *announcers, uint8_t *buffer, size_t capacity, size_t *size);

#ifdef __cplusplus
}
#endif

#endif
