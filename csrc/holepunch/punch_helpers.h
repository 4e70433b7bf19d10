/* Which nodes to ask how they see a socket. The ones heard last are most likely still there, but the very last are left
 * out, since they may share a machine with us or with each other; and no two from one network are asked while others
 * are left, because a NAT may treat destinations of one host alike (the reference takes them in order). */
#ifndef HD_PUNCH_HELPERS_H
#define HD_PUNCH_HELPERS_H

#include "base/address.h"

#define HD_PUNCH_HELPERS_SKIPPED      5 /* newest nodes left out ... */
#define HD_PUNCH_HELPERS_SKIPPED_FROM 8 /* ... if at least so many are known */

/* nodes    nodes known, the one heard last first
 * asked    those asked already, not to be asked again
 * helpers  [out] room for `wanted`
 *
 * Returns how many were found. */
unsigned hd_punch_helpers_choose(const hd_address *nodes, unsigned nodes_count, const hd_address *asked,
                                 unsigned asked_count, hd_address *helpers, unsigned wanted);

#endif
