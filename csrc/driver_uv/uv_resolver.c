#include "driver_uv/uv_resolver.h"

#include <hdht/error.h>
#include <string.h>

#include "base/address_text.h"
#include "base/assertion.h"
#include "driver_uv/uv_address.h"

/* ---- reading --------------------------------------------------------------------------------------------------- */

static int parse_port(const char *text, uint16_t *port) {
  uint32_t value = 0;
  if (*text == '\0') return HDHT_ERR_MALFORMED;
  for (; *text != '\0'; text++) {
    if (*text < '0' || *text > '9') return HDHT_ERR_MALFORMED;
    value = value * 10 + (uint32_t)(*text - '0');
    if (value > UINT16_MAX) return HDHT_ERR_MALFORMED;
  }
  if (value == 0) return HDHT_ERR_MALFORMED;
  *port = (uint16_t)value;
  return HDHT_OK;
}

static int copy_text(const char *from, const char *end, char *to, size_t capacity) {
  const size_t length = (size_t)(end - from);
  if (length == 0 || length >= capacity) return HDHT_ERR_MALFORMED;
  memcpy(to, from, length);
  to[length] = '\0';
  return HDHT_OK;
}

static bool is_name(const char *text) {
  for (; *text != '\0'; text++) {
    const bool is_letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
    if (!is_letter && (*text < '0' || *text > '9') && strchr("-._", *text) == NULL) return false;
  }
  return true;
}

static int parse_ipv4(const char *from, const char *end, uint16_t port, hd_address *address) {
  char text[HD_ADDRESS_TEXT_SIZE];
  hd_address parsed;
  if (copy_text(from, end, text, sizeof text) != HDHT_OK) return HDHT_ERR_MALFORMED;
  if (hd_address_parse_host(text, &parsed) != HDHT_OK || parsed.family != HDHT_FAMILY_IPV4) return HDHT_ERR_MALFORMED;
  parsed.port = port;
  *address = parsed;
  return HDHT_OK;
}

int hd_uv_resolver_parse(const char *text, hd_uv_resolver_entry *entry) {
  if (strlen(text) > HD_UV_BOOTSTRAP_LENGTH_MAX) return HDHT_ERR_MALFORMED;
  const char *colon = strrchr(text, ':');
  if (colon == NULL) return HDHT_ERR_MALFORMED;
  hd_uv_resolver_entry parsed = {.host = ""};
  int error = parse_port(colon + 1, &parsed.port);
  const char *at = memchr(text, '@', (size_t)(colon - text));
  const char *host = at != NULL ? at + 1 : text;
  if (error == HDHT_OK && at != NULL) error = parse_ipv4(text, at, parsed.port, &parsed.address);
  if (error == HDHT_OK) error = copy_text(host, colon, parsed.host, sizeof parsed.host);
  if (error == HDHT_OK && !is_name(parsed.host)) error = HDHT_ERR_MALFORMED;
  if (error != HDHT_OK) return error;

  hd_address literal;
  if (parse_ipv4(host, colon, parsed.port, &literal) == HDHT_OK) {
    parsed.host[0] = '\0';
    parsed.address = literal;
  }
  *entry = parsed;
  return HDHT_OK;
}

int hd_uv_resolver_init(hd_uv_resolver *resolver, uv_loop_t *loop, const char *const *texts, size_t texts_count) {
  if (texts_count > HD_UV_BOOTSTRAPS_LIMIT) return HDHT_ERR_LIMIT;
  *resolver = (hd_uv_resolver){.loop = loop, .entries_count = texts_count};
  for (size_t i = 0; i < texts_count; i++) {
    if (texts[i] == NULL || hd_uv_resolver_parse(texts[i], &resolver->entries[i]) != HDHT_OK) return HDHT_ERR_MALFORMED;
    resolver->entries[i].resolver = resolver;
  }
  return HDHT_OK;
}

/* ---- looking up ------------------------------------------------------------------------------------------------ */

static void tell_first(hd_uv_resolver *resolver, const hd_uv_resolver_entry *entry, const struct addrinfo *found) {
  for (; found != NULL; found = found->ai_next) {
    hd_uv_sockaddr system;
    if (found->ai_family != AF_INET || found->ai_addrlen > sizeof system) continue;
    memcpy(&system, found->ai_addr, found->ai_addrlen);
    hd_address address = hd_uv_address_from_system(&system, (socklen_t)found->ai_addrlen);
    address.port = entry->port;
    resolver->on_address(resolver->context, &address);
    return;
  }
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found) {
  hd_uv_resolver_entry *entry = lookup->data;
  hd_uv_resolver *resolver = entry->resolver;
  hd_assert(resolver->looking_count > 0);
  entry->is_looking = false;
  resolver->looking_count--;
  if (status == 0) tell_first(resolver, entry, found);
  uv_freeaddrinfo(found);
  if (resolver->looking_count == 0) resolver->on_done(resolver->context);
}

static void look_up(hd_uv_resolver *resolver, hd_uv_resolver_entry *entry) {
  const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
  entry->lookup.data = entry;
  if (uv_getaddrinfo(resolver->loop, &entry->lookup, on_lookup, entry->host, NULL, &hints) != 0) return;
  entry->is_looking = true;
  resolver->looking_count++;
}

bool hd_uv_resolver_start(hd_uv_resolver *resolver, bool all) {
  for (size_t i = 0; i < resolver->entries_count; i++) {
    hd_uv_resolver_entry *entry = &resolver->entries[i];
    const bool is_wanted = all || hd_address_is_none(&entry->address);
    if (is_wanted && entry->host[0] != '\0' && !entry->is_looking) look_up(resolver, entry);
  }
  return resolver->looking_count > 0;
}

bool hd_uv_resolver_stop(hd_uv_resolver *resolver) {
  for (size_t i = 0; i < resolver->entries_count; i++) {
    if (resolver->entries[i].is_looking) uv_cancel((uv_req_t *)&resolver->entries[i].lookup);
  }
  return resolver->looking_count > 0;
}
