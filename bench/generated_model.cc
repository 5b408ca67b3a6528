#include "bench/generated_model.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/attribute_encoder.h"

namespace bouquet::bench {
namespace {

std::vector<float> made_up_rows(int32_t rows, int32_t d, std::mt19937_64& random) {
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<size_t>(rows) * static_cast<size_t>(d));
  for (size_t at = 0; at < out.size(); ++at) out[at] = normal(random) / std::sqrt(1 + static_cast<float>(at % static_cast<size_t>(d)));
  return out;
}

std::vector<float> gram(const std::vector<float>& rows, size_t d) {
  std::vector<double> sum(d * d, 0);
  for (size_t r = 0; r < rows.size(); r += d)
    for (size_t a = 0; a < d; ++a)
      for (size_t b = 0; b < d; ++b) sum[a * d + b] += static_cast<double>(rows[r + a]) * rows[r + b];
  return {sum.begin(), sum.end()};
}

IdTable ids(const char* prefix, int32_t count) {
  IdMap map;
  for (int32_t i = 0; i < count; ++i) map.add(prefix + std::to_string(1000000 + i));
  return std::move(map).freeze();
}

StringColumn strings(int32_t count, const std::string& text, int32_t different) {
  std::vector<char> bytes;
  std::vector<uint64_t> offsets{0};
  for (int32_t i = 0; i < count; ++i) {
    const std::string row = text + std::to_string(i % different);
    bytes.insert(bytes.end(), row.begin(), row.end());
    offsets.push_back(bytes.size());
  }
  return {std::move(bytes), std::move(offsets)};
}

Histories made_up_histories(const GeneratedModel& settings, std::mt19937_64& random) {
  std::uniform_int_distribution<int32_t> any_item(0, settings.items - 1);
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> items;
  for (int32_t c = 0; c < settings.customers; ++c) {
    std::set<int32_t> history;
    while (static_cast<int32_t>(history.size()) < std::min(settings.history, settings.items)) history.insert(any_item(random));
    items.insert(items.end(), history.begin(), history.end());
    offsets.push_back(static_cast<int64_t>(items.size()));
  }
  Histories out;
  const size_t pairs = items.size();
  out.offsets = std::move(offsets);
  out.items = std::move(items);
  out.confidences = std::vector<float>(pairs, 1);
  out.consumed = std::vector<uint8_t>(pairs, 1);
  out.repurchase = std::vector<float>(pairs, 1);
  out.counts = std::vector<int32_t>(pairs, 1);
  return out;
}

int32_t number_count(const GeneratedModel& settings) { return std::min(settings.attributes, kGeneratedNumbers); }

void add_attributes(const GeneratedModel& settings, std::mt19937_64& random, Artifact& out) {
  std::vector<Attribute> attributes;
  for (int32_t a = 0; a < settings.attributes; ++a) {
    const std::string name = "attribute_" + std::to_string(100000 + a);
    if (a < number_count(settings))
      attributes.push_back({name, NumberTransform{.log1p = false, .low = 0, .high = 1000, .mean = 500, .deviation = 300}});
    else
      attributes.push_back({name, FlagTransform{}});
  }
  AttributeSchema schema = *AttributeSchema::make(std::move(attributes));  // within every limit
  AttributeEncoder encoder(schema);
  GrowingAttributes table(schema.column_count(), schema.dense_count());
  std::vector<AttributeValue> row(static_cast<size_t>(settings.attributes));
  std::vector<float> dense(static_cast<size_t>(schema.dense_count())), values;
  std::vector<int32_t> columns;
  for (int32_t c = 0; c < settings.customers; ++c) {
    for (int32_t a = 0; a < settings.attributes; ++a) {
      const double value = generated_attribute(settings, c, a);
      row[static_cast<size_t>(a)] = a < number_count(settings) ? AttributeValue::of_number(value) : AttributeValue::of_flag(value != 0);
    }
    columns.clear();
    values.clear();
    encoder.encode(row, dense, columns, values).IgnoreError();  // every value is of its attribute's type
    table.append(dense, columns, values);
  }
  out.model.customer_prior = {schema.dense_count(), made_up_rows(schema.column_count() + 1, settings.dimension, random)};
  out.customer_attributes = {std::move(schema), std::move(table).take()};
}

}  // namespace

double generated_attribute(const GeneratedModel& settings, int32_t c, int32_t a) {
  if (a < number_count(settings)) return (int64_t{a} * 7919 + int64_t{c} * 104729) % 1000 + 0.25;
  const int32_t flags = settings.attributes - number_count(settings);
  const int64_t step = std::max(flags / kGeneratedTrueFlags, 1);
  return (a - number_count(settings) + c) % step == 0 ? 1 : 0;
}

Artifact generate_model(const GeneratedModel& settings) {
  std::mt19937_64 random(settings.seed);
  Artifact out;
  out.rules = {.types = built_in_event_types(), .reference_time = 0};
  out.recipe.options.dimension = settings.dimension;
  out.recipe.backend = "generated";
  out.model.dimension = settings.dimension;
  std::vector<float> items = made_up_rows(settings.items, settings.dimension, random);
  out.model.item_gram = gram(items, static_cast<size_t>(settings.dimension));
  out.model.item_vectors = std::move(items);
  out.model.profiles = made_up_rows(settings.customers, settings.dimension, random);
  out.model.constants = {.unobserved_weight = 0.1,
                         .regularization = 0.01,
                         .regularization_exponent = 0.5,
                         .training_item_count = settings.items,
                         .training_customer_count = settings.customers};
  out.customer_ids = ids("c", settings.customers);
  out.item_ids = ids("i", settings.items);
  out.catalog.titles = strings(settings.items, "An article of the shop, number ", settings.items);
  out.catalog.categories = strings(settings.items, "Department ", 50);
  out.histories = made_up_histories(settings, random);
  std::vector<int32_t> popularity(static_cast<size_t>(settings.items), 0);
  for (const int32_t item : out.histories.items) ++popularity[static_cast<size_t>(item)];
  out.item_customers = std::move(popularity);
  if (settings.attributes > 0) add_attributes(settings, random, out);
  return out;
}

}  // namespace bouquet::bench
