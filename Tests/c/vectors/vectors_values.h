/* JSON values of the vectors as the library's types. What they point to lives until the case ends. */
#ifndef HD_VECTORS_VALUES_H
#define HD_VECTORS_VALUES_H

#include <hdht/peer.h>

#include "base/address.h"
#include "base/bytes.h"
#include "vectors.h"

/* A hex string; empty when it is missing or null. */
hd_bytes hd_vector_bytes(const hd_json *text);

/* A hex string of exactly `size` bytes, or NULL when it is missing or null. */
const uint8_t *hd_vector_fixed(const hd_json *text, size_t size);

/* {"host", "port"}; no address when it is missing or null. */
hd_address hd_vector_address(const hd_json *value);

/* An array of addresses of either family; NULL and 0 when it is missing or null. */
const hd_address *hd_vector_addresses(const hd_json *values, size_t *count);

/* An array of IPv4 addresses, to be written. */
hdht_address_list hd_vector_address_list(const hd_json *values);

/* {"publicKey", "relayAddresses"}. */
hdht_peer hd_vector_peer(const hd_json *value);

#endif
