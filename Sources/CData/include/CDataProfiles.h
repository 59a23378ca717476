#ifndef CDATA_PROFILES_H
#define CDATA_PROFILES_H

#include <stddef.h>

/// A hardware profile as it lies in Targets/Profiles: its name and its JSON text.
typedef struct CDataProfile {
  const char *name;
  const char *text;
  size_t length;
} CDataProfile;

size_t cdata_profile_count(void);
/// The profile at `index`, which is less than the count. Narrower machines come first.
CDataProfile cdata_profile(size_t index);

#endif
