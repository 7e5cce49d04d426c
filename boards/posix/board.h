// The hardware of the demo board, simulated: what an app reaches by `io`. assembly/apps/board.ts names it for apps.
#ifndef MOTE_BOARD_H
#define MOTE_BOARD_H

#include <stdint.h>

#define BOARD_PINS 8

// Told of each pin that changes its level.
typedef void board_change_t(void *user, int pin, int level);

typedef struct board {
    uint8_t levels[BOARD_PINS + 1];
    int32_t temperature; // hundredths of a degree
    board_change_t *on_change;
    void *user;
} board_t;

// The mote_app_io_t of an app; `user` is the board_t.
int32_t board_io(void *user, int32_t op, uint8_t *bytes, uint32_t length);

#endif
