#include "base/address_text.h"

#include <arpa/inet.h>
#include <stdio.h>

int hd_address_parse_host(const char *text, hd_address *address) {
  hd_address found = {.family = HDHT_FAMILY_IPV4};
  if (inet_pton(AF_INET, text, found.ip) != 1) {
    found.family = HDHT_FAMILY_IPV6;
    if (inet_pton(AF_INET6, text, found.ip) != 1) return HDHT_ERR_MALFORMED;
    static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(found.ip, mapped_prefix, sizeof mapped_prefix) == 0) {
      found = hd_address_ipv4(found.ip[12], found.ip[13], found.ip[14], found.ip[15], 0);
    }
  }
  *address = found;
  return HDHT_OK;
}

const char *hd_address_format(const hd_address *address, char text[HD_ADDRESS_TEXT_SIZE]) {
  char host[INET6_ADDRSTRLEN] = "";
  switch (address->family) {
    case HDHT_FAMILY_IPV4:
      (void)inet_ntop(AF_INET, address->ip, host, sizeof host);
      snprintf(text, HD_ADDRESS_TEXT_SIZE, "%s:%u", host, address->port);
      break;
    case HDHT_FAMILY_IPV6:
      (void)inet_ntop(AF_INET6, address->ip, host, sizeof host);
      snprintf(text, HD_ADDRESS_TEXT_SIZE, "[%s]:%u", host, address->port);
      break;
    default: snprintf(text, HD_ADDRESS_TEXT_SIZE, "none");
  }
  return text;
}
