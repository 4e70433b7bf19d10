/* `bitfield(n)` of compact-encoding-bitfield: up to 64 flags, bit 0 the least significant of the first byte, laid out
 * like a `uint` of a fixed width class. A bitfield of at most 7 flags is one byte without a prefix. */
#ifndef HD_COMPACT_BITFIELD_H
#define HD_COMPACT_BITFIELD_H

#include "codec/compact_uint.h"

/* The width is taken from the wire, not from the number of flags, as the reference does.
 * Errors: HDHT_ERR_TRUNCATED. */
int hd_codec_read_bitfield(hd_reader *reader, uint64_t *bits);

/* `bits_count` is 1 to 64 and chooses the width; no bit at or above it may be set.
 * Errors: HDHT_ERR_BUFFER_TOO_SMALL. */
int hd_codec_write_bitfield(hd_writer *writer, unsigned bits_count, uint64_t bits);

#endif
