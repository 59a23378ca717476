#include "include/CData.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char arguments_c[] = {
#embed "../Runtime/arguments.c"
};
static const char bind_c[] = {
#embed "../Runtime/bind.c"
};
static const char context_c[] = {
#embed "../Runtime/context.c"
};
static const char cpu_c[] = {
#embed "../Runtime/cpu.c"
};
static const char dispatch_c[] = {
#embed "../Runtime/dispatch.c"
};
static const char executable_c[] = {
#embed "../Runtime/executable.c"
};
static const char frame_c[] = {
#embed "../Runtime/frame.c"
};
static const char helpers_h[] = {
#embed "../Runtime/helpers.h"
};
static const char helpers_convert_c[] = {
#embed "../Runtime/helpers_convert.c"
};
static const char helpers_divide_c[] = {
#embed "../Runtime/helpers_divide.c"
};
static const char helpers_double_c[] = {
#embed "../Runtime/helpers_double.c"
};
static const char helpers_memory_c[] = {
#embed "../Runtime/helpers_memory.c"
};
static const char keep_c[] = {
#embed "../Runtime/keep.c"
};
static const char lists_c[] = {
#embed "../Runtime/lists.c"
};
static const char martlet_h[] = {
#embed "../Runtime/martlet.h"
};
static const char memory_c[] = {
#embed "../Runtime/memory.c"
};
static const char npy_c[] = {
#embed "../Runtime/npy.c"
};
static const char pool_c[] = {
#embed "../Runtime/pool.c"
};
static const char profile_c[] = {
#embed "../Runtime/profile.c"
};
static const char random_c[] = {
#embed "../Runtime/random.c"
};
static const char runtime_c[] = {
#embed "../Runtime/runtime.c"
};
static const char runtime_h[] = {
#embed "../Runtime/runtime.h"
};
static const char strings_c[] = {
#embed "../Runtime/strings.c"
};
static const char system_c[] = {
#embed "../Runtime/system.c"
};
static const char text_c[] = {
#embed "../Runtime/text.c"
};
static const char weights_c[] = {
#embed "../Runtime/weights.c"
};

static const CDataFile files[] = {
    {"arguments.c", arguments_c, sizeof arguments_c},
    {"bind.c", bind_c, sizeof bind_c},
    {"context.c", context_c, sizeof context_c},
    {"cpu.c", cpu_c, sizeof cpu_c},
    {"dispatch.c", dispatch_c, sizeof dispatch_c},
    {"executable.c", executable_c, sizeof executable_c},
    {"frame.c", frame_c, sizeof frame_c},
    {"helpers.h", helpers_h, sizeof helpers_h},
    {"helpers_convert.c", helpers_convert_c, sizeof helpers_convert_c},
    {"helpers_divide.c", helpers_divide_c, sizeof helpers_divide_c},
    {"helpers_double.c", helpers_double_c, sizeof helpers_double_c},
    {"helpers_memory.c", helpers_memory_c, sizeof helpers_memory_c},
    {"keep.c", keep_c, sizeof keep_c},
    {"lists.c", lists_c, sizeof lists_c},
    {"martlet.h", martlet_h, sizeof martlet_h},
    {"memory.c", memory_c, sizeof memory_c},
    {"npy.c", npy_c, sizeof npy_c},
    {"pool.c", pool_c, sizeof pool_c},
    {"profile.c", profile_c, sizeof profile_c},
    {"random.c", random_c, sizeof random_c},
    {"runtime.c", runtime_c, sizeof runtime_c},
    {"runtime.h", runtime_h, sizeof runtime_h},
    {"strings.c", strings_c, sizeof strings_c},
    {"system.c", system_c, sizeof system_c},
    {"text.c", text_c, sizeof text_c},
    {"weights.c", weights_c, sizeof weights_c},
};

size_t cdata_runtime_file_count(void) { return sizeof files / sizeof files[0]; }

CDataFile cdata_runtime_file(size_t index) { return files[index]; }
