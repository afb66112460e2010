// All that the tests need of a framework: TEST(name) { CHECK(condition); }
#pragma once

#include <cstdio>
#include <cstdlib>
#include <vector>

struct Test {
    const char* name;
    void (*run)();
};

inline std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

#define TEST(name)                                                            \
    static void name();                                                       \
    static const bool name##_is_known = (tests().push_back({#name, name}), true); \
    static void name()

// Ends the program: what follows would rest on what is wrong.
#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                         \
        }                                                                         \
    } while (false)
