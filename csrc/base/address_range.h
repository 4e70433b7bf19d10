/* What kind of network an address can live in. The ranges are those of the DHT in use (the `bogon` rules of hyperdht):
 * every node has to draw the same line, so newer registry entries are not added here. */
#ifndef HD_ADDRESS_RANGE_H
#define HD_ADDRESS_RANGE_H

#include "base/address.h"

/* 10/8, 100.64/10, 127/8, 169.254/16, 172.16/12 and 192.168/16; IPv6: ::1, fe80::/10 and fc00::/7. */
bool hd_address_is_private(const hd_address *address);

/* 0/8, 192.0.0/24, 192.0.2/24, 198.18/15, 198.51.100/24, 203.0.113/24, 224/4 and 240/4; IPv6: ::, 2001:db8::/32 and
 * ff00::/8. */
bool hd_address_is_reserved(const hd_address *address);

/* True for an address that can be reached from anywhere: neither private nor reserved, and not "no address". */
bool hd_address_is_public(const hd_address *address);

/* The same network in the sense of spreading risk: equal first 16 bits (IPv4) or 32 bits (IPv6). */
bool hd_address_same_network(const hd_address *a, const hd_address *b);

#endif
