#include "base/text.h"

#include <hdht/error.h>
#include <stdbool.h>

#define NO_DIGIT      (-1)
#define HEX_DIGIT_MAX 15
#define Z32_DIGIT_MAX 31

static const char hex_alphabet[] = "0123456789abcdef";
static const char z32_alphabet[] = "ybndrfg8ejkmcpqxot1uwisza345h769";

static int hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return NO_DIGIT;
}

/* Places in z32_alphabet, from '1' to 'z'; 0 for characters outside it (and for 'y', whose place is 0). */
static const int8_t z32_digits['z' - '1' + 1] = {
    ['b' - '1'] = 1,  ['n' - '1'] = 2,  ['d' - '1'] = 3,  ['r' - '1'] = 4,  ['f' - '1'] = 5,  ['g' - '1'] = 6,
    ['8' - '1'] = 7,  ['e' - '1'] = 8,  ['j' - '1'] = 9,  ['k' - '1'] = 10, ['m' - '1'] = 11, ['c' - '1'] = 12,
    ['p' - '1'] = 13, ['q' - '1'] = 14, ['x' - '1'] = 15, ['o' - '1'] = 16, ['t' - '1'] = 17, ['1' - '1'] = 18,
    ['u' - '1'] = 19, ['w' - '1'] = 20, ['i' - '1'] = 21, ['s' - '1'] = 22, ['z' - '1'] = 23, ['a' - '1'] = 24,
    ['3' - '1'] = 25, ['4' - '1'] = 26, ['5' - '1'] = 27, ['h' - '1'] = 28, ['7' - '1'] = 29, ['6' - '1'] = 30,
    ['9' - '1'] = 31,
};

static int z32_digit(char character) {
  if (character < '1' || character > 'z') return NO_DIGIT;
  const int digit = z32_digits[character - '1'];
  return digit > 0 || character == 'y' ? digit : NO_DIGIT;
}

void hd_text_hex_encode(const uint8_t *bytes, size_t size, char *text) {
  for (size_t i = 0; i < size; i++) {
    *text++ = hex_alphabet[bytes[i] >> 4];
    *text++ = hex_alphabet[bytes[i] & HEX_DIGIT_MAX];
  }
  *text = '\0';
}

int hd_text_hex_decode(const char *text, size_t length, uint8_t *bytes, size_t size) {
  if (length % 2 != 0 || length / 2 != size) return HDHT_ERR_MALFORMED;
  for (size_t i = 0; i < length; i++) {
    if (hex_digit(text[i]) == NO_DIGIT) return HDHT_ERR_MALFORMED;
  }
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
  return HDHT_OK;
}

void hd_text_z32_encode(const uint8_t *bytes, size_t size, char *text) {
  uint32_t bits = 0; /* the lowest bits_count of them are not written yet */
  unsigned bits_count = 0;
  for (size_t i = 0; i < size; i++) {
    bits = bits << 8 | bytes[i];
    for (bits_count += 8; bits_count >= 5; bits_count -= 5) {
      *text++ = z32_alphabet[bits >> (bits_count - 5) & Z32_DIGIT_MAX];
    }
  }
  if (bits_count > 0) *text++ = z32_alphabet[bits << (5 - bits_count) & Z32_DIGIT_MAX];
  *text = '\0';
}

/* Whether all characters are of the alphabet and the bits of the last one that belong to no byte are zero. */
static bool is_z32(const char *text, size_t length, size_t size) {
  for (size_t i = 0; i < length; i++) {
    if (z32_digit(text[i]) == NO_DIGIT) return false;
  }
  const unsigned unused_bits = (unsigned)(length * 5 - size * 8);
  return length == 0 || (z32_digit(text[length - 1]) & ((1 << unused_bits) - 1)) == 0;
}

int hd_text_z32_decode(const char *text, size_t length, uint8_t *bytes, size_t size) {
  if (length != HD_TEXT_Z32_LENGTH(size) || !is_z32(text, length, size)) return HDHT_ERR_MALFORMED;
  uint32_t bits = 0; /* the lowest bits_count of them are in no byte yet */
  unsigned bits_count = 0;
  for (size_t i = 0; i < length; i++) {
    bits = bits << 5 | (uint32_t)z32_digit(text[i]);
    bits_count += 5;
    if (bits_count < 8) continue;
    bits_count -= 8;
    *bytes++ = (uint8_t)(bits >> bits_count);
  }
  return HDHT_OK;
}
