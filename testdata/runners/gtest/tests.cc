// What a test can do, for googletest.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

TEST(Basic, Passes) { EXPECT_EQ(2, 1 + 1); }
TEST(Basic, PassesToo) {}
TEST(Other, Passes) {}

TEST(Basic, Fails) {
  fprintf(stderr, "printed by the test\n");
  EXPECT_EQ(42, 41) << "the answer is 'wrong'";
  EXPECT_TRUE(false) << "and this too";
}

TEST(Basic, Throws) { throw std::runtime_error("boom"); }
TEST(Basic, Skips) { GTEST_SKIP() << "not today"; }
TEST(Basic, DISABLED_IsOff) { FAIL(); }

TEST(Basic, PrintsWhatLooksLikeAResult) {
  puts("[       OK ] Basic.Other (0 ms)");
  puts("[  FAILED  ] Basic.Passes (0 ms)");
  printf("no line end");
}

class Numbers : public testing::TestWithParam<std::string> {};
TEST_P(Numbers, AreShort) { EXPECT_LT(GetParam().size(), 5u); }
INSTANTIATE_TEST_SUITE_P(All, Numbers, testing::Values("one", "ü # x", "seven"));

template <class T>
class Typed : public testing::Test {};
using Types = testing::Types<int, std::string>;
TYPED_TEST_SUITE(Typed, Types);
TYPED_TEST(Typed, HasAValue) { EXPECT_EQ(TypeParam(), TypeParam()); }

class SetUpFails : public testing::Test {
 protected:
  static void SetUpTestSuite() { FAIL() << "no database"; }
};
TEST_F(SetUpFails, One) {}
TEST_F(SetUpFails, Two) {}

class TearDownFails : public testing::Test {
 protected:
  static void TearDownTestSuite() { FAIL() << "cannot remove the database"; }
};
TEST_F(TearDownFails, One) {}

TEST(Ends, Exits) { exit(0); }
TEST(Ends, Aborts) { abort(); }
TEST(Ends, Segfaults) { raise(SIGSEGV); }
TEST(Ends, Kills) { kill(getpid(), SIGKILL); }
TEST(Ends, Hangs) { sleep(600); }
TEST(Ends, After) {}
