/* Addresses of compact-encoding-net: the host in reading order, then the port as a little-endian uint16 (unlike in a
 * sockaddr). `ip` and `ipAddress` put a family byte in front.
 *
 * Decoded values obey hdht_address: an IPv4-mapped IPv6 address becomes an IPv4 address. Readers: HDHT_ERR_TRUNCATED.
 * Writers: HDHT_ERR_BUFFER_TOO_SMALL, and HDHT_ERR_INVALID_ARGUMENT for an address of a family the field cannot hold.
 */
#ifndef HD_COMPACT_ADDRESS_H
#define HD_COMPACT_ADDRESS_H

#include "base/address.h"
#include "codec/compact_uint.h"

#define HD_CODEC_IPV4_ADDRESS_SIZE 6
#define HD_CODEC_IPV6_ADDRESS_SIZE 18

/* `ipv4` and `ipv6`: the host alone; the port of the result is 0. */
int hd_codec_read_ipv4(hd_reader *reader, hd_address *address);
int hd_codec_write_ipv4(hd_writer *writer, const hd_address *address);
int hd_codec_read_ipv6(hd_reader *reader, hd_address *address);
int hd_codec_write_ipv6(hd_writer *writer, const hd_address *address); /* IPv4 goes out as ::ffff:a.b.c.d */

/* `ipv4Address` and `ipv6Address`: host and port. */
int hd_codec_read_ipv4_address(hd_reader *reader, hd_address *address);
int hd_codec_write_ipv4_address(hd_writer *writer, const hd_address *address);
int hd_codec_read_ipv6_address(hd_reader *reader, hd_address *address);
int hd_codec_write_ipv6_address(hd_writer *writer, const hd_address *address);

/* `ip` and `ipAddress`: family byte 4 means IPv4; any other value is read as IPv6, as the reference does. */
int hd_codec_read_ip(hd_reader *reader, hd_address *address);
int hd_codec_write_ip(hd_writer *writer, const hd_address *address);
int hd_codec_read_ip_address(hd_reader *reader, hd_address *address);
int hd_codec_write_ip_address(hd_writer *writer, const hd_address *address);

#endif
