// libuv, for the C core's driver and for the loop that Swift runs on.
#include <uv.h>
