/* The one thing libsodium asks for before use. */
#ifndef HD_BACKEND_H
#define HD_BACKEND_H

/* Initialises libsodium on the first call and costs one load on every later one. Any thread. Functions of this folder
 * call it themselves wherever libsodium would otherwise run its slowest code; nobody outside needs it. */
void hd_backend_prepare(void);

#endif
