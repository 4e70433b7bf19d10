#include "udx/udx_ghost.h"

bool hd_udx_ghost_receive(hd_udx_ghost *ghost, hd_time now, const hd_udx_header *header) {
  const uint8_t asking = HD_UDX_FLAG_DATA | HD_UDX_FLAG_END | HD_UDX_FLAG_HEARTBEAT;
  if (ghost->kind == HD_UDX_GHOST_SILENT) return false;
  if (ghost->kind == HD_UDX_GHOST_ACK && (header->flags & asking) == 0) return false;
  if ((header->flags & HD_UDX_FLAG_DESTROY) != 0) {
    ghost->kind = HD_UDX_GHOST_SILENT;
    ghost->sends_left = 0;
    ghost->send_at = HD_TIME_NEVER;
    return false;
  }
  if (!hd_time_is_due(ghost->answer_from, now)) return false;
  ghost->answer_from = hd_time_add(now, HD_UDX_GHOST_ANSWER_INTERVAL);
  return true;
}

void hd_udx_ghost_send(hd_udx_ghost *ghost, hd_time now, hd_udx_scratch *scratch, hd_datagram_out *out) {
  hd_udx_header header = ghost->header;
  header.flags = ghost->kind == HD_UDX_GHOST_DESTROY ? HD_UDX_FLAG_DESTROY : 0;
  if (ghost->sends_left > 0) ghost->sends_left--;
  ghost->send_at = ghost->sends_left > 0 ? hd_time_add(now, ghost->delay) : HD_TIME_NEVER;
  ghost->delay = hd_duration_times(ghost->delay, 5);

  const hd_bytes *parts = hd_udx_scratch_parts(scratch);
  hd_udx_packet_write_header(hd_udx_scratch_bytes(scratch), &header);
  hd_udx_scratch_add_bytes(scratch, HD_UDX_PACKET_HEADER_SIZE);
  *out = hd_udx_scratch_datagram(scratch, parts, ghost->socket, &ghost->remote, HD_UDX_ORIGIN_GHOST,
                                 ghost->entry.local_id);
}
