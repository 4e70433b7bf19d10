/* What fuzz targets of message codecs share: the comparison of fields, and the round that every message must survive.
 */
#ifndef HD_FUZZ_MESSAGE_H
#define HD_FUZZ_MESSAGE_H

#include <hdht/peer.h>

#include "base/address.h"
#include "base/bytes.h"
#include "fuzz_input.h"

/* Fields of a fixed size that may be absent. */
static inline void fuzz_same_fixed(const uint8_t *a, const uint8_t *b, size_t size) {
  FUZZ_CHECK((a == NULL) == (b == NULL));
  FUZZ_CHECK(a == NULL || memcmp(a, b, size) == 0);
}

static inline void fuzz_same_addresses(hdht_address_list a, hdht_address_list b) {
  FUZZ_CHECK(a.count == b.count);
  hdht_address left, right;
  while (hdht_address_list_next(&a, &left)) {
    FUZZ_CHECK(hdht_address_list_next(&b, &right) == 1);
    FUZZ_CHECK(hd_address_equal(&left, &right));
  }
  FUZZ_CHECK(a.count == 0 && b.count == 0);
}

static inline void fuzz_same_peer(const hdht_peer *a, const hdht_peer *b) {
  fuzz_same_fixed(a->public_key, b->public_key, HDHT_PUBLIC_KEY_SIZE);
  fuzz_same_addresses(a->relay_addresses, b->relay_addresses);
}

/* The same list as an array of the caller's, in memory to be freed. */
static inline hdht_address *fuzz_address_array(hdht_address_list list, hdht_address_list *as_array) {
  hdht_address *addresses = malloc((list.count + 1) * sizeof *addresses);
  FUZZ_CHECK(addresses != NULL);
  *as_array = (hdht_address_list){.array = addresses, .count = list.count};
  for (size_t i = 0; i < as_array->count; i++) FUZZ_CHECK(hdht_address_list_next(&list, &addresses[i]) == 1);
  return addresses;
}

/* Defines `static void fuzz_round_NAME(const TYPE *message, size_t size_limit)`: writes the message into exactly as
 * many bytes as it announces, never more than the limit, refuses one byte less, reads it back and compares with
 * `fuzz_same_NAME`. */
#define FUZZ_ROUND(type, name)                                                           \
  static void fuzz_round_##name(const type *message, size_t size_limit) {                \
    size_t size = 0;                                                                     \
    FUZZ_CHECK(hd_messages_##name##_size(message, &size) == HDHT_OK);                    \
    FUZZ_CHECK(size > 0 && size <= size_limit);                                          \
    uint8_t *bytes = malloc(size); /* exact, so that a sanitizer sees a write past it */ \
    FUZZ_CHECK(bytes != NULL);                                                           \
    hd_writer writer = hd_writer_of(bytes, size - 1);                                    \
    FUZZ_CHECK(hd_messages_write_##name(&writer, message) == HDHT_ERR_BUFFER_TOO_SMALL); \
    FUZZ_CHECK(writer.next == bytes);                                                    \
    writer = hd_writer_of(bytes, size);                                                  \
    FUZZ_CHECK(hd_messages_write_##name(&writer, message) == HDHT_OK);                   \
    FUZZ_CHECK(writer.next == bytes + size);                                             \
    type again;                                                                          \
    hd_reader reader = hd_reader_of(hd_bytes_of(bytes, size));                           \
    FUZZ_CHECK(hd_messages_read_##name(&reader, &again) == HDHT_OK);                     \
    FUZZ_CHECK(hd_reader_remaining(&reader) == 0);                                       \
    fuzz_same_##name(message, &again);                                                   \
    free(bytes);                                                                         \
  }

#endif
