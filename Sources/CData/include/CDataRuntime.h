#ifndef CDATA_RUNTIME_H
#define CDATA_RUNTIME_H

#include <stddef.h>

/// A file of Sources/Runtime: its base name and its text. Compiling an artifact starts by writing all of them into
/// one folder.
typedef struct CDataRuntimeFile {
  const char *name;
  const char *text;
  size_t length;
} CDataRuntimeFile;

size_t cdata_runtime_file_count(void);
/// The file at `index`, which is less than the count; ordered by name.
CDataRuntimeFile cdata_runtime_file(size_t index);

#endif
