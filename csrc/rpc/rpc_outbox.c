#include "rpc/rpc_outbox.h"

#include "base/assertion.h"

void hd_rpc_outbox_init(hd_rpc_outbox *outbox, const hd_allocator *allocator) {
  *outbox = (hd_rpc_outbox){.allocator = allocator};
}

void hd_rpc_outbox_destroy(hd_rpc_outbox *outbox) {
  hd_release(outbox->allocator, outbox->datagrams, outbox->datagrams_capacity * sizeof *outbox->datagrams);
  hd_release(outbox->allocator, outbox->bytes, outbox->bytes_capacity);
  hd_rpc_outbox_init(outbox, outbox->allocator);
}

/* The next capacity in powers of two from `least` on. */
static size_t grown(size_t least, size_t needed) {
  while (least < needed) least *= 2;
  return least;
}

static int grow_datagrams(hd_rpc_outbox *outbox) {
  if (outbox->datagrams_count < outbox->datagrams_capacity) return HDHT_OK;
  if (outbox->datagrams_count == HD_RPC_OUTBOX_DATAGRAMS_LIMIT) return HDHT_ERR_LIMIT;
  const size_t capacity = grown(16, outbox->datagrams_count + 1);
  hd_rpc_outgoing *datagrams = hd_allocate_array(outbox->allocator, capacity, sizeof *datagrams);
  if (datagrams == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  if (outbox->datagrams_count > 0) memcpy(datagrams, outbox->datagrams, outbox->datagrams_count * sizeof *datagrams);
  hd_release(outbox->allocator, outbox->datagrams, outbox->datagrams_capacity * sizeof *outbox->datagrams);
  outbox->datagrams = datagrams;
  outbox->datagrams_capacity = (uint32_t)capacity;
  return HDHT_OK;
}

static int grow_bytes(hd_rpc_outbox *outbox, size_t size) {
  const size_t needed = outbox->bytes_count + size;
  if (needed <= outbox->bytes_capacity) return HDHT_OK;
  if (needed > HD_RPC_OUTBOX_BYTES_LIMIT) return HDHT_ERR_LIMIT;
  const size_t capacity = grown(2048, needed);
  uint8_t *bytes = hd_allocate(outbox->allocator, capacity);
  if (bytes == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  if (outbox->bytes_count > 0) memcpy(bytes, outbox->bytes, outbox->bytes_count);
  hd_release(outbox->allocator, outbox->bytes, outbox->bytes_capacity);
  outbox->bytes = bytes;
  outbox->bytes_capacity = capacity;
  return HDHT_OK;
}

int hd_rpc_outbox_open(hd_rpc_outbox *outbox, size_t size, hd_writer *writer) {
  if (outbox->taken == outbox->datagrams_count) hd_rpc_outbox_clear(outbox);
  int error = grow_datagrams(outbox);
  if (error == HDHT_OK) error = grow_bytes(outbox, size);
  if (error != HDHT_OK) return error;
  *writer = hd_writer_of(outbox->bytes + outbox->bytes_count, size);
  return HDHT_OK;
}

void hd_rpc_outbox_add(hd_rpc_outbox *outbox, const hd_writer *writer, hd_socket_id socket, const hd_address *to,
                       uint8_t ttl) {
  const size_t size = (size_t)(writer->next - (outbox->bytes + outbox->bytes_count));
  hd_assert(size > 0);
  hd_assert(outbox->bytes_count + size <= outbox->bytes_capacity);
  outbox->datagrams[outbox->datagrams_count++] = (hd_rpc_outgoing){
      .socket = socket, .to = *to, .ttl = ttl, .offset = (uint32_t)outbox->bytes_count, .size = (uint32_t)size};
  outbox->bytes_count += size;
}

size_t hd_rpc_outbox_take(hd_rpc_outbox *outbox, hd_datagram_out *outs, size_t outs_capacity) {
  size_t count = 0;
  while (count < outs_capacity && outbox->taken < outbox->datagrams_count) {
    hd_rpc_outgoing *datagram = &outbox->datagrams[outbox->taken++];
    datagram->part = hd_bytes_of(outbox->bytes + datagram->offset, datagram->size);
    outs[count++] = (hd_datagram_out){.socket = datagram->socket,
                                      .to = datagram->to,
                                      .ttl = datagram->ttl,
                                      .may_fragment = datagram->size > 1200,
                                      .segments_count = 1,
                                      .parts_count = 1,
                                      .size = datagram->size,
                                      .parts = &datagram->part,
                                      .origin = {.layer = HD_LAYER_RPC}};
  }
  return count;
}

void hd_rpc_outbox_clear(hd_rpc_outbox *outbox) {
  outbox->datagrams_count = outbox->taken = 0;
  outbox->bytes_count = 0;
}
