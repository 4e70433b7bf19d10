#include "driver_uv/uv_sockets.h"

#include <hdht/error.h>

#include "base/assertion.h"

void hd_uv_sockets_init(hd_uv_sockets *sockets, uv_loop_t *loop, const hd_allocator *allocator,
                        const hd_uv_sockets_handler *handler, void *context) {
  *sockets = (hd_uv_sockets){.allocator = allocator, .loop = loop, .handler = handler, .context = context};
  hd_list_init(&sockets->held);
  /* We count the ids up ourselves, so nobody can choose collisions and the seed does not matter. */
  const uint64_t seed[2] = {0};
  hd_hash_map_init(&sockets->by_id, allocator, sizeof(hd_socket_id), sizeof(hd_uv_polled *), 0, seed);
}

void hd_uv_sockets_destroy(hd_uv_sockets *sockets) {
  hd_assert(sockets->handles_count == 0);
  hd_hash_map_destroy(&sockets->by_id);
}

/* ---- polling --------------------------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void poll_again(hd_uv_polled *polled) {
  const int events = (polled->is_held ? 0 : UV_READABLE) | (polled->is_full ? UV_WRITABLE : 0);
  uv_poll_start(&polled->poll, events, on_poll);
}

void hd_uv_polled_set_full(hd_uv_polled *polled, bool is_full) {
  if (polled->is_full == is_full || polled->is_closing) return;
  polled->is_full = is_full;
  poll_again(polled);
}

void hd_uv_polled_set_held(hd_uv_polled *polled, bool is_held) {
  if (polled->is_held == is_held || polled->is_closing) return;
  polled->is_held = is_held;
  hd_list_remove(&polled->held_link);
  if (is_held) hd_list_push_back(&polled->sockets->held, &polled->held_link);
  poll_again(polled);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  hd_uv_polled *polled = poll->data;
  const hd_uv_sockets *sockets = polled->sockets;
  if (status < 0) {
    /* libuv stopped polling because the socket has an error; over UDP that is about some earlier datagram. */
    hd_uv_socket_clear_error(&polled->socket);
    poll_again(polled);
    events = UV_READABLE;
  }
  if ((events & UV_WRITABLE) != 0 && polled->is_full) {
    hd_uv_polled_set_full(polled, false);
    sockets->handler->on_writable(sockets->context, polled);
  }
  if ((events & UV_READABLE) != 0 && !polled->is_closing) sockets->handler->on_readable(sockets->context, polled);
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

hd_uv_polled *hd_uv_sockets_find(const hd_uv_sockets *sockets, hd_socket_id id) {
  hd_uv_polled **polled = hd_hash_map_find(&sockets->by_id, &id);
  return polled != NULL ? *polled : NULL;
}

static hd_socket_id unused_id(hd_uv_sockets *sockets) {
  do {
    sockets->last_id++;
  } while (sockets->last_id == HD_SOCKET_NONE || hd_uv_sockets_find(sockets, sockets->last_id) != NULL);
  return sockets->last_id;
}

static int start_polling(hd_uv_sockets *sockets, hd_uv_polled *polled) {
  if (uv_poll_init(sockets->loop, &polled->poll, polled->socket.descriptor) != 0) return HDHT_ERR_NETWORK;
  polled->poll.data = polled;
  sockets->handles_count++;
  poll_again(polled);
  return HDHT_OK;
}

static int add(hd_uv_sockets *sockets, hd_uv_polled *polled) {
  polled->id = unused_id(sockets);
  void *entry;
  int result = hd_hash_map_insert(&sockets->by_id, &polled->id, &entry, NULL);
  if (result != HDHT_OK) return result;
  *(hd_uv_polled **)entry = polled;
  result = start_polling(sockets, polled);
  if (result != HDHT_OK) hd_hash_map_remove(&sockets->by_id, &polled->id);
  return result;
}

int hd_uv_sockets_open(hd_uv_sockets *sockets, const hd_uv_socket_options *options, void *context, hd_socket_id *id) {
  hd_uv_polled *polled = hd_allocate(sockets->allocator, sizeof *polled);
  if (polled == NULL) return HDHT_ERR_OUT_OF_MEMORY;
  *polled = (hd_uv_polled){.sockets = sockets, .context = context};
  hd_list_init(&polled->held_link);

  int result = hd_uv_socket_open(options, &polled->socket);
  if (result == HDHT_OK) {
    result = add(sockets, polled);
    if (result != HDHT_OK) hd_uv_socket_close(&polled->socket);
  }
  if (result != HDHT_OK) {
    hd_release(sockets->allocator, polled, sizeof *polled);
    return result;
  }
  *id = polled->id;
  return HDHT_OK;
}

/* ---- closing --------------------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle) {
  hd_uv_polled *polled = handle->data;
  hd_uv_sockets *sockets = polled->sockets;
  const hd_socket_id id = polled->id;
  void *context = polled->context;
  hd_release(sockets->allocator, polled, sizeof *polled);
  sockets->handles_count--;
  sockets->handler->on_closed(sockets->context, id, context);
}

static void close_handle(hd_uv_polled *polled) {
  polled->is_closing = true;
  hd_list_remove(&polled->held_link);
  uv_close((uv_handle_t *)&polled->poll, on_handle_closed);
  hd_uv_socket_close(&polled->socket); /* libuv no longer looks at it */
}

void hd_uv_sockets_close(hd_uv_sockets *sockets, hd_uv_polled *polled) {
  hd_hash_map_remove(&sockets->by_id, &polled->id);
  close_handle(polled);
}

void hd_uv_sockets_close_all(hd_uv_sockets *sockets) {
  const void *id;
  void *polled;
  for (size_t position = 0; hd_hash_map_next(&sockets->by_id, &position, &id, &polled);) {
    close_handle(*(hd_uv_polled **)polled);
  }
  hd_hash_map_clear(&sockets->by_id);
}
