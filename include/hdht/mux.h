#ifndef HDHT_MUX_H
#define HDHT_MUX_H

#include <hdht/types.h>

#endif
