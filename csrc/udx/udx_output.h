/* Packets go out: which one next, and what is in it. */
#ifndef HD_UDX_OUTPUT_H
#define HD_UDX_OUTPUT_H

#include "udx/udx_stream.h"

/* Makes the next datagram or batch of the stream, whose socket is not full; there must be room in the scratch.
 *
 * Returns false when there is nothing to send now; the stream's deadline says when there might be. */
bool hd_udx_output(hd_udx_stream *stream, hd_time now, hd_datagram_out *out);

/* A packet that was made did not leave; see hd_udx_send_result.
 *
 * kind    of the datagram it was part of
 * packet  all its parts */
void hd_udx_output_unsent(hd_udx_stream *stream, hd_time now, hd_udx_origin kind, const hd_bytes *parts,
                          uint32_t parts_count, int error);

#endif
