#include "base/text.h"

#include <hdht/error.h>
#include <string.h>

#include "base/random.h"
#include "test.h"

TEST(hex_is_written_in_lower_case_and_ends_with_nul) {
  const uint8_t bytes[] = {0x00, 0x09, 0x0a, 0xf0, 0xff};
  char text[HD_TEXT_HEX_LENGTH(sizeof bytes) + 2];
  memset(text, '#', sizeof text);
  hd_text_hex_encode(bytes, sizeof bytes, text);
  CHECK_TEXT("00090af0ff", text);
  CHECK(text[sizeof text - 1] == '#');
}

TEST(hex_of_nothing_is_the_empty_text) {
  char text[1] = {'#'};
  hd_text_hex_encode(NULL, 0, text);
  CHECK_TEXT("", text);
  CHECK_INT(HDHT_OK, hd_text_hex_decode("", 0, NULL, 0));
}

TEST(hex_is_read_in_either_case_and_needs_no_nul) {
  const uint8_t expected[] = {0xab, 0xcd, 0xef, 0x09};
  const char text[] = {'a', 'B', 'C', 'd', 'e', 'F', '0', '9'};
  uint8_t bytes[4];
  CHECK_INT(HDHT_OK, hd_text_hex_decode(text, sizeof text, bytes, sizeof bytes));
  CHECK_BYTES(expected, bytes, sizeof expected);
}

TEST(hex_rejects_every_character_that_is_no_digit) {
  for (int character = 0; character < 256; character++) {
    const char text[2] = {'0', (char)character};
    uint8_t byte = 0xee;
    const bool is_digit = (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
                          (character >= 'A' && character <= 'F');
    CHECK_INT(is_digit ? HDHT_OK : HDHT_ERR_MALFORMED, hd_text_hex_decode(text, 2, &byte, 1));
    if (!is_digit) CHECK_UINT(0xee, byte);
  }
}

TEST(hex_rejects_any_other_length) {
  uint8_t bytes[2] = {0xee, 0xee};
  for (size_t length = 0; length <= 6; length++) {
    CHECK_INT(length == 4 ? HDHT_OK : HDHT_ERR_MALFORMED, hd_text_hex_decode("000000", length, bytes, 2));
  }
}

TEST(hex_leaves_the_output_alone_when_the_last_character_is_wrong) {
  uint8_t bytes[3] = {0xee, 0xee, 0xee};
  const uint8_t untouched[3] = {0xee, 0xee, 0xee};
  CHECK_INT(HDHT_ERR_MALFORMED, hd_text_hex_decode("00000g", 6, bytes, 3));
  CHECK_BYTES(untouched, bytes, 3);
}

static void check_z32(const char *plain, const char *expected) {
  char text[128];
  uint8_t bytes[64];
  const size_t size = strlen(plain);
  hd_text_z32_encode((const uint8_t *)plain, size, text);
  CHECK_TEXT(expected, text);
  CHECK_UINT(HD_TEXT_Z32_LENGTH(size), strlen(text));
  CHECK_INT(HDHT_OK, hd_text_z32_decode(expected, strlen(expected), bytes, size));
  CHECK_BYTES(plain, bytes, size);
}

/* The examples of the `z32` package. */
TEST(z32_matches_the_reference) {
  check_z32("Example z-base-32", "eihgn5mopt11y6tpcjozg3jpgc3y");
  check_z32("The quick brown fox jumps over the lazy dog. 👀",
            "ktwgkedtqiwsg43ycj3g675qrbug66bypj4s4hdurbzzc3m1rb4go3jyptozw6jyctzsqmty6nx3dyy");
}

TEST(z32_of_a_key_has_52_characters) {
  uint8_t key[32];
  char text[HD_TEXT_Z32_LENGTH(sizeof key) + 2];
  memset(key, 0xff, sizeof key);
  memset(text, '#', sizeof text);
  hd_text_z32_encode(key, sizeof key, text);
  CHECK_TEXT("999999999999999999999999999999999999999999999999999o", text);
  CHECK(text[sizeof text - 1] == '#');
  CHECK_UINT(52, strlen(text));
}

TEST(z32_returns_the_bytes_it_was_given_for_every_size) {
  hd_random random = hd_random_from_seed(32);
  for (size_t size = 0; size <= 64; size++) {
    uint8_t bytes[65], decoded[65];
    char text[HD_TEXT_Z32_LENGTH(64) + 1];
    hd_random_fill(&random, bytes, size);
    memset(decoded, 0xee, sizeof decoded);
    hd_text_z32_encode(bytes, size, text);
    CHECK_UINT(HD_TEXT_Z32_LENGTH(size), strlen(text));
    CHECK_INT(HDHT_OK, hd_text_z32_decode(text, strlen(text), decoded, size));
    CHECK_BYTES(bytes, decoded, size);
    CHECK_UINT(0xee, decoded[size]);
  }
}

TEST(z32_rejects_every_character_outside_its_alphabet) {
  for (int character = 0; character < 256; character++) {
    const char text[8] = {'y', 'y', 'y', (char)character, 'y', 'y', 'y', 'y'};
    uint8_t bytes[5];
    const bool is_digit = character != 0 && strchr("ybndrfg8ejkmcpqxot1uwisza345h769", character) != NULL;
    CHECK_INT(is_digit ? HDHT_OK : HDHT_ERR_MALFORMED, hd_text_z32_decode(text, sizeof text, bytes, sizeof bytes));
  }
}

TEST(z32_rejects_any_other_length) {
  const char *text = "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
  uint8_t key[32];
  for (size_t length = 0; length <= 60; length++) {
    CHECK_INT(length == 52 ? HDHT_OK : HDHT_ERR_MALFORMED, hd_text_z32_decode(text, length, key, sizeof key));
  }
}

/* 32 bytes leave 4 bits of the last character unused: of its 32 values only 00000 and 10000 are valid. */
TEST(z32_rejects_bits_behind_the_last_byte) {
  const char alphabet[] = "ybndrfg8ejkmcpqxot1uwisza345h769";
  char text[53];
  memset(text, 'y', 52);
  for (int digit = 0; digit < 32; digit++) {
    uint8_t key[32], untouched[32];
    memset(key, 0xee, sizeof key);
    memset(untouched, 0xee, sizeof untouched);
    text[51] = alphabet[digit];
    const int expected = digit % 16 == 0 ? HDHT_OK : HDHT_ERR_MALFORMED;
    CHECK_INT(expected, hd_text_z32_decode(text, 52, key, sizeof key));
    if (expected != HDHT_OK) CHECK_BYTES(untouched, key, sizeof key);
  }
}
