#include <hdht/listed.h>
