// A second binary, with a test of the same name.
#include <gtest/gtest.h>

TEST(Basic, Passes) {}
