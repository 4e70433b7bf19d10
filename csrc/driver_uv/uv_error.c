#include "driver_uv/uv_error.h"

#include <errno.h>
#include <hdht/error.h>

int hd_uv_error_from_errno(int error_number) {
#if EWOULDBLOCK != EAGAIN
  if (error_number == EWOULDBLOCK) return HDHT_ERR_WOULD_BLOCK;
#endif
  switch (error_number) {
    case EAGAIN: return HDHT_ERR_WOULD_BLOCK;
    case EMSGSIZE: return HDHT_ERR_TOO_LARGE;
    case EADDRINUSE: return HDHT_ERR_ADDRESS_IN_USE;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: return HDHT_ERR_ADDRESS_UNAVAILABLE;
    case EACCES:
    case EPERM: return HDHT_ERR_PERMISSION;
    case ENOMEM: return HDHT_ERR_OUT_OF_MEMORY;
    case EMFILE:
    case ENFILE: return HDHT_ERR_LIMIT;
    default: return HDHT_ERR_NETWORK;
  }
}
