// A binary that fails before it can tell its tests.
#include <stdio.h>

int main() {
  fprintf(stderr, "no configuration, not even for --gtest_list_tests\n");
  return 3;
}
