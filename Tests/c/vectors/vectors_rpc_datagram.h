/* Checks shared by the vectors that hold whole dht-rpc datagrams. */
#ifndef HD_VECTORS_RPC_DATAGRAM_H
#define HD_VECTORS_RPC_DATAGRAM_H

#include "messages/message_rpc.h"
#include "vectors_values.h"

/* `fields` names the header fields as the reference decodes them ("tid", "to", "id", …). Checks that the datagram reads
 * as these fields, that they write as the datagram, that what was read writes as it too, that one byte less of room is
 * refused, and that no start of the datagram reads at all. */
void hd_vector_check_request(const hd_json *fields, const hd_json *hex);
void hd_vector_check_response(const hd_json *fields, const hd_json *hex);

#endif
