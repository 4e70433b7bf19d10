#include <hdht/version.h>

#define TEXT(number)    #number
#define AS_TEXT(number) TEXT(number)

uint32_t hdht_version(void) {
  return HDHT_VERSION;
}

const char *hdht_version_string(void) {
  return AS_TEXT(HDHT_VERSION_MAJOR) "." AS_TEXT(HDHT_VERSION_MINOR) "." AS_TEXT(HDHT_VERSION_PATCH);
}
