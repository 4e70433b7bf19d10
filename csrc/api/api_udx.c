/* Endpoints: a stream core and a driver, and what passes between them. */
#include "api/api_udx.h"

#include <hdht/error.h>
#include <string.h>

#include "api/api_loop.h"
#include "api/api_options.h"
#include "crypto/secret.h"

/* ---- the core, as the driver sees it --------------------------------------------------------------------------- */

static void receive(void *context, hd_time now, const hd_datagram *datagram) {
  hdht_udx *udx = context;
  hd_datagram segment;
  for (size_t offset = 0; hd_datagram_next_segment(datagram, &offset, &segment);) {
    if (hd_udx_receive(udx->core, now, &segment) == HD_UDX_NOT_MINE) hd_api_socket_receive(udx, &segment);
  }
}

static void elapse(void *context, hd_time now) {
  hd_udx_elapse(((hdht_udx *)context)->core, now);
}

static void settle(void *context, hd_time now) {
  hd_udx_settle(((hdht_udx *)context)->core, now);
}

static size_t next_sends(void *context, hd_time now, hd_datagram_out *outs, size_t outs_capacity) {
  hdht_udx *udx = context;
  hd_api_streams_flush(udx);
  return hd_udx_next_sends(udx->core, now, outs, outs_capacity);
}

static void send_result(void *context, hd_time now, const hd_datagram_out *out, uint32_t segments_sent, int error) {
  hd_udx_send_result(((hdht_udx *)context)->core, now, out, segments_sent, error);
}

static void socket_writable(void *context, hd_time now, hd_socket_id socket) {
  (void)now;
  hdht_udx *udx = context;
  hd_udx_socket_writable(udx->core, socket);
  hd_api_socket_writable(udx, socket);
}

/* Asked when everything was sent; so a closing endpoint whose streams have said their farewell can go now. */
static hd_time deadline(void *context) {
  hdht_udx *udx = context;
  if (udx->is_closing && hd_udx_streams_count(udx->core) == 0) hd_uv_driver_close(udx->driver);
  return hd_udx_deadline(udx->core);
}

static void socket_closed(void *context, hd_socket_id socket, void *socket_context) {
  (void)context;
  (void)socket;
  hd_api_socket_closed(socket_context);
}

static void release(hdht_udx *udx);

static void closed(void *context) {
  hdht_udx *udx = context;
  const hdht_udx_callbacks callbacks = udx->callbacks;
  void *user_data = udx->user_data;
  hdht_loop *loop = udx->loop;
  release(udx);
  if (callbacks.on_closed != NULL) callbacks.on_closed(user_data);
  hd_api_loop_leave(loop);
}

static const hd_uv_core core_functions = {
    .receive = receive,
    .elapse = elapse,
    .settle = settle,
    .next_sends = next_sends,
    .send_result = send_result,
    .socket_writable = socket_writable,
    .deadline = deadline,
    .socket_closed = socket_closed,
    .closed = closed,
};

/* ---- life ------------------------------------------------------------------------------------------------------ */

void hdht_udx_options_init(hdht_udx_options *options, size_t struct_size) {
  const hdht_udx_options defaults = {.struct_size = sizeof defaults};
  hd_api_init_struct(options, struct_size, &defaults, sizeof defaults);
}

static void release(hdht_udx *udx) {
  if (udx->core != NULL) hd_udx_destroy(udx->core);
  hd_entropy_destroy(&udx->entropy);
  hd_release(udx->allocator, udx, sizeof *udx);
}

static int seed_entropy(hd_entropy *entropy) {
  uint8_t seed[HD_ENTROPY_SEED_SIZE];
  const int result = hd_entropy_from_system(seed, sizeof seed);
  if (result == HDHT_OK) hd_entropy_init(entropy, seed);
  hd_secret_wipe(seed, sizeof seed);
  return result;
}

/* Everything but the loop, which is entered last because only a driver leaves it. */
static int start(hdht_udx *udx, const hdht_udx_options *options) {
  int result = seed_entropy(&udx->entropy);
  if (result != HDHT_OK) return result;
  const hd_udx_options core_options = {
      .allocator = udx->allocator,
      .seed = {hd_entropy_u64(&udx->entropy), hd_entropy_u64(&udx->entropy)},
      .streams_limit = options->streams_limit,
      .buffered_limit = options->buffered_limit,
  };
  result = hd_udx_create(&core_options, &udx->core);
  if (result != HDHT_OK) return result;
  return hd_uv_driver_create(hdht_loop_uv_loop(udx->loop), udx->allocator, hd_uv_send_messages, &core_functions, udx,
                             &udx->driver);
}

int hdht_udx_create(hdht_loop *loop, const hdht_udx_options *options, const hdht_udx_callbacks *callbacks,
                    void *user_data, hdht_udx **udx) {
  hdht_udx_options known = {0};
  hdht_udx_callbacks known_callbacks = {0};
  if (loop == NULL || udx == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  if (options != NULL && hd_api_read_struct(&known, sizeof known, options) != HDHT_OK) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  if (callbacks != NULL && hd_api_read_struct(&known_callbacks, sizeof known_callbacks, callbacks) != HDHT_OK) {
    return HDHT_ERR_INVALID_ARGUMENT;
  }
  int result = hd_api_loop_enter(loop);
  if (result != HDHT_OK) return result;
  const hd_allocator *allocator = hd_allocator_or_system(known.allocator);
  hdht_udx *created = hd_allocate_zeroed(allocator, sizeof *created);
  if (created == NULL) {
    hd_api_loop_leave(loop);
    return HDHT_ERR_OUT_OF_MEMORY;
  }
  created->allocator = allocator;
  created->callbacks = known_callbacks;
  created->user_data = user_data;
  created->loop = loop;
  hd_list_init(&created->streams);
  hd_list_init(&created->flushing);
  result = start(created, &known);
  if (result != HDHT_OK) {
    release(created);
    hd_api_loop_leave(loop);
    return result;
  }
  *udx = created;
  return HDHT_OK;
}

void hdht_udx_close(hdht_udx *udx) {
  if (udx == NULL || udx->is_closing) return;
  udx->is_closing = true;
  HD_LIST_EACH(link, &udx->streams) {
    hdht_stream_destroy(HD_CONTAINER_OF(link, hdht_stream, link));
  }
  hd_uv_driver_touch(udx->driver);
}

/* ---- looking --------------------------------------------------------------------------------------------------- */

/* A fresh random id is free but for a chance of streams in 2^32; trying costs nothing. */
uint32_t hdht_udx_unused_id(hdht_udx *udx) {
  uint32_t id;
  do {
    id = hd_entropy_u32(&udx->entropy);
  } while (id == 0 || hd_udx_has_id(udx->core, id));
  return id;
}

void hdht_udx_get_stats(const hdht_udx *udx, hdht_udx_stats *stats, size_t struct_size) {
  hd_udx_stats core;
  hd_udx_get_stats(udx->core, &core);
  const hdht_udx_stats known = {
      .struct_size = sizeof known,
      .packets_received = core.packets_received,
      .bytes_received = core.bytes_received,
      .packets_sent = core.packets_sent,
      .bytes_sent = core.bytes_sent,
      .packets_relayed = core.packets_relayed,
      .relay_drops = core.relay_drops,
      .ghost_answers = core.ghost_answers,
      .buffered_bytes = core.buffered_bytes,
      .streams_count = hd_udx_streams_count(udx->core),
  };
  hd_api_init_struct(stats, struct_size, &known, sizeof known);
}
