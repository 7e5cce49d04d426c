// The headers are C++ as well, and link from there.
#include <cstdio>

#include "mote.h"
#include "mote_posix.h"

int main() {
    mote_t *mote = nullptr;
    mote_span_t span = {"Ok", 2};
    bool passed = mote == nullptr && mote_span_equals(span, mote_status_name(MOTE_STATUS_OK)) && sizeof(mote_t) > 0;
    std::printf("%d passed, %d failed\n", passed ? 1 : 0, passed ? 0 : 1);
    return passed ? 0 : 1;
}
