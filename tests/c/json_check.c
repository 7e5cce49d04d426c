// Says of each text that it reads, four bytes of length in front of it, whether the host takes it for JSON: 1 or 0.
#include <stdio.h>
#include <stdlib.h>

#include "client.h"

int main(void) {
    uint32_t length;
    while (fread(&length, sizeof length, 1, stdin) == 1) {
        char *text = malloc(length); // as long as it is, so that a look behind it is seen
        if (text == NULL || fread(text, 1, length, stdin) != length) return 1;
        putchar(mote_json_check(text, length, 0) == MOTE_STATUS_OK ? '1' : '0');
        free(text);
    }
    return 0;
}
