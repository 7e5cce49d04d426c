// The modules that a program of this folder carries: as bytes for wasm3, linked in ahead of time.
#ifndef MOTE_MODULE_H
#define MOTE_MODULE_H

#include "mote.h"

#ifndef MOTE_MODULE_DEFAULT
#define MOTE_MODULE_DEFAULT "device"
#endif

// Fills in the module of a profile; false when this program does not carry it.
bool mote_module_find(const char *profile, mote_options_t *ref_options);

#endif
