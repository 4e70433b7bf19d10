/* Keys and hashes as text: hexadecimal, and z-base-32 as the `z32` package of the reference writes it (bits from the
 * top of each byte down, five per character, the last character filled up with zero bits, no padding characters).
 *
 * Each byte string has exactly one z-base-32 text; hexadecimal is written in lower case and read in either. */
#ifndef HD_TEXT_H
#define HD_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Characters of the text of `size` bytes, without the terminating NUL. 32 bytes take 64 and 52. */
#define HD_TEXT_HEX_LENGTH(size) ((size_t)(size)*2)
#define HD_TEXT_Z32_LENGTH(size) (((size_t)(size)*8 + 4) / 5)

/* Writes the text and a NUL: HD_TEXT_HEX_LENGTH(size) + 1 bytes at `text`. */
void hd_text_hex_encode(const uint8_t *bytes, size_t size, char *text);

/* Reads exactly `size` bytes; `text` needs no NUL.
 * Errors: HDHT_ERR_MALFORMED for any other `length` than HD_TEXT_HEX_LENGTH(size) and for characters that are no
 * digits. `bytes` is untouched on error. */
int hd_text_hex_decode(const char *text, size_t length, uint8_t *bytes, size_t size);

/* Writes the text and a NUL: HD_TEXT_Z32_LENGTH(size) + 1 bytes at `text`. */
void hd_text_z32_encode(const uint8_t *bytes, size_t size, char *text);

/* Reads exactly `size` bytes; `text` needs no NUL.
 * Errors: HDHT_ERR_MALFORMED for any other `length` than HD_TEXT_Z32_LENGTH(size), for characters outside the
 * (lower-case) alphabet, and when a bit behind the last byte is set, so that no two texts mean the same bytes. `bytes`
 * is untouched on error. */
int hd_text_z32_decode(const char *text, size_t length, uint8_t *bytes, size_t size);

#endif
