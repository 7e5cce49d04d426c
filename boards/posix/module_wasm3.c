// The modules as bytes; embed.S brings them in.
#include <string.h>

#include "module.h"

#define EMBEDDED(profile) extern const uint8_t mote_module_##profile[], mote_module_##profile##_end[];
EMBEDDED(minimal)
EMBEDDED(device)
EMBEDDED(gateway)

bool mote_module_find(const char *profile, mote_options_t *ref_options) {
#define MODULE(profile) {#profile, mote_module_##profile, mote_module_##profile##_end}
    static const struct {
        const char *profile;
        const uint8_t *begin, *end;
    } modules[] = {MODULE(minimal), MODULE(device), MODULE(gateway)};
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        if (strcmp(profile, modules[i].profile) != 0) continue;
        ref_options->module = modules[i].begin;
        ref_options->module_length = (size_t)(modules[i].end - modules[i].begin);
        return true;
    }
    return false;
}
