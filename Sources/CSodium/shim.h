// libsodium, for the C core only: Swift reaches cryptography through CHyperDHT.
#include <sodium.h>
