/* Where a context finds its weights: in the artifact, in memory the caller gives, or in a mapped side file. */
#include "runtime.h"

/* Whether `bytes` bytes at `file` are this artifact's weights. */
MARTLET_LOCAL martlet_status martlet_take_weights(martlet_context *context, const void *file, int64_t bytes,
                                                  const char *path) {
  const martlet_config *config = context->config;
  const martlet_status bad = MARTLET_WEIGHTS_MISMATCH;
  const char *const magic = "MARTLETW";
  martlet_weights_header header;
  int i, wrong = 0;
  if ((uintptr_t)file % MARTLET_ALIGNMENT)
    return martlet_fail(context, MARTLET_INVALID_ARGUMENT, "%s: not aligned to %d bytes", path,
                        (int64_t)MARTLET_ALIGNMENT);
  if (bytes < (int64_t)sizeof header)
    return martlet_fail(context, bad, "%s: %d bytes are too short for a weights file", path, bytes);
  __builtin_memcpy(&header, file, sizeof header);
  for (i = 0; i < (int)sizeof header.magic; ++i) wrong |= header.magic[i] != magic[i];
  if (wrong)
    return martlet_fail(context, bad, "%s: not a weights file", path);
  if (header.version != 1)
    return martlet_fail(context, bad, "%s: weights file version %d, expected 1", path, (int64_t)header.version);
  if (header.data_offset > (uint64_t)bytes || header.data_bytes > (uint64_t)bytes - header.data_offset ||
      header.data_offset % MARTLET_ALIGNMENT)
    return martlet_fail(context, bad, "%s: its data does not lie within its %d bytes", path, bytes);
  if (header.data_bytes != (uint64_t)config->model->weights_size)
    return martlet_fail(context, bad, "%s: %d bytes of weights, %s needs %d", path, (int64_t)header.data_bytes,
                        config->model->name, config->model->weights_size);
  if (header.hash != config->weights_hash)
    return martlet_fail(context, bad, "%s: weights of another build of %s (hashes differ)", path,
                        config->model->name);
  context->weights = (const unsigned char *)file + header.data_offset;
  return MARTLET_OK;
}

#if MARTLET_WEIGHTS_FILE && MARTLET_SYSTEM

enum { MARTLET_PATH_CAPACITY = 4096 };

/* One line of /proc/self/maps at a time, in a fixed buffer. */
typedef struct martlet_lines {
  long file;
  long length, at;
  char buffer[1024];
} martlet_lines;

/* Copies the next line; longer ones are cut. 0 at the end. */
MARTLET_LOCAL int martlet_next_line(martlet_lines *lines, char *line, int64_t capacity) {
  int64_t length = 0;
  int any = 0;
  for (;;) {
    if (lines->at == lines->length) {
      lines->at = 0;
      lines->length = martlet_read(lines->file, lines->buffer, sizeof lines->buffer);
      if (lines->length <= 0) {
        lines->length = 0;
        break;
      }
    }
    char c = lines->buffer[lines->at++];
    any = 1;
    if (c == '\n') break;
    if (length < capacity - 1) line[length++] = c;
  }
  line[length] = 0;
  return any;
}

MARTLET_LOCAL const char *martlet_parse_hexadecimal(const char *text, uintptr_t *value) {
  *value = 0;
  for (;; ++text) {
    if (*text >= '0' && *text <= '9') *value = *value * 16 + (uintptr_t)(*text - '0');
    else if (*text >= 'a' && *text <= 'f') *value = *value * 16 + (uintptr_t)(*text - 'a' + 10);
    else return text;
  }
}

/* Puts `name` behind the folder of the file that `address` was loaded from: the artifact's. Falls back to the current
 * folder. (dladdr would do the same, but is not there in a static program.) */
MARTLET_LOCAL martlet_status martlet_beside(martlet_context *context, uintptr_t address, const char *name,
                                            char *path) {
  martlet_lines lines;
  int64_t folder = 0, length;
  lines.file = martlet_open("/proc/self/maps");
  lines.length = lines.at = 0;
  if (lines.file >= 0) {
    while (martlet_next_line(&lines, path, MARTLET_PATH_CAPACITY)) {
      uintptr_t from, to;
      const char *at = martlet_parse_hexadecimal(path, &from);
      if (*at != '-') continue;
      martlet_parse_hexadecimal(at + 1, &to);
      if (address < from || address >= to) continue;
      while (*at && *at != '/') ++at;
      length = 0;
      while (*at) path[length++] = *at++;
      for (folder = length; folder > 0 && path[folder - 1] != '/'; --folder) {}
      break;
    }
    martlet_close(lines.file);
  }
  for (length = 0; name[length]; ++length) {}
  if (folder + length >= MARTLET_PATH_CAPACITY)
    return martlet_fail(context, MARTLET_WEIGHTS_MISMATCH, "%s: the path of the weights file is too long", name);
  __builtin_memcpy(path + folder, name, (size_t)length + 1);
  return MARTLET_OK;
}

MARTLET_LOCAL martlet_status martlet_map_weights(martlet_context *context, const char *path) {
  char beside[MARTLET_PATH_CAPACITY];
  martlet_status status;
  long file;
  int64_t bytes;
  void *mapping;
  if (!path) {
    status = martlet_beside(context, (uintptr_t)&martlet_status_text, context->config->weights_file, beside);
    if (status) return status;
    path = beside;
  }
  file = martlet_open(path);
  if (file < 0)
    return martlet_fail(context, MARTLET_WEIGHTS_MISMATCH, "%s: the weights file cannot be opened (error %d)", path,
                        (int64_t)-file);
  bytes = martlet_file_size(file);
  mapping = bytes > 0 ? martlet_map(bytes, file) : NULL;
  martlet_close(file);
  if (!mapping)
    return martlet_fail(context, MARTLET_WEIGHTS_MISMATCH, "%s: the weights file cannot be mapped", path);
  status = martlet_take_weights(context, mapping, bytes, path);
  if (status) {
    martlet_unmap(mapping, bytes);
    return status;
  }
  context->mapping = mapping;
  context->mapping_size = bytes;
  return MARTLET_OK;
}
#endif

MARTLET_LOCAL martlet_status martlet_find_weights(martlet_context *context, const martlet_options *options) {
  const martlet_config *config = context->config;
  if (!config->weights_file) {
    /* Embedded, or none at all. */
    context->weights = config->weights_pointer ? (const unsigned char *)*config->weights_pointer : NULL;
    return MARTLET_OK;
  }
  if (options->weights)
    return martlet_take_weights(context, options->weights, options->weights_size, "weights in memory");
#if MARTLET_WEIGHTS_FILE && MARTLET_SYSTEM
  return martlet_map_weights(context, options->weights_path);
#else
  return martlet_fail(context, MARTLET_WEIGHTS_MISMATCH, "%s: pass its contents as options->weights",
                      config->weights_file);
#endif
}

MARTLET_LOCAL void martlet_release_weights(martlet_context *context) {
#if MARTLET_WEIGHTS_FILE && MARTLET_SYSTEM
  if (context->mapping) martlet_unmap(context->mapping, context->mapping_size);
#endif
  context->mapping = NULL;
}
