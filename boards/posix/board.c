// A room with a heater at pin 1: it warms by 0.30 degrees between two readings, or cools by 0.20.
#include "board.h"

#include "mote_abi.h"

// The operations of assembly/apps/board.ts.
enum { PIN_READ = 1, PIN_WRITE = 2, TEMPERATURE_READ = 3 };

#define HEATER_PIN 1
#define WARMS_BY 30
#define COOLS_BY 20

static int32_t read_temperature(board_t *board, uint8_t *bytes) {
    board->temperature += board->levels[HEATER_PIN] != 0 ? WARMS_BY : -COOLS_BY;
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)((uint32_t)board->temperature >> 8 * i);
    return 4;
}

static int32_t write_pin(board_t *board, const uint8_t *bytes) {
    uint8_t *level = &board->levels[bytes[0]];
    if (*level == bytes[1]) return 0;
    *level = bytes[1];
    board->on_change(board->user, bytes[0], bytes[1]);
    return 0;
}

int32_t board_io(void *user, int32_t op, uint8_t *bytes, uint32_t length) {
    board_t *board = user;
    if (op == TEMPERATURE_READ && length >= 4) return read_temperature(board, bytes);
    if (length < 1 || bytes[0] < 1 || bytes[0] > BOARD_PINS) return MOTE_STATUS_INVALID_VALUE;
    if (op == PIN_READ) return board->levels[bytes[0]];
    return op == PIN_WRITE && length >= 2 && bytes[1] <= 1 ? write_pin(board, bytes) : MOTE_STATUS_INVALID_VALUE;
}
