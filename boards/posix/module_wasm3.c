// The modules as bytes; embed.S brings them in.
#include <string.h>

#include "module.h"

#define EMBEDDED(profile) extern const uint8_t mote_module_##profile[], mote_module_##profile##_end[];
EMBEDDED(minimal)
EMBEDDED(device)

bool mote_module_find(const char *profile, mote_options_t *ref_options) {
    bool is_minimal = strcmp(profile, "minimal") == 0;
    if (!is_minimal && strcmp(profile, "device") != 0) return false;
    const uint8_t *begin = is_minimal ? mote_module_minimal : mote_module_device;
    const uint8_t *end = is_minimal ? mote_module_minimal_end : mote_module_device_end;
    ref_options->module = begin;
    ref_options->module_length = (size_t)(end - begin);
    return true;
}
