// Ahead of time the module is linked in, and there is only the one.
#include <string.h>

#include "module.h"

bool mote_module_find(const char *profile, mote_options_t *ref_options) {
    ref_options->module = NULL;
    return strcmp(profile, MOTE_MODULE_DEFAULT) == 0;
}
