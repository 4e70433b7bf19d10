#ifndef HDHT_SECRETSTREAM_H
#define HDHT_SECRETSTREAM_H

#include <hdht/types.h>

#endif
