/* The machine's network interfaces, to notice when they change. */
#ifndef HD_UV_INTERFACES_H
#define HD_UV_INTERFACES_H

#include <stdint.h>

/* How often somebody who wants to know should look. */
#define HD_UV_INTERFACES_PERIOD_MS 5000

/* A number that stands for all interfaces with their addresses, in whatever order the system lists them. 0 when the
 * system does not tell. */
uint64_t hd_uv_interfaces_fingerprint(void);

#endif
