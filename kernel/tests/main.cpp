// Runs all tests, or those whose names are given.
#include <cstring>

#include "check.hpp"

static bool is_wanted(const Test& test, int count, char** names) {
    for (int k = 1; k < count; ++k)
        if (!std::strcmp(names[k], test.name)) return true;
    return count == 1;
}

int main(int count, char** names) {
    int done = 0;
    for (const Test& test : tests()) {
        if (!is_wanted(test, count, names)) continue;
        std::printf("%s\n", test.name);
        std::fflush(stdout);
        test.run();
        ++done;
    }
    std::printf("%d passed\n", done);
    return done ? 0 : 1;
}
