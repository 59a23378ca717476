#include "include/CData.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char x86_64_v3[] = {
#embed "../../Targets/Profiles/x86-64-v3.json"
};
static const char x86_64_v4[] = {
#embed "../../Targets/Profiles/x86-64-v4.json"
};
static const char znver5[] = {
#embed "../../Targets/Profiles/znver5.json"
};
static const char aarch64[] = {
#embed "../../Targets/Profiles/aarch64.json"
};

static const CDataFile profiles[] = {
    {"x86-64-v3", x86_64_v3, sizeof x86_64_v3},
    {"x86-64-v4", x86_64_v4, sizeof x86_64_v4},
    {"znver5", znver5, sizeof znver5},
    {"aarch64", aarch64, sizeof aarch64},
};

size_t cdata_profile_count(void) { return sizeof profiles / sizeof profiles[0]; }

CDataFile cdata_profile(size_t index) { return profiles[index]; }
