/* encoding.json: every primitive codec, both ways. Encoding cases whose error is about a JavaScript value that has no C
 * counterpart (undefined, NaN, a buffer of the wrong length) check that the C interface cannot even express it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/address_text.h"
#include "codec/compact_address.h"
#include "codec/compact_bytes.h"
#include "vectors.h"

typedef struct codec_entry {
  const char *type;
  int (*write)(hd_writer *writer, const hd_json *value);
  int (*read_and_compare)(hd_reader *reader, const hd_json *expected);
  size_t element_size_min;
} codec_entry;

static uint64_t integer_of(const hd_json *value) {
  return value == NULL || value->kind == HD_JSON_NULL ? 0
         : value->is_integer                          ? value->integer
                                                      : (uint64_t)value->number;
}

/* Numbers the reference rounded to a double are compared as doubles. */
static void check_integer(const hd_json *expected, uint64_t actual) {
  const bool is_exact = expected->is_integer && expected->integer <= HD_CODEC_SAFE_INTEGER_MAX;
  VECTOR_CHECK(is_exact || expected->kind == HD_JSON_NULL ? actual == integer_of(expected)
                                                          : (double)actual == floor(expected->number));
}

static int write_uint(hd_writer *writer, const hd_json *value) {
  return hd_codec_write_uint(writer, integer_of(value));
}

static int read_uint(hd_reader *reader, const hd_json *expected) {
  uint64_t value;
  const int error = hd_codec_read_uint(reader, &value);
  if (error == HDHT_OK) check_integer(expected, value);
  return error;
}

#define FIXED_UINT(bits)                                                     \
  static int write_uint##bits(hd_writer *writer, const hd_json *value) {     \
    return hd_codec_write_fixed_uint(writer, (bits) / 8, integer_of(value)); \
  }                                                                          \
  static int read_uint##bits(hd_reader *reader, const hd_json *expected) {   \
    uint64_t value;                                                          \
    const int error = hd_codec_read_fixed_uint(reader, (bits) / 8, &value);  \
    if (error == HDHT_OK) check_integer(expected, value);                    \
    return error;                                                            \
  }
FIXED_UINT(8)
FIXED_UINT(16)
FIXED_UINT(24)
FIXED_UINT(32)
FIXED_UINT(40)
FIXED_UINT(48)
FIXED_UINT(56)
FIXED_UINT(64)

static int write_int(hd_writer *writer, const hd_json *value) {
  return hd_codec_write_int(writer, (int64_t)value->number);
}

static int read_int(hd_reader *reader, const hd_json *expected) {
  int64_t value;
  const int error = hd_codec_read_int(reader, &value);
  if (error == HDHT_OK) VECTOR_CHECK((double)value == expected->number);
  return error;
}

#define FIXED_INT(bits)                                                                            \
  static int write_int##bits(hd_writer *writer, const hd_json *value) {                            \
    return hd_codec_write_fixed_uint(writer, (bits) / 8, hd_codec_zigzag((int64_t)value->number)); \
  }                                                                                                \
  static int read_int##bits(hd_reader *reader, const hd_json *expected) {                          \
    uint64_t value;                                                                                \
    const int error = hd_codec_read_fixed_uint(reader, (bits) / 8, &value);                        \
    if (error == HDHT_OK) VECTOR_CHECK((double)hd_codec_unzigzag(value) == expected->number);      \
    return error;                                                                                  \
  }
FIXED_INT(8)
FIXED_INT(16)
FIXED_INT(32)
FIXED_INT(64)

static int write_bool(hd_writer *writer, const hd_json *value) {
  return hd_codec_write_bool(writer, value->truth);
}

static int read_bool(hd_reader *reader, const hd_json *expected) {
  bool value;
  const int error = hd_codec_read_bool(reader, &value);
  if (error == HDHT_OK) VECTOR_CHECK(value == expected->truth);
  return error;
}

static int write_hex_fixed(hd_writer *writer, const hd_json *value) {
  size_t size;
  const uint8_t *bytes = hd_vector_hex(value, &size);
  return hd_writer_put(writer, bytes, size);
}

static int read_hex_fixed(hd_reader *reader, const hd_json *expected, size_t size) {
  uint8_t bytes[64];
  const int error = hd_codec_read_fixed(reader, bytes, size);
  if (error == HDHT_OK) hd_vector_check_hex(expected, bytes, size, "fixed");
  return error;
}

static int read_fixed32(hd_reader *reader, const hd_json *expected) {
  return read_hex_fixed(reader, expected, 32);
}
static int read_fixed64(hd_reader *reader, const hd_json *expected) {
  return read_hex_fixed(reader, expected, 64);
}

static int write_buffer(hd_writer *writer, const hd_json *value) {
  size_t size;
  const uint8_t *bytes = hd_vector_hex(value, &size);
  return hd_codec_write_buffer(writer, hd_bytes_of(bytes, size));
}

static int read_buffer(hd_reader *reader, const hd_json *expected) {
  hd_bytes bytes;
  const int error = hd_codec_read_buffer(reader, &bytes);
  if (error != HDHT_OK) return error;
  if (expected->kind == HD_JSON_NULL) {
    VECTOR_CHECK(bytes.size == 0);
  } else {
    hd_vector_check_hex(expected, bytes.data, bytes.size, "buffer");
  }
  return HDHT_OK;
}

static int write_string(hd_writer *writer, const hd_json *value) {
  return hd_codec_write_buffer(writer, hd_bytes_of(value->text, value->text_size));
}

/* We lend the bytes as they are; where the reference shows U+FFFD for bad UTF-8, only the length can be compared. */
static int read_string(hd_reader *reader, const hd_json *expected) {
  hd_bytes bytes;
  const int error = hd_codec_read_buffer(reader, &bytes);
  if (error != HDHT_OK) return error;
  if (strstr(expected->text, "\xef\xbf\xbd") == NULL) {
    VECTOR_CHECK(hd_bytes_equal(bytes, hd_bytes_of(expected->text, expected->text_size)));
  }
  return HDHT_OK;
}

static double float_of(const hd_json *value) {
  return value->kind == HD_JSON_STRING ? strtod(value->text, NULL) : value->number;
}

static int write_float32(hd_writer *writer, const hd_json *value) {
  return hd_codec_write_float32(writer, (float)float_of(value));
}

static int read_float32(hd_reader *reader, const hd_json *expected) {
  float value;
  const int error = hd_codec_read_float32(reader, &value);
  if (error == HDHT_OK) VECTOR_CHECK((double)value == (double)(float)float_of(expected));
  return error;
}

static int write_float64(hd_writer *writer, const hd_json *value) {
  return hd_codec_write_float64(writer, float_of(value));
}

static int read_float64(hd_reader *reader, const hd_json *expected) {
  double value;
  const int error = hd_codec_read_float64(reader, &value);
  if (error == HDHT_OK) VECTOR_CHECK(value == float_of(expected));
  return error;
}

/* An address is host text, or an object with host and port. */
static hd_address address_of(const hd_json *value) {
  hd_address address = {0};
  const char *host = value->kind == HD_JSON_STRING ? value->text : hd_json_text(value, "host", "");
  VECTOR_CHECK(hd_address_parse_host(host, &address) == HDHT_OK);
  address.port = (uint16_t)hd_json_integer(value, "port", 0);
  return address;
}

static void check_address(const hd_json *expected, hd_address actual) {
  const hd_address wanted = address_of(expected);
  VECTOR_CHECK(hd_address_equal(&wanted, &actual));
}

#define ADDRESS(name)                                                  \
  static int write_##name(hd_writer *writer, const hd_json *value) {   \
    const hd_address address = address_of(value);                      \
    return hd_codec_write_##name(writer, &address);                    \
  }                                                                    \
  static int read_##name(hd_reader *reader, const hd_json *expected) { \
    hd_address address = {0};                                          \
    const int error = hd_codec_read_##name(reader, &address);          \
    if (error == HDHT_OK) check_address(expected, address);            \
    return error;                                                      \
  }
ADDRESS(ipv4)
ADDRESS(ipv6)
ADDRESS(ip)
ADDRESS(ipv4_address)
ADDRESS(ipv6_address)
ADDRESS(ip_address)

static const codec_entry codecs[] = {
    {"uint", write_uint, read_uint, 1},
    {"uint8", write_uint8, read_uint8, 1},
    {"uint16", write_uint16, read_uint16, 2},
    {"uint24", write_uint24, read_uint24, 3},
    {"uint32", write_uint32, read_uint32, 4},
    {"uint40", write_uint40, read_uint40, 5},
    {"uint48", write_uint48, read_uint48, 6},
    {"uint56", write_uint56, read_uint56, 7},
    {"uint64", write_uint64, read_uint64, 8},
    {"int", write_int, read_int, 1},
    {"int8", write_int8, read_int8, 1},
    {"int16", write_int16, read_int16, 2},
    {"int32", write_int32, read_int32, 4},
    {"int64", write_int64, read_int64, 8},
    {"bool", write_bool, read_bool, 1},
    {"fixed32", write_hex_fixed, read_fixed32, 32},
    {"fixed64", write_hex_fixed, read_fixed64, 64},
    {"buffer", write_buffer, read_buffer, 1},
    {"string", write_string, read_string, 1},
    {"float32", write_float32, read_float32, 4},
    {"float64", write_float64, read_float64, 8},
    {"ipv4", write_ipv4, read_ipv4, 4},
    {"ipv6", write_ipv6, read_ipv6, 16},
    {"ip", write_ip, read_ip, 5},
    {"ipv4Address", write_ipv4_address, read_ipv4_address, 6},
    {"ipv6Address", write_ipv6_address, read_ipv6_address, 18},
    {"ipAddress", write_ip_address, read_ip_address, 7},
};

static const codec_entry *find_codec(const char *type, bool *is_array) {
  const char *name = type;
  size_t length = strlen(type);
  *is_array = length > 7 && strncmp(type, "array(", 6) == 0 && type[length - 1] == ')';
  if (*is_array) {
    name += 6;
    length -= 7;
  }
  for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
    if (strlen(codecs[i].type) == length && strncmp(codecs[i].type, name, length) == 0) return &codecs[i];
  }
  return NULL;
}

static int write_value(hd_writer *writer, const codec_entry *codec, bool is_array, const hd_json *value) {
  if (!is_array) return codec->write(writer, value);
  int error = hd_codec_write_array_count(writer, hd_json_count(value));
  HD_JSON_EACH(element, value) {
    if (error == HDHT_OK) error = codec->write(writer, element);
  }
  return error;
}

static int read_value(hd_reader *reader, const codec_entry *codec, bool is_array, const hd_json *expected) {
  if (!is_array) return codec->read_and_compare(reader, expected);
  size_t count;
  int error = hd_codec_read_array_count(reader, codec->element_size_min, &count);
  if (error != HDHT_OK) return error;
  if (expected != NULL) VECTOR_CHECK(count == hd_json_count(expected));
  for (size_t i = 0; i < count && error == HDHT_OK; i++) {
    const hd_json *element = expected != NULL ? hd_json_at(expected, i) : NULL;
    static const hd_json nothing = {.kind = HD_JSON_NULL};
    error = codec->read_and_compare(reader, element != NULL ? element : &nothing);
  }
  return error;
}

/* A C caller cannot pass these; that the case says so is what is checked. */
static void check_inexpressible(const hd_json *item) {
  const char *error = hd_json_text(item, "error", "");
  VECTOR_CHECK(strstr(error, "must be positive") != NULL || strstr(error, "Incorrect buffer size") != NULL ||
               strstr(error, "maximum safe integer") != NULL);
}

static void check_case(const hd_json *item) {
  bool is_array;
  const codec_entry *codec = find_codec(hd_json_text(item, "type", ""), &is_array);
  const char *error = hd_json_text(item, "error", NULL);
  const hd_json *value = hd_json_get(item, "value"), *hex = hd_json_get(item, "hex");
  if (!VECTOR_CHECK(codec != NULL)) return;
  if (error != NULL && strncmp(error, "encode", 6) == 0) {
    check_inexpressible(item);
    return;
  }

  size_t size;
  const uint8_t *bytes = hd_vector_hex(hex, &size);
  const hd_json *decoded = hd_json_get(item, "decoded");
  hd_reader reader = hd_reader_of(hd_bytes_of(bytes, size));
  const int read_error = read_value(&reader, codec, is_array, decoded != NULL ? decoded : value);
  if (error != NULL) {
    VECTOR_CHECK(strstr(error, "too big") != NULL ? read_error == HDHT_ERR_TOO_LARGE
                                                  : read_error == HDHT_ERR_TRUNCATED);
    return;
  }
  VECTOR_CHECK(read_error == HDHT_OK);
  VECTOR_CHECK((size_t)(reader.next - bytes) == hd_json_integer(item, "consumed", size));

  if (value == NULL || hd_json_truth(item, "accepted", false)) return;
  uint8_t *written = hd_vector_scratch(size + 1);
  hd_writer writer = hd_writer_of(written, size);
  VECTOR_CHECK(write_value(&writer, codec, is_array, value) == HDHT_OK);
  hd_vector_check_hex(hex, written, (size_t)(writer.next - written), "encoded");
  if (size > 0) {
    writer = hd_writer_of(written, size - 1);
    VECTOR_CHECK(write_value(&writer, codec, is_array, value) == HDHT_ERR_BUFFER_TOO_SMALL);
  }
}

VECTOR_FILE("encoding.json", check_case)
