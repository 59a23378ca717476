/* martlet_compiler.h: Martlet's compiler as a library, for programs that compile and run models in one process.
 *
 *   martlet_compiled *compiled;
 *   if (martlet_compiler_load("digits.onnx", "{\"shape\": {\"image\": [1, 1, 8, 8]}}", &compiled))
 *     fprintf(stderr, "%s\n", martlet_compiler_message());
 *   const martlet_model *model = martlet_compiled_table(compiled);      from here on as martlet.h says
 *   ...
 *   martlet_compiler_release(compiled);
 *
 * Options are a JSON object, NULL or "": target, shape (an object of lists of extents), threads, weights ("embed" or
 * "file"), name, precision, numerics, sysroot, from, profile (true or false), cache_dir (null keeps nothing). They mean
 * what the options of `martlet compile` mean.
 *
 * Functions return 0, or the exit status that the command would have: 1 the input is at fault, 2 so are the options,
 * 3 not supported, 70 a bug in Martlet. They may be called from any thread.
 *
 * Plain C99 and C++; link with libmartlet-c.so. Programs that only run artifacts need neither.
 */
#ifndef MARTLET_COMPILER_H
#define MARTLET_COMPILER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct martlet_model; /* of martlet.h */

/* A model compiled and loaded. */
typedef struct martlet_compiled martlet_compiled;

/* "0.1.0" */
const char *martlet_compiler_version(void);

/* What the last call of this thread that failed says; "" when none did. Valid until the thread's next call. */
const char *martlet_compiler_message(void);

/* Compiles a model for this machine and loads it. */
int32_t martlet_compiler_load(const char *model, const char *options, martlet_compiled **compiled);

/* The table of the loaded model; lives until `compiled` is released. */
const struct martlet_model *martlet_compiled_table(const martlet_compiled *compiled);

/* Unloads the model. Its contexts and pools must be destroyed before. NULL is fine. */
void martlet_compiler_release(martlet_compiled *compiled);

/* Compiles a model into a file: .so, .a, .o, or an executable without a suffix, with a header beside libraries. */
int32_t martlet_compiler_write(const char *model, const char *options, const char *output);

#ifdef __cplusplus
}
#endif

#endif
