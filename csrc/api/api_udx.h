/* The handles of include/hdht/stream.h, as its three files share them: api_udx.c (the endpoint, and how it meets the
 * driver), api_socket.c, api_stream.c. */
#ifndef HD_API_UDX_H
#define HD_API_UDX_H

#include <hdht/stream.h>
#include <stdbool.h>

#include "api/api_copies.h"
#include "base/list.h"
#include "crypto/entropy.h"
#include "driver_uv/uv_driver.h"
#include "udx/udx.h"

struct hdht_udx {
  const hd_allocator *allocator;
  hdht_udx_callbacks callbacks;
  void *user_data;
  hdht_loop *loop;
  hd_uv_driver *driver;
  hd_udx *core;
  hd_entropy entropy;
  hd_list streams;  /* all that are not gone */
  hd_list flushing; /* streams with copied writes that wait */
  bool is_closing;
};

struct hdht_socket {
  hdht_udx *udx;
  hd_socket_id id;
  hdht_socket_callbacks callbacks;
  void *user_data;
  bool wants_writable; /* hdht_socket_send found it full */
  bool is_closing;
};

struct hdht_stream {
  hdht_udx *udx;
  hd_udx_stream *core;
  hdht_stream_callbacks callbacks;
  void *user_data;
  hd_list link;       /* in udx->streams */
  hd_list flush_link; /* in udx->flushing */
  hd_api_copies copies;
  bool is_full; /* on_drain is to be called */
  bool is_ended;
};

/* Gives the copied writes of all streams to the core. */
void hd_api_streams_flush(hdht_udx *udx);

/* The socket of an id that the driver gave; NULL when it is closed. */
hdht_socket *hd_api_socket_of(const hdht_udx *udx, hd_socket_id id);

/* What the driver tells about sockets. */
void hd_api_socket_receive(hdht_udx *udx, const hd_datagram *datagram);
void hd_api_socket_writable(hdht_udx *udx, hd_socket_id id);
void hd_api_socket_closed(hdht_socket *socket);

#endif
