// An image slot that a vector scripts: it keeps no byte, answers what it was told to, and writes one line for each thing done to it.
//
//   image begins KIND SIZE HEX     ota_begin, what names the image in hex
//   image takes HEX                ota_write, what was accepted
//   image verifies ALGORITHM HEX   ota_verify, the checksum in hex
//   image ACTION                   `is committed`, `is dropped`, `is confirmed`
#ifndef SCRIPTED_SLOT_H
#define SCRIPTED_SLOT_H

#include "mote.h"

// A slot that takes everything. It is one for the whole program.
void scripted_slot_init(void);

// From now on `resumes` = the offset that it begins at, `takes` = bytes that it still takes, `busy` = 1 or 0, `verdict` = what a check
// of the checksum answers, `fails` = the status of everything, `boots` = its mote_ota_boot_state. False for anything else.
bool scripted_slot_set(const char *what, int64_t value);

// Puts its functions into those of a port.
void scripted_slot_add(mote_port_functions_t *ref_functions);

#endif
