/* Loads and stores of fixed-width integers at any alignment. Compilers turn each into one instruction. */
#ifndef HD_BYTE_ORDER_H
#define HD_BYTE_ORDER_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define HD_TO_LITTLE_16(x) __builtin_bswap16(x)
#define HD_TO_LITTLE_32(x) __builtin_bswap32(x)
#define HD_TO_LITTLE_64(x) __builtin_bswap64(x)
#define HD_TO_BIG_16(x)    (x)
#define HD_TO_BIG_64(x)    (x)
#else
#define HD_TO_LITTLE_16(x) (x)
#define HD_TO_LITTLE_32(x) (x)
#define HD_TO_LITTLE_64(x) (x)
#define HD_TO_BIG_16(x)    __builtin_bswap16(x)
#define HD_TO_BIG_64(x)    __builtin_bswap64(x)
#endif

static inline uint16_t hd_load_le16(const uint8_t *from) {
  uint16_t value;
  memcpy(&value, from, sizeof value);
  return HD_TO_LITTLE_16(value);
}

static inline uint32_t hd_load_le32(const uint8_t *from) {
  uint32_t value;
  memcpy(&value, from, sizeof value);
  return HD_TO_LITTLE_32(value);
}

static inline uint64_t hd_load_le64(const uint8_t *from) {
  uint64_t value;
  memcpy(&value, from, sizeof value);
  return HD_TO_LITTLE_64(value);
}

static inline uint32_t hd_load_le24(const uint8_t *from) {
  return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16;
}

static inline uint16_t hd_load_be16(const uint8_t *from) {
  uint16_t value;
  memcpy(&value, from, sizeof value);
  return HD_TO_BIG_16(value);
}

static inline uint64_t hd_load_be64(const uint8_t *from) {
  uint64_t value;
  memcpy(&value, from, sizeof value);
  return HD_TO_BIG_64(value);
}

static inline void hd_store_le16(uint8_t *to, uint16_t value) {
  value = HD_TO_LITTLE_16(value);
  memcpy(to, &value, sizeof value);
}

static inline void hd_store_le24(uint8_t *to, uint32_t value) {
  to[0] = (uint8_t)value;
  to[1] = (uint8_t)(value >> 8);
  to[2] = (uint8_t)(value >> 16);
}

static inline void hd_store_le32(uint8_t *to, uint32_t value) {
  value = HD_TO_LITTLE_32(value);
  memcpy(to, &value, sizeof value);
}

static inline void hd_store_le64(uint8_t *to, uint64_t value) {
  value = HD_TO_LITTLE_64(value);
  memcpy(to, &value, sizeof value);
}

static inline void hd_store_be16(uint8_t *to, uint16_t value) {
  value = HD_TO_BIG_16(value);
  memcpy(to, &value, sizeof value);
}

#endif
