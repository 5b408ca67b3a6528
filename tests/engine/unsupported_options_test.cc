#include "engine/unsupported_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/errors.h"
#include "engine/training_options.h"

namespace bouquet {
namespace {

TEST(UnsupportedOptions, EveryRowIsRefusedByNameWithWhatToDo) {
  ASSERT_FALSE(unsupported_options().empty());
  for (const UnsupportedOption& row : unsupported_options()) {
    const std::string value = row.value.empty() ? "4" : std::string(row.value);
    for (const std::string_view backend : {"cpu", "cuda"}) {
      const absl::Status s = check_supported(backend, row.option, value);
      if (row.backend != "any" && row.backend != backend) {
        EXPECT_TRUE(s.ok()) << s;
        continue;
      }
      EXPECT_TRUE(absl::IsUnimplemented(s)) << s;
      const std::string message(message_of(s));
      EXPECT_THAT(message, testing::HasSubstr("--" + std::string(row.option) + " " + value));
      EXPECT_THAT(message, testing::HasSubstr(std::string(row.instead)));
    }
  }
}

TEST(UnsupportedOptions, OtherValuesPass) {
  EXPECT_TRUE(check_supported("cuda", "solver", "exact").ok());
  EXPECT_TRUE(check_supported("cuda", "dimension", "128").ok());
}

TEST(UnsupportedOptions, SolversComeFromTheTable) {
  EXPECT_TRUE(absl::IsUnimplemented(parse_solver("pcg").status()));
  EXPECT_TRUE(absl::IsUnimplemented(parse_solver("block").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(parse_solver("magic").status()));
  EXPECT_TRUE(parse_solver("exact").ok());
}

}  // namespace
}  // namespace bouquet
