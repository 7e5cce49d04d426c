// Reads a JSON number as a double. On its own so that firmware without doubles does not link them.
#include <stdlib.h>

#include "client.h"

// Longest number text that is read; what is longer has more digits than a double keeps.
#define NUMBER_TEXT_MAX 64

int32_t mote_json_double(mote_t *mote, mote_span_t document, const char *path, double *out_value) {
    mote_json_t value;
    int32_t type = mote_json_find(mote, document, path, &value);
    if (type < 0) return type;
    if (type != MOTE_JSON_TYPE_NUMBER) return MOTE_STATUS_WRONG_TYPE;
    if (value.text.length >= NUMBER_TEXT_MAX) return MOTE_STATUS_INEXACT;
    char text[NUMBER_TEXT_MAX];
    memcpy(text, value.text.data, value.text.length);
    text[value.text.length] = 0;
    *out_value = strtod(text, NULL); // JSON's numbers are a part of what strtod takes
    return MOTE_STATUS_OK;
}
