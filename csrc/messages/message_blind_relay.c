#include "messages/message_blind_relay.h"

#include "codec/compact_bitfield.h"
#include "messages/message_fields.h"

enum { IS_INITIATOR = 1 };

/* The reference declares seven flags in either message, which makes them one byte. */
#define FLAGS_COUNT 7

static uint64_t take_flags(hd_messages_input *input) {
  uint64_t flags = 0;
  const int error = hd_codec_read_bitfield(&input->reader, &flags);
  if (error != HDHT_OK) hd_messages_input_fail(input, error);
  return flags;
}

static void put_flags(hd_messages_output *output, unsigned flags) {
  uint8_t *space = hd_messages_put_space(output, 1);
  if (space == NULL) return;
  hd_writer writer = hd_writer_of(space, 1);
  (void)hd_codec_write_bitfield(&writer, FLAGS_COUNT, flags);
}

int hd_messages_read_pair(hd_reader *reader, hd_messages_pair *pair) {
  hd_messages_input input = hd_messages_input_of(reader);
  hd_messages_pair found = {.is_initiator = take_flags(&input) & IS_INITIATOR};
  found.token = hd_messages_take_fixed(&input, HDHT_TOKEN_SIZE);
  found.id = hd_messages_take_uint32(&input);
  found.seq = hd_messages_take_uint32(&input);

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *pair = found;
  return error;
}

static void put_pair(hd_messages_output *output, const hd_messages_pair *pair) {
  put_flags(output, pair->is_initiator ? IS_INITIATOR : 0U);
  hd_messages_put_required(output, pair->token, HDHT_TOKEN_SIZE);
  hd_messages_put_uint(output, pair->id);
  hd_messages_put_uint(output, pair->seq);
}
HD_MESSAGES_WRITER(pair)

int hd_messages_read_unpair(hd_reader *reader, hd_messages_unpair *unpair) {
  hd_messages_input input = hd_messages_input_of(reader);
  (void)take_flags(&input); /* none is defined */
  const hd_messages_unpair found = {.token = hd_messages_take_fixed(&input, HDHT_TOKEN_SIZE)};

  const int error = hd_messages_input_end(&input, reader);
  if (error == HDHT_OK) *unpair = found;
  return error;
}

static void put_unpair(hd_messages_output *output, const hd_messages_unpair *unpair) {
  put_flags(output, 0);
  hd_messages_put_required(output, unpair->token, HDHT_TOKEN_SIZE);
}
HD_MESSAGES_WRITER(unpair)
