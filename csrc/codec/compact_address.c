#include "codec/compact_address.h"

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

int hd_codec_read_ipv4(hd_reader *reader, hd_address *address) {
  const uint8_t *bytes;
  const int error = hd_reader_take(reader, 4, &bytes);
  if (error == HDHT_OK) *address = hd_address_ipv4(bytes[0], bytes[1], bytes[2], bytes[3], 0);
  return error;
}

int hd_codec_write_ipv4(hd_writer *writer, const hd_address *address) {
  if (address->family != HDHT_FAMILY_IPV4) return HDHT_ERR_INVALID_ARGUMENT;
  return hd_writer_put(writer, address->ip, 4);
}

int hd_codec_read_ipv6(hd_reader *reader, hd_address *address) {
  const uint8_t *bytes;
  const int error = hd_reader_take(reader, 16, &bytes);
  if (error != HDHT_OK) return error;
  if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
    *address = hd_address_ipv4(bytes[12], bytes[13], bytes[14], bytes[15], 0);
    return HDHT_OK;
  }
  *address = (hd_address){.family = HDHT_FAMILY_IPV6};
  memcpy(address->ip, bytes, 16);
  return HDHT_OK;
}

int hd_codec_write_ipv6(hd_writer *writer, const hd_address *address) {
  if (address->family == HDHT_FAMILY_IPV6) return hd_writer_put(writer, address->ip, 16);
  if (address->family != HDHT_FAMILY_IPV4) return HDHT_ERR_INVALID_ARGUMENT;
  uint8_t mapped[16];
  memcpy(mapped, mapped_prefix, sizeof mapped_prefix);
  memcpy(mapped + sizeof mapped_prefix, address->ip, 4);
  return hd_writer_put(writer, mapped, sizeof mapped);
}

typedef int read_host(hd_reader *reader, hd_address *address);
typedef int write_host(hd_writer *writer, const hd_address *address);

static int read_with_port(hd_reader *reader, read_host *read, hd_address *address) {
  hd_reader attempt = *reader;
  hd_address found;
  int error = read(&attempt, &found);
  if (error == HDHT_OK) error = hd_codec_read_uint16(&attempt, &found.port);
  if (error != HDHT_OK) return error;
  *address = found;
  *reader = attempt;
  return HDHT_OK;
}

static int write_with_port(hd_writer *writer, write_host *write, const hd_address *address) {
  hd_writer attempt = *writer;
  int error = write(&attempt, address);
  if (error == HDHT_OK) error = hd_codec_write_uint16(&attempt, address->port);
  if (error == HDHT_OK) *writer = attempt;
  return error;
}

/* Lists of these are in most datagrams, so they do not take the general way. */
int hd_codec_read_ipv4_address(hd_reader *reader, hd_address *address) {
  const uint8_t *bytes;
  const int error = hd_reader_take(reader, HD_CODEC_IPV4_ADDRESS_SIZE, &bytes);
  if (error != HDHT_OK) return error;
  *address = hd_address_ipv4(bytes[0], bytes[1], bytes[2], bytes[3], hd_load_le16(bytes + 4));
  return HDHT_OK;
}

int hd_codec_write_ipv4_address(hd_writer *writer, const hd_address *address) {
  if (address->family != HDHT_FAMILY_IPV4) return HDHT_ERR_INVALID_ARGUMENT;
  uint8_t *bytes;
  const int error = hd_writer_reserve(writer, HD_CODEC_IPV4_ADDRESS_SIZE, &bytes);
  if (error != HDHT_OK) return error;
  memcpy(bytes, address->ip, 4);
  hd_store_le16(bytes + 4, address->port);
  return HDHT_OK;
}

int hd_codec_read_ipv6_address(hd_reader *reader, hd_address *address) {
  return read_with_port(reader, hd_codec_read_ipv6, address);
}

int hd_codec_write_ipv6_address(hd_writer *writer, const hd_address *address) {
  return write_with_port(writer, hd_codec_write_ipv6, address);
}

int hd_codec_read_ip(hd_reader *reader, hd_address *address) {
  hd_reader attempt = *reader;
  uint8_t family;
  int error = hd_codec_read_uint8(&attempt, &family);
  if (error == HDHT_OK) {
    error = family == HDHT_FAMILY_IPV4 ? hd_codec_read_ipv4(&attempt, address) : hd_codec_read_ipv6(&attempt, address);
  }
  if (error == HDHT_OK) *reader = attempt;
  return error;
}

int hd_codec_write_ip(hd_writer *writer, const hd_address *address) {
  hd_writer attempt = *writer;
  int error = hd_codec_write_uint8(&attempt, address->family);
  if (error == HDHT_OK) {
    error = address->family == HDHT_FAMILY_IPV4 ? hd_codec_write_ipv4(&attempt, address)
                                                : hd_codec_write_ipv6(&attempt, address);
  }
  if (error == HDHT_OK) *writer = attempt;
  return error;
}

int hd_codec_read_ip_address(hd_reader *reader, hd_address *address) {
  return read_with_port(reader, hd_codec_read_ip, address);
}

int hd_codec_write_ip_address(hd_writer *writer, const hd_address *address) {
  return write_with_port(writer, hd_codec_write_ip, address);
}
