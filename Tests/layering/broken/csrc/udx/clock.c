#include <time.h>
  #  include <sodium.h>
#include <uv.h>
