// What the board of `mote device` has behind `io`, simulated in boards/posix/board.c and host/cli/board.ts. A real board names its own.

/** The first argument of `io`. Every operation answers a Status when the board has no such pin. */
export const enum Io {
  PinRead = 1, // bytes: u8 pin; the answer is 0 or 1
  PinWrite = 2, // bytes: u8 pin, u8 level; the answer is 0
  TemperatureRead = 3, // the board writes an i32 of hundredths of a degree; the answer is 4
}

/** Pins of the board: 1 to this number. */
export const PINS: i32 = 8;

/** The pin that switches the heater. */
export const HEATER_PIN: i32 = 1;
