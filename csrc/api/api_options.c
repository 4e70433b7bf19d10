#include "api/api_options.h"

#include <hdht/error.h>
#include <string.h>

int hd_api_read_struct(void *known, size_t known_size, const void *given) {
  if (given == NULL) return HDHT_ERR_INVALID_ARGUMENT;
  size_t given_size;
  memcpy(&given_size, given, sizeof given_size);
  if (given_size < sizeof given_size) return HDHT_ERR_INVALID_ARGUMENT;
  memcpy(known, given, given_size < known_size ? given_size : known_size);
  return HDHT_OK;
}

void hd_api_init_struct(void *given, size_t given_size, const void *defaults, size_t defaults_size) {
  if (given == NULL || given_size < sizeof given_size) return;
  memset(given, 0, given_size);
  memcpy(given, defaults, given_size < defaults_size ? given_size : defaults_size);
  memcpy(given, &given_size, sizeof given_size);
}
