#include "messages/message_plugin.h"

#include "messages/message_fields.h"

enum { HAS_VALUE = 1 };

int hd_messages_read_plugin_request(hd_reader *reader, hd_messages_plugin_request *request) {
  hd_messages_input input = hd_messages_input_of(reader);
  hd_messages_plugin_request found = {.plugin = hd_messages_take_buffer(&input)};
  found.version = hd_messages_take_uint(&input);
  found.command = hd_messages_take_uint(&input);
  found.has_value = hd_messages_take_uint(&input) & HAS_VALUE;
  if (found.has_value) found.value = hd_messages_take_buffer(&input);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *request = found;
  return error;
}

static void put_plugin_request(hd_messages_output *output, const hd_messages_plugin_request *request) {
  hd_messages_put_buffer(output, request->plugin);
  hd_messages_put_uint(output, request->version);
  hd_messages_put_uint(output, request->command);
  hd_messages_put_uint(output, request->has_value ? HAS_VALUE : 0U);
  if (request->has_value) hd_messages_put_buffer(output, request->value);
}
HD_MESSAGES_WRITER(plugin_request)
