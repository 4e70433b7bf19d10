#ifndef HDHT_NOISE_H
#define HDHT_NOISE_H

#include <hdht/types.h>

#endif
