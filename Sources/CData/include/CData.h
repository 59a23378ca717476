#ifndef CDATA_H
#define CDATA_H

#include <stddef.h>

/// A file that is part of Martlet: its name and its text.
typedef struct CDataFile {
  const char *name;
  const char *text;
  size_t length;
} CDataFile;

/// The hardware profiles in Targets/Profiles, under their names without the suffix. Narrower machines come first.
size_t cdata_profile_count(void);
CDataFile cdata_profile(size_t index);

/// The files of Sources/Runtime, ordered by name. Compiling an artifact starts by writing all of them into one folder.
size_t cdata_runtime_file_count(void);
CDataFile cdata_runtime_file(size_t index);

#endif
