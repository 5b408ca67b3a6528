#include "training/attribute_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/errors.h"

namespace bouquet::training {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::string& text) {
  const auto settings = attribute_settings_from(toml::parse(text));
  return settings.ok() ? "accepted" : std::string(message_of(settings.status()));
}

TEST(AttributeConfig, ReadsEveryKey) {
  const auto settings = attribute_settings_from(toml::parse(R"(
[attributes.customer.income]
type = "number"
transform = "log1p"
[attributes.customer."post code"]
ignore = true
[attributes.item.words]
type = "set"
weighted = true
min_count = 2
max_values = 100
[attributes.item.title]
type = "text"
bits = 14
)"));
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_TRUE(settings->customer.at("income").log1p);
  EXPECT_EQ(settings->customer.at("income").type, AttributeType::kNumber);
  EXPECT_TRUE(settings->customer.at("post code").ignore);
  EXPECT_TRUE(settings->item.at("words").weighted);
  EXPECT_EQ(settings->item.at("words").min_count, 2);
  EXPECT_EQ(settings->item.at("words").max_values, 100);
  EXPECT_EQ(settings->item.at("title").bits, 14);
  EXPECT_EQ(refusal("[train]\nthreads = 1\n"), "accepted");
}

TEST(AttributeConfig, NamesWhatIsWrong) {
  EXPECT_THAT(refusal("[attributes.shop.x]\n"), HasSubstr("attributes.shop is not known; tables are [attributes.customer.<name>]"));
  EXPECT_THAT(refusal("[attributes.item]\nx = 1\n"), HasSubstr("attributes.item.x must be a table: [attributes.item.x]"));
  EXPECT_THAT(refusal("[attributes.item.x]\ntipe = \"set\"\n"), HasSubstr("attributes.item.x.tipe is not known; the nearest is 'type'"));
  EXPECT_THAT(refusal("[attributes.item.x]\ntype = \"colour\"\n"), HasSubstr("is 'colour'; it takes number, category"));
  EXPECT_THAT(refusal("[attributes.item.x]\ntype = \"number\"\ntransform = \"sqrt\"\n"), HasSubstr("'sqrt'; it takes none or log1p"));
  EXPECT_THAT(refusal("[attributes.item.x]\ntype = \"text\"\nbits = 18\n"), HasSubstr("bits must be a whole number from 4 to 17"));
  EXPECT_THAT(refusal("[attributes.item.x]\ntype = \"set\"\nmin_count = 0\n"), HasSubstr("min_count must be a whole number from 1"));
  EXPECT_THAT(refusal("[attributes.item.x]\nbits = 8\n"), HasSubstr("bits needs a type beside it: text"));
  EXPECT_THAT(refusal("[attributes.item.x]\ntype = \"flag\"\nbits = 8\n"),
              HasSubstr("bits says nothing about type flag, only about: text"));
  EXPECT_THAT(refusal("[attributes.item.x]\nignore = 1\n"), HasSubstr("ignore must be true or false"));
}

}  // namespace
}  // namespace bouquet::training
