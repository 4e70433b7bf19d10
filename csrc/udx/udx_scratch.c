#include "udx/udx_scratch.h"

#include "udx/udx.h"

#define SCRATCH_SIZE (HD_UDX_SCRATCH_PARTS * sizeof(hd_bytes) + HD_UDX_SCRATCH_BYTES)

_Static_assert(HD_UDX_SCRATCH_BYTES_SPARE >= HD_UDX_DATAGRAM_SIZE_MAX, "room for a copied packet");
_Static_assert(HD_UDX_SCRATCH_BYTES_SPARE >= HD_UDX_ACK_SIZE_MAX, "room for an acknowledgement");

int hd_udx_scratch_reserve(hd_udx_scratch *scratch, const hd_allocator *allocator) {
  if (scratch->parts != NULL) return HDHT_OK;
  hd_bytes *parts = hd_allocate(allocator, SCRATCH_SIZE);
  if (parts == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  *scratch = (hd_udx_scratch){.parts = parts, .bytes = (uint8_t *)(parts + HD_UDX_SCRATCH_PARTS)};
  return HDHT_OK;
}

void hd_udx_scratch_destroy(hd_udx_scratch *scratch, const hd_allocator *allocator) {
  hd_release(allocator, scratch->parts, SCRATCH_SIZE);
  *scratch = (hd_udx_scratch){0};
}

hd_datagram_out hd_udx_scratch_datagram(const hd_udx_scratch *scratch, const hd_bytes *parts, hd_socket_id socket,
                                        const hd_address *to, hd_udx_origin kind, uint32_t local_id) {
  const uint32_t parts_count = (uint32_t)(hd_udx_scratch_parts(scratch) - parts);
  uint32_t size = 0;
  for (uint32_t i = 0; i < parts_count; i++) size += (uint32_t)parts[i].size;
  return (hd_datagram_out){
      .socket = socket,
      .to = *to,
      .segments_count = 1,
      .parts_count = parts_count,
      .size = size,
      .parts = parts,
      .origin = {.layer = HD_LAYER_UDX, .kind = (uint8_t)kind, .stream = local_id},
  };
}
