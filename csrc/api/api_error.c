#include <hdht/error.h>

const char *hdht_error_name(int error) {
  switch (error) {
    case HDHT_OK: return "HDHT_OK";
#define NAME(symbol, number, fatal, text) \
  case number: return "HDHT_ERR_" #symbol;
      HDHT_ERRORS(NAME)
#undef NAME
    default: return "HDHT_ERR_UNKNOWN";
  }
}

const char *hdht_error_message(int error) {
  switch (error) {
    case HDHT_OK: return "No error.";
#define MESSAGE(symbol, number, fatal, text) \
  case number: return text;
      HDHT_ERRORS(MESSAGE)
#undef MESSAGE
    default: return "An error this version of the library does not know.";
  }
}

int hdht_error_is_fatal(int error) {
  switch (error) {
#define FATAL(symbol, number, fatal, text) \
  case number: return fatal;
    HDHT_ERRORS(FATAL)
#undef FATAL
    default: return 0;
  }
}
