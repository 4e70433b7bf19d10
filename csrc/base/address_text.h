/* Addresses as people write them. */
#ifndef HD_ADDRESS_TEXT_H
#define HD_ADDRESS_TEXT_H

#include <hdht/error.h>

#include "base/address.h"

/* "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535" and its terminator. */
#define HD_ADDRESS_TEXT_SIZE 56

/* Reads a literal IPv4 or IPv6 host; the port of the result is 0. IPv4 octets have no leading zeros; an IPv4-mapped
 * IPv6 address becomes IPv4. Errors: HDHT_ERR_MALFORMED. */
int hd_address_parse_host(const char *text, hd_address *address);

/* Writes "1.2.3.4:5" or "[2001:db8::1]:5" (RFC 5952), or "none". Returns `text`. */
const char *hd_address_format(const hd_address *address, char text[HD_ADDRESS_TEXT_SIZE]);

#endif
