/* The version of the library, for the preprocessor and for a run-time check. */
#ifndef HDHT_VERSION_H
#define HDHT_VERSION_H

#include <hdht/types.h>

#define HDHT_VERSION_MAJOR 0
#define HDHT_VERSION_MINOR 1
#define HDHT_VERSION_PATCH 0

/* major * 1,000,000 + minor * 1,000 + patch, so that two versions compare as numbers. */
#define HDHT_VERSION (HDHT_VERSION_MAJOR * 1000000 + HDHT_VERSION_MINOR * 1000 + HDHT_VERSION_PATCH)

#ifdef __cplusplus
extern "C" {
#endif

/* The version the library was built as, in the form of HDHT_VERSION. Differs from the macro when a program compiled
 * against one version runs with another. May be called on any thread. */
HDHT_API uint32_t hdht_version(void);

/* The same as text, "0.1.0". Static storage. May be called on any thread. */
HDHT_API const char *hdht_version_string(void);

#ifdef __cplusplus
}
#endif

#endif
