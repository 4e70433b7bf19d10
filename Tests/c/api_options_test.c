#include "api/api_options.h"

#include <hdht/error.h>
#include <string.h>

#include "test.h"

typedef struct settings {
  size_t struct_size;
  uint32_t first;
  uint32_t second;
} settings;

TEST(a_struct_is_read_as_far_as_the_caller_knows_it) {
  const settings given = {.struct_size = offsetof(settings, second), .first = 1, .second = 2};
  settings known = {.first = 10, .second = 20};
  CHECK_INT(HDHT_OK, hd_api_read_struct(&known, sizeof known, &given));
  CHECK_UINT(1, known.first);
  CHECK_UINT(20, known.second);
}

TEST(a_struct_is_read_as_far_as_the_library_knows_it) {
  const struct {
    settings known;
    uint64_t newer;
  } given = {.known = {.struct_size = sizeof given, .first = 1, .second = 2}, .newer = 3};
  struct {
    settings known;
    uint8_t guard;
  } read = {.guard = 77};
  CHECK_INT(HDHT_OK, hd_api_read_struct(&read.known, sizeof read.known, &given));
  CHECK_UINT(2, read.known.second);
  CHECK_UINT(77, read.guard);
}

TEST(a_struct_without_a_credible_size_is_refused) {
  settings known = {.first = 10};
  const settings given = {.struct_size = sizeof(size_t) - 1, .first = 1};
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_api_read_struct(&known, sizeof known, &given));
  CHECK_INT(HDHT_ERR_INVALID_ARGUMENT, hd_api_read_struct(&known, sizeof known, NULL));
  CHECK_UINT(10, known.first);
}

TEST(a_struct_is_filled_with_defaults_and_its_own_size) {
  const settings defaults = {.struct_size = sizeof defaults, .first = 1, .second = 2};
  settings given;
  memset(&given, 0xee, sizeof given);
  hd_api_init_struct(&given, offsetof(settings, second), &defaults, sizeof defaults);
  CHECK_UINT(offsetof(settings, second), given.struct_size);
  CHECK_UINT(1, given.first);
  CHECK_UINT(0xeeeeeeee, given.second);

  struct {
    settings known;
    uint64_t newer;
  } larger;
  memset(&larger, 0xee, sizeof larger);
  hd_api_init_struct(&larger, sizeof larger, &defaults, sizeof defaults);
  CHECK_UINT(sizeof larger, larger.known.struct_size);
  CHECK_UINT(2, larger.known.second);
  CHECK_UINT(0, larger.newer);
  hd_api_init_struct(NULL, sizeof larger, &defaults, sizeof defaults);
  hd_api_init_struct(&given, 1, &defaults, sizeof defaults);
}
