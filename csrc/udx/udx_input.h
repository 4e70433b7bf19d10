/* One packet comes in. */
#ifndef HD_UDX_INPUT_H
#define HD_UDX_INPUT_H

#include "udx/udx_stream.h"

/* Takes a datagram that carries the id of `stream`. Callbacks are the last thing that happens. */
void hd_udx_input(hd_udx_stream *stream, hd_time now, const hd_datagram *datagram);

#endif
