/* Peers, contacts and announcers: the records the DHT's lookup replies and the relay's query results are made of
 * (hyperdht `peer`; dht-relay `node` and `announcers`). The values are public, include/hdht/peer.h.
 *
 *   addresses   uint count, then 6 bytes each
 *   peer        public key (32), addresses
 *   peers       uint count, then the peers
 *   contact     buffer id, IPv4 address
 *   announcers  token (32), contact from, contact to, peers
 *
 * Readers lend: what they return points into the bytes under the reader, and every element of a list has been checked,
 * so walking it later cannot fail. On error neither the cursor nor the out-parameter changes.
 *
 *   HDHT_ERR_TRUNCATED  the bytes end before the record does
 *   HDHT_ERR_TOO_LARGE  a list announces more than HDHT_LIST_LIMIT elements
 *
 * Sizes are of the encoded form, writers write it; list elements go out in their shortest form, however they were read.
 *
 *   HDHT_ERR_INVALID_ARGUMENT  a key or array is missing, an address is not IPv4, or `encoded` does not hold `count`
 *                              elements
 *   HDHT_ERR_TOO_LARGE         a list has more than HDHT_LIST_LIMIT elements
 *   HDHT_ERR_BUFFER_TOO_SMALL  (writers) the writer has not moved */
#ifndef HD_MESSAGE_PEER_H
#define HD_MESSAGE_PEER_H

#include <hdht/peer.h>

#include "base/bytes.h"

/* The fewest bytes a peer takes: its key and an empty list. */
#define HD_MESSAGES_PEER_SIZE_MIN (HDHT_PUBLIC_KEY_SIZE + 1)

int hd_messages_read_addresses(hd_reader *reader, hdht_address_list *list);
int hd_messages_addresses_size(const hdht_address_list *list, size_t *size);
int hd_messages_write_addresses(hd_writer *writer, const hdht_address_list *list);

int hd_messages_read_peer(hd_reader *reader, hdht_peer *peer);
int hd_messages_peer_size(const hdht_peer *peer, size_t *size);
int hd_messages_write_peer(hd_writer *writer, const hdht_peer *peer);

int hd_messages_read_peers(hd_reader *reader, hdht_peer_list *list);
int hd_messages_peers_size(const hdht_peer_list *list, size_t *size);
int hd_messages_write_peers(hd_writer *writer, const hdht_peer_list *list);

int hd_messages_read_contact(hd_reader *reader, hdht_contact *contact);
int hd_messages_contact_size(const hdht_contact *contact, size_t *size);
int hd_messages_write_contact(hd_writer *writer, const hdht_contact *contact);

int hd_messages_read_announcers(hd_reader *reader, hdht_announcers *announcers);
int hd_messages_announcers_size(const hdht_announcers *announcers, size_t *size);
int hd_messages_write_announcers(hd_writer *writer, const hdht_announcers *announcers);

#endif
