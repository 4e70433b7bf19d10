#include <hdht/error.h>

#include "api/api_options.h"
#include "api/api_udx.h"

void hdht_socket_options_init(hdht_socket_options *options, size_t struct_size) {
  const hdht_socket_options defaults = {.struct_size = sizeof defaults};
  hd_api_init_struct(options, struct_size, &defaults, sizeof defaults);
}

/* Errors: HDHT_ERR_INVALID_ARGUMENT. */
static int read_options(const hdht_socket_options *given, hd_uv_socket_options *options) {
  hdht_socket_options known = {0};
  if (given != NULL && hd_api_read_struct(&known, sizeof known, given) != HDHT_OK) return HDHT_ERR_INVALID_ARGUMENT;
  if (known.ports_count > UINT16_MAX || known.ttl > UINT8_MAX) return HDHT_ERR_INVALID_ARGUMENT;
  if (known.receive_buffer > INT32_MAX || known.send_buffer > INT32_MAX) return HDHT_ERR_INVALID_ARGUMENT;
  const uint32_t flags = HDHT_SOCKET_IPV6_ONLY | HDHT_SOCKET_SHARE_PORT | HDHT_SOCKET_PLAIN;
  if ((known.flags & ~flags) != 0) return HDHT_ERR_INVALID_ARGUMENT;
  *options = (hd_uv_socket_options){
      .address = known.address,
      .ports_count = (uint16_t)known.ports_count,
      .is_ipv6_only = (known.flags & HDHT_SOCKET_IPV6_ONLY) != 0,
      .may_share_port = (known.flags & HDHT_SOCKET_SHARE_PORT) != 0,
      .is_plain = (known.flags & HDHT_SOCKET_PLAIN) != 0,
      .ttl = (uint8_t)known.ttl,
      .receive_buffer = known.receive_buffer,
      .send_buffer = known.send_buffer,
  };
  return HDHT_OK;
}

int hdht_socket_create(hdht_udx *udx, const hdht_socket_options *options, const hdht_socket_callbacks *callbacks,
                       void *user_data, hdht_socket **socket) {
  hd_uv_socket_options known;
  hdht_socket_callbacks known_callbacks = {0};
  if (udx == NULL || socket == NULL || read_options(options, &known) != HDHT_OK) return HDHT_ERR_INVALID_ARGUMENT;
  if (callbacks != NULL && hd_api_read_struct(&known_callbacks, sizeof known_callbacks, callbacks) != HDHT_OK) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (udx->is_closing) return HDHT_ERR_CLOSED;
  hdht_socket *created = hd_allocate(udx->allocator, sizeof *created);
  if (created == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  *created = (hdht_socket){.udx = udx, .callbacks = known_callbacks, .user_data = user_data};
  const int result = hd_uv_driver_open_socket(udx->driver, &known, created, &created->id);
  if (result != HDHT_OK) {
    hd_release(udx->allocator, created, sizeof *created);
    return result;
  }
  *socket = created;
  return HDHT_OK;
}

void hdht_socket_close(hdht_socket *socket) {
  if (socket == NULL || socket->is_closing) return;
  socket->is_closing = true;
  hd_uv_driver_close_socket(socket->udx->driver, socket->id);
}

void hd_api_socket_closed(hdht_socket *socket) {
  const hdht_socket_callbacks callbacks = socket->callbacks;
  void *user_data = socket->user_data;
  hd_release(socket->udx->allocator, socket, sizeof *socket);
  if (callbacks.on_closed != NULL) callbacks.on_closed(user_data);
}

hdht_socket *hd_api_socket_of(const hdht_udx *udx, hd_socket_id id) {
  return hd_uv_driver_socket_context(udx->driver, id);
}

/* ---- datagrams ------------------------------------------------------------------------------------------------- */

void hd_api_socket_receive(hdht_udx *udx, const hd_datagram *datagram) {
  hdht_socket *socket = hd_api_socket_of(udx, datagram->socket);
  if (socket == NULL || socket->callbacks.on_datagram == NULL || datagram->is_truncated) return;
  socket->callbacks.on_datagram(socket->user_data, &datagram->from, datagram->bytes);
}

void hd_api_socket_writable(hdht_udx *udx, hd_socket_id id) {
  hdht_socket *socket = hd_api_socket_of(udx, id);
  if (socket == NULL || !socket->wants_writable) return;
  socket->wants_writable = false;
  if (socket->callbacks.on_writable != NULL) socket->callbacks.on_writable(socket->user_data);
}

int hdht_socket_send(hdht_socket *socket, const hdht_address *to, hdht_bytes bytes, uint32_t ttl) {
  if (socket == NULL || to == NULL || to->port == 0 || ttl > UINT8_MAX) return HDHT_ERR_INVALID_ARGUMENT;
  if (bytes.data == NULL && bytes.size > 0) return HDHT_ERR_INVALID_ARGUMENT;
  if (socket->is_closing) return HDHT_ERR_CLOSED;
  if (bytes.size > UINT16_MAX) return HDHT_ERR_TOO_LARGE;
  const hd_datagram_out out = {
      .socket = socket->id,
      .to = *to,
      .ttl = (uint8_t)ttl,
      .segments_count = 1,
      .parts_count = bytes.size > 0 ? 1 : 0,
      .size = (uint32_t)bytes.size,
      .parts = &bytes,
  };
  const int result = hd_uv_driver_send(socket->udx->driver, &out);
  if (result == HDHT_ERR_WOULD_BLOCK) socket->wants_writable = true;
  return result == HDHT_ERR_NOT_FOUND ? HDHT_ERR_CLOSED : result; /* closed with its endpoint */
}

/* ---- the socket itself ----------------------------------------------------------------------------------------- */

static hd_uv_socket *inner(const hdht_socket *socket) {
  return hd_uv_driver_socket(socket->udx->driver, socket->id);
}

int hdht_socket_get_address(const hdht_socket *socket, hdht_address *address) {
  const hd_uv_socket *found = inner(socket);
  return found != NULL ? hd_uv_socket_get_address(found, address) : HDHT_ERR_CLOSED;
}

int hdht_socket_set_ttl(hdht_socket *socket, uint32_t ttl) {
  if (ttl == 0 || ttl > UINT8_MAX) return HDHT_ERR_INVALID_ARGUMENT;
  hd_uv_socket *found = inner(socket);
  return found != NULL ? hd_uv_socket_set_ttl(found, (uint8_t)ttl) : HDHT_ERR_CLOSED;
}

size_t hdht_socket_streams_count(const hdht_socket *socket) {
  return hd_udx_socket_streams_count(socket->udx->core, socket->id);
}
