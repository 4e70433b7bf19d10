#ifndef HDHT_KEYS_H
#define HDHT_KEYS_H

#include <hdht/types.h>

#endif
