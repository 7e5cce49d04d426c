// Adds a floating-point number as a decimal. On its own so that firmware without doubles does not link them.
#include "client.h"

// Beyond this the scaled value does not fit 64 bits.
#define SCALED_LIMIT 0x1p63
// 2^1024 in limbs of nine digits.
#define LIMB 1000000000u
#define LIMBS 35

static int32_t refuse(mote_t *mote, int32_t status) {
    if (mote->message_open && mote->message_status == MOTE_STATUS_OK) mote->message_status = status;
    mote->message_limit = 0;
    return mote_fail(mote, status, "mote_add_double", 0);
}

// What ThingsBoard would store as text, and JSON cannot carry as a number or not to the digit, is text already.
static int32_t add_large(mote_t *mote, const char *key, double value) {
    if (value != value) return mote_add_text(mote, key, "NaN");
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t exponent = (uint32_t)(bits >> 52) & 0x7FF;
    if (exponent == 0x7FF) return mote_add_text(mote, key, value < 0 ? "-Infinity" : "Infinity");

    // An integer: its mantissa, multiplied by two as often as the exponent says.
    uint64_t mantissa = (bits & 0xFFFFFFFFFFFFF) | 1ull << 52;
    uint32_t limbs[LIMBS] = {(uint32_t)(mantissa % LIMB), (uint32_t)(mantissa / LIMB)};
    uint32_t count = 2;
    for (uint32_t twos = exponent - 1075; twos > 0;) {
        uint32_t shift = twos < 29 ? twos : 29;
        uint64_t carry = 0;
        for (uint32_t i = 0; i < count; i++) {
            carry += (uint64_t)limbs[i] << shift;
            limbs[i] = (uint32_t)(carry % LIMB);
            carry /= LIMB;
        }
        if (carry > 0) limbs[count++] = (uint32_t)carry;
        twos -= shift;
    }
    char text[9 * LIMBS + 2];
    char *to = text + sizeof text - 1;
    *to = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (int digit = 0; digit < 9; digit++, limbs[i] /= 10) *--to = (char)('0' + limbs[i] % 10);
    }
    while (*to == '0') to++;
    if (value < 0) *--to = '-';
    return mote_add_text(mote, key, to);
}

int32_t mote_add_double(mote_t *mote, const char *key, double value, uint8_t decimals) {
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    if (decimals > 9) return refuse(mote, MOTE_STATUS_INVALID_VALUE);
    // Written so that NaN fails it too.
    if (!(value >= -SCALED_LIMIT && value < SCALED_LIMIT)) return add_large(mote, key, value);
    // A double has 17 digits: those that 64 bits do not hold are zeros.
    while (!(value * powers[decimals] >= -SCALED_LIMIT && value * powers[decimals] < SCALED_LIMIT)) decimals--;
    double scaled = value * powers[decimals];
    int64_t mantissa = (int64_t)scaled;
    double rest = scaled - (double)mantissa;
    if (rest >= 0.5) mantissa++;
    if (rest <= -0.5) mantissa--;
    if (decimals == 0) return mote_add_integer(mote, key, mantissa);
    return mote_add_decimal(mote, key, mantissa, decimals);
}
