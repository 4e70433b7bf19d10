#include "mux/mux_frame.h"

static int read_single(hd_mux_frame_reader *reader, hd_mux_message *message, bool *found);
static int read_item(hd_mux_frame_reader *reader, hd_mux_message *message, bool *found);
static int read_message(hd_reader *reader, uint64_t channel, hd_mux_message *message);

int hd_mux_frame_begin(hd_mux_frame_reader *reader, hd_bytes frame) {
  hd_mux_frame_reader attempt = {.rest = hd_reader_of(frame)};
  int error = hd_codec_read_uint(&attempt.rest, &attempt.channel);
  if (error != HDHT_OK) return error;

  if (attempt.channel == HD_MUX_CONTROL_CHANNEL) {
    hd_reader after_type = attempt.rest;
    uint64_t type;
    error = hd_codec_read_uint(&after_type, &type);
    if (error != HDHT_OK) return error;
    if (type == HD_MUX_BATCH) {
      attempt.is_batch = true;
      attempt.rest = after_type;
      error = hd_codec_read_uint(&attempt.rest, &attempt.channel);
      if (error != HDHT_OK) return error;
    }
  }
  *reader = attempt;
  return HDHT_OK;
}

int hd_mux_frame_next(hd_mux_frame_reader *reader, hd_mux_message *message, bool *found) {
  return reader->is_batch ? read_item(reader, message, found) : read_single(reader, message, found);
}

static int read_single(hd_mux_frame_reader *reader, hd_mux_message *message, bool *found) {
  if (reader->is_finished) {
    *found = false;
    return HDHT_OK;
  }
  const int error = read_message(&reader->rest, reader->channel, message);
  if (error != HDHT_OK) return error;
  reader->is_finished = true;
  *found = true;
  return HDHT_OK;
}

static int read_item(hd_mux_frame_reader *reader, hd_mux_message *message, bool *found) {
  while (hd_reader_remaining(&reader->rest) > 0) {
    hd_bytes item;
    int error = hd_codec_read_buffer(&reader->rest, &item);
    if (error != HDHT_OK) return error;

    if (item.size == 0) {
      error = hd_codec_read_uint(&reader->rest, &reader->channel);
      if (error != HDHT_OK) return error;
      continue;
    }
    hd_reader inside = hd_reader_of(item);
    hd_mux_message next;
    error = read_message(&inside, reader->channel, &next);
    if (error != HDHT_OK) return error;
    if (next.channel == HD_MUX_CONTROL_CHANNEL && next.type == HD_MUX_BATCH) return HDHT_ERR_MALFORMED;
    *message = next;
    *found = true;
    return HDHT_OK;
  }
  *found = false;
  return HDHT_OK;
}

static int read_message(hd_reader *reader, uint64_t channel, hd_mux_message *message) {
  uint64_t type;
  const int error = hd_codec_read_uint(reader, &type);
  if (error != HDHT_OK) return error;
  *message = (hd_mux_message){.channel = channel, .type = type, .body = hd_reader_take_rest(reader)};
  return HDHT_OK;
}

int hd_mux_read_open(hd_bytes body, hd_mux_open_body *open) {
  hd_reader reader = hd_reader_of(body);
  hd_mux_open_body read;
  int error = hd_codec_read_uint(&reader, &read.id);
  if (error == HDHT_OK) error = hd_codec_read_buffer(&reader, &read.protocol);
  if (error == HDHT_OK) error = hd_codec_read_buffer(&reader, &read.channel_id);
  if (error != HDHT_OK) return error;
  read.handshake = hd_reader_take_rest(&reader);
  *open = read;
  return HDHT_OK;
}

int hd_mux_read_id(hd_bytes body, uint64_t *id) {
  hd_reader reader = hd_reader_of(body);
  return hd_codec_read_uint(&reader, id);
}

size_t hd_mux_write_header(uint8_t header[HD_MUX_HEADER_SIZE_LIMIT], uint32_t channel, uint32_t type) {
  hd_writer writer = hd_writer_of(header, HD_MUX_HEADER_SIZE_LIMIT);
  (void)hd_codec_write_uint(&writer, channel); /* both fit: 5 bytes each at most */
  (void)hd_codec_write_uint(&writer, type);
  return (size_t)(writer.next - header);
}
