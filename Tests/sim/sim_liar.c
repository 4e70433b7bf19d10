#include "sim_liar.h"

#include <stdlib.h>

#include "messages/message_node_id.h"
#include "messages/message_rpc.h"

#define NAMED_COUNT HD_MESSAGES_CLOSER_NODES_MAX

static void draw_named(const sim_liars *liars, hd_random *random, hd_address named[NAMED_COUNT]) {
  for (size_t i = 0; i < NAMED_COUNT; i++) {
    const uint32_t nowhere = (uint32_t)hd_random_next(random);
    named[i] = i % 2 == 0 ? liars->addresses[hd_random_below(random, liars->count)]
                          : hd_address_ipv4((uint8_t)(90 + nowhere % 30), (uint8_t)(nowhere >> 8),
                                            (uint8_t)(nowhere >> 16), (uint8_t)(1 + nowhere % 250), 4000);
  }
}

bool sim_liar_answer(const sim_liars *liars, sim_host *host, hd_random *random, const hd_datagram *datagram) {
  hd_reader reader = hd_reader_of(datagram->bytes);
  hd_messages_request request;
  if (hd_messages_read_request(&reader, &request) != HDHT_OK) return false;

  const hd_address own = sim_host_address(host, datagram->socket);
  uint8_t id[HDHT_NODE_ID_SIZE];
  hd_messages_node_id(&own, id);
  static const uint8_t token[HDHT_TOKEN_SIZE] = {7};
  hd_address named[NAMED_COUNT];
  draw_named(liars, random, named);
  const hd_messages_response response = {
      .tid = request.tid,
      .to = datagram->from,
      .id = id,
      .token = request.is_internal ? NULL : token,
      .closer_nodes = {.array = named, .count = request.target != NULL ? NAMED_COUNT : 0},
  };
  uint8_t bytes[HD_MESSAGES_RPC_SIZE_MAX];
  hd_writer writer = hd_writer_of(bytes, sizeof bytes);
  if (hd_messages_write_response(&writer, &response) != HDHT_OK) abort();
  const hd_bytes part = hd_bytes_of(bytes, (size_t)(writer.next - bytes));
  sim_host_send(host, &(hd_datagram_out){.socket = datagram->socket,
                                         .to = datagram->from,
                                         .segments_count = 1,
                                         .parts_count = 1,
                                         .size = (uint32_t)part.size,
                                         .parts = &part});
  return true;
}
