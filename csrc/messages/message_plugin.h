/* The value of a PLUGIN request: a command of an extension that the application registered under a name (hyperdht,
 * `pluginRequest`).
 *
 * What was read lends the bytes under the reader. */
#ifndef HD_MESSAGE_PLUGIN_H
#define HD_MESSAGE_PLUGIN_H

#include "base/bytes.h"

typedef struct hd_messages_plugin_request {
  hd_bytes plugin; /* its name, meant to be UTF-8; not checked */
  uint64_t version;
  uint64_t command;
  bool has_value; /* an empty value and none are different things */
  hd_bytes value;
} hd_messages_plugin_request;

/* Errors: HDHT_ERR_TRUNCATED; HDHT_ERR_MALFORMED for an integer above 2^53 - 1. */
int hd_messages_read_plugin_request(hd_reader *reader, hd_messages_plugin_request *request);

/* Errors: HDHT_ERR_BUFFER_TOO_SMALL; HDHT_ERR_INVALID_ARGUMENT for an integer above 2^53 - 1. */
int hd_messages_write_plugin_request(hd_writer *writer, const hd_messages_plugin_request *request);
int hd_messages_plugin_request_size(const hd_messages_plugin_request *request, size_t *size);

#endif
