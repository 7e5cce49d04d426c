// Adds a floating-point number as a decimal. On its own so that firmware without doubles does not link them.
#include "client.h"

// Beyond this the scaled value does not fit 64 bits.
#define SCALED_LIMIT 9.2e18

static int32_t refuse(mote_t *mote, int32_t status) {
    if (mote->message_open && mote->message_status == MOTE_STATUS_OK) mote->message_status = status;
    return mote_fail(mote, status, "mote_add_double", 0);
}

int32_t mote_add_double(mote_t *mote, const char *key, double value, uint8_t decimals) {
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    if (decimals > 9) return refuse(mote, MOTE_STATUS_INVALID_VALUE);
    double scaled = value * powers[decimals];
    // Written so that NaN fails it too.
    if (!(scaled > -SCALED_LIMIT && scaled < SCALED_LIMIT)) return refuse(mote, MOTE_STATUS_INVALID_NUMBER);
    int64_t mantissa = (int64_t)scaled;
    double rest = scaled - (double)mantissa;
    if (rest >= 0.5) mantissa++;
    if (rest <= -0.5) mantissa--;
    if (decimals == 0) return mote_add_integer(mote, key, mantissa);
    return mote_add_decimal(mote, key, mantissa, decimals);
}
