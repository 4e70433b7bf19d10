/* Whatever decodes must encode to the same text again (z-base-32) or to its lower case (hexadecimal); whatever is
 * encoded must decode to the same bytes; a rejected text leaves the output alone. */
#include "base/text.h"

#include <ctype.h>
#include <hdht/error.h>

#include "fuzz_input.h"

#define SIZE_LIMIT 64

typedef int decoder(const char *text, size_t length, uint8_t *bytes, size_t size);
typedef void encoder(const uint8_t *bytes, size_t size, char *text);

static void check_text(decoder *decode, encoder *encode, const char *text, size_t length, size_t size) {
  uint8_t bytes[SIZE_LIMIT], untouched[SIZE_LIMIT];
  memset(bytes, 0xee, sizeof bytes);
  memset(untouched, 0xee, sizeof untouched);
  const int error = decode(text, length, bytes, size);
  if (error != HDHT_OK) {
    FUZZ_CHECK(error == HDHT_ERR_MALFORMED);
    FUZZ_CHECK(memcmp(bytes, untouched, sizeof bytes) == 0);
    return;
  }
  FUZZ_CHECK(memcmp(bytes + size, untouched, sizeof bytes - size) == 0);

  char again[HD_TEXT_HEX_LENGTH(SIZE_LIMIT) + 1];
  encode(bytes, size, again);
  FUZZ_CHECK(strlen(again) == length);
  for (size_t i = 0; i < length; i++) {
    const char expected = decode == hd_text_hex_decode ? (char)tolower((unsigned char)text[i]) : text[i];
    FUZZ_CHECK(again[i] == expected);
  }
}

static void check_bytes(decoder *decode, encoder *encode, const uint8_t *bytes, size_t size) {
  char text[HD_TEXT_HEX_LENGTH(SIZE_LIMIT) + 1];
  encode(bytes, size, text);
  uint8_t decoded[SIZE_LIMIT];
  FUZZ_CHECK(decode(text, strlen(text), decoded, size) == HDHT_OK);
  FUZZ_CHECK(size == 0 || memcmp(bytes, decoded, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const size_t decoded_size = data[0] % (SIZE_LIMIT + 1);
  const char *text = (const char *)data + 1;
  check_text(hd_text_hex_decode, hd_text_hex_encode, text, size - 1, decoded_size);
  check_text(hd_text_z32_decode, hd_text_z32_encode, text, size - 1, decoded_size);

  const size_t bytes_size = size - 1 < SIZE_LIMIT ? size - 1 : SIZE_LIMIT;
  check_bytes(hd_text_hex_decode, hd_text_hex_encode, data + 1, bytes_size);
  check_bytes(hd_text_z32_decode, hd_text_z32_encode, data + 1, bytes_size);
  return 0;
}
