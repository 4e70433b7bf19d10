#ifndef HDHT_RELAY_MESSAGE_H
#define HDHT_RELAY_MESSAGE_H

#include <hdht/types.h>

#endif
