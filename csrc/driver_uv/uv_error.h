/* What the operating system's error numbers mean to the library. */
#ifndef HD_UV_ERROR_H
#define HD_UV_ERROR_H

/* The HDHT_ERR_* for an errno value of a socket call; HDHT_ERR_NETWORK for those without a meaning of their own. */
int hd_uv_error_from_errno(int error_number);

#endif
