/* Messages without the printf family. */
#include "runtime.h"

typedef struct martlet_writer {
  char *at;
  char *end; /* of the room for characters; one more byte is kept for the terminator */
} martlet_writer;

MARTLET_LOCAL void martlet_write_text(martlet_writer *writer, const char *text) {
  if (!text) text = "?";
  for (; *text && writer->at < writer->end; ++text) {
    /* Names come from model files: a terminal must not obey them. */
    unsigned char c = (unsigned char)*text;
    *writer->at++ = c < 0x20 || c == 0x7f ? '?' : (char)c;
  }
}

MARTLET_LOCAL void martlet_write_integer(martlet_writer *writer, int64_t value) {
  char digits[24];
  char *at = digits + sizeof digits - 1;
  uint64_t rest = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
  *at = 0;
  do *--at = (char)('0' + rest % 10);
  while (rest /= 10);
  if (value < 0) *--at = '-';
  martlet_write_text(writer, at);
}

MARTLET_LOCAL void martlet_format(char *text, int64_t capacity, const char *format, va_list arguments) {
  martlet_writer writer = {text, text + capacity - 1};
  if (capacity <= 0) return;
  for (; *format && writer.at < writer.end; ++format) {
    if (*format != '%') {
      *writer.at++ = *format;
    } else if (*++format == 's') {
      martlet_write_text(&writer, va_arg(arguments, const char *));
    } else {
      martlet_write_integer(&writer, va_arg(arguments, int64_t));
    }
  }
  *writer.at = 0;
}

MARTLET_LOCAL martlet_status martlet_fail(martlet_context *context, martlet_status status, const char *format, ...) {
  va_list arguments;
  if (!context) return status;
  va_start(arguments, format);
  martlet_format(context->message, MARTLET_MESSAGE_CAPACITY, format, arguments);
  va_end(arguments);
  return status;
}

MARTLET_LOCAL const char *martlet_status_text(martlet_status status) {
  switch (status) {
  case MARTLET_OK: return "success";
  case MARTLET_INVALID_ARGUMENT: return "invalid argument";
  case MARTLET_SHAPE_MISMATCH: return "shapes do not match";
  case MARTLET_WORKSPACE_TOO_SMALL: return "the workspace is too small";
  case MARTLET_OUTPUT_TOO_SMALL: return "an output buffer is too small";
  case MARTLET_INDEX_OUT_OF_RANGE: return "an index is out of range";
  case MARTLET_DIVISION_BY_ZERO: return "integer division by zero";
  case MARTLET_UNSUPPORTED_CPU: return "this CPU lacks a feature the code needs";
  case MARTLET_OUT_OF_MEMORY: return "out of memory";
  case MARTLET_WEIGHTS_MISMATCH: return "the weights do not belong to this artifact";
  case MARTLET_LIMIT_EXCEEDED: return "a size exceeds what the artifact was compiled for";
  case MARTLET_INTERNAL: return "internal error";
  default: return "unknown status";
  }
}
