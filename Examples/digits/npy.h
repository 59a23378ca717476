/* Reads .npy files of one element type: enough for the examples, in C and in C++. */
#ifndef EXAMPLE_NPY_H
#define EXAMPLE_NPY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A dense array; `data` is to be freed. */
typedef struct npy_array {
  void *data;
  int64_t count; /* elements */
  int64_t rows;  /* the first dim */
} npy_array;

/* Reads `path`, whose elements must be of `type` ("<f4", "<i8") with `size` bytes. Returns NULL or what is wrong. */
static inline const char *npy_read(const char *path, const char *type, size_t size, npy_array *result) {
  unsigned char start[10];
  char header[4096], wanted[32];
  const char *at, *problem = NULL;
  size_t length;
  FILE *file = fopen(path, "rb");
  if (!file) return "cannot be opened";
  result->data = NULL;
  if (fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY\x01", 7) != 0) {
    fclose(file);
    return "is not an .npy file of version 1";
  }
  length = (size_t)start[8] | (size_t)start[9] << 8;
  if (length >= sizeof header || fread(header, 1, length, file) != length) {
    fclose(file);
    return "has a broken header";
  }
  header[length] = 0;
  snprintf(wanted, sizeof wanted, "'descr': '%s'", type);
  at = strstr(header, "'shape': (");
  if (!strstr(header, wanted) || !strstr(header, "'fortran_order': False") || !at) {
    fclose(file);
    return "has other elements than expected";
  }
  result->count = 1;
  result->rows = 0;
  for (at += strlen("'shape': ("); *at && *at != ')';) {
    char *end;
    const long long dim = strtoll(at, &end, 10);
    if (end == at || dim < 1 || dim > 1 << 20 || result->count > (1 << 28) / dim) {
      fclose(file);
      return "has a shape that is empty or too large";
    }
    if (!result->rows) result->rows = dim;
    result->count *= dim;
    for (at = end; *at == ',' || *at == ' '; ++at) {}
  }
  result->data = malloc((size_t)result->count * size);
  if (!result->data) {
    problem = "does not fit into memory";
  } else if (fread(result->data, size, (size_t)result->count, file) != (size_t)result->count) {
    problem = "ends early";
    free(result->data);
    result->data = NULL;
  }
  fclose(file);
  return problem;
}

#endif
