// The C unit tests of one engine.
#include "harness.h"

int main(void) {
    test_net();
    test_ring();
    test_storage();
    test_config();
    test_engine();
    test_message();
    test_utf8();
    test_split();
    test_limits();
    test_hostile();
    test_device();
    test_handlers();
    test_posts();
    test_log();
    test_trap();
    printf("%u passed, %u failed\n", checks_passed, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
