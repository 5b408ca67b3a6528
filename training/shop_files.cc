#include "training/shop_files.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <unordered_set>

#include "engine/errors.h"
#include "training/text_file_writer.h"

namespace bouquet::training {
namespace {

constexpr int64_t kRowsBetweenReports = 1 << 18;

void put_two_digits(char* at, int64_t value) {
  at[0] = static_cast<char>('0' + value / 10);
  at[1] = static_cast<char>('0' + value % 10);
}

// Seconds as `2025-12-31 13:05:59`. Remembers the day, which is nearly always that of the row before.
class TimeText {
 public:
  std::string_view of(int64_t seconds) {
    const int64_t day = seconds / 86400, second = seconds % 86400;
    if (day != day_) set_day(day);
    put_two_digits(text_ + 11, second / 3600);
    put_two_digits(text_ + 14, second / 60 % 60);
    put_two_digits(text_ + 17, second % 60);
    return {text_, 19};
  }

 private:
  void set_day(int64_t day) {
    day_ = day;
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
    put_two_digits(text_, static_cast<int>(date.year()) / 100);
    put_two_digits(text_ + 2, static_cast<int>(date.year()) % 100);
    put_two_digits(text_ + 5, static_cast<unsigned>(date.month()));
    put_two_digits(text_ + 8, static_cast<unsigned>(date.day()));
  }
  char text_[20] = "0000-00-00 00:00:00";
  int64_t day_ = -1;
};

void put_price(TextFileWriter& out, int32_t cents) {
  char text[3] = {'.', '0', '0'};
  put_two_digits(text + 1, cents % 100);
  out.put(static_cast<int64_t>(cents / 100));
  out.put(std::string_view(text, 3));
}

// Rows of events in one of the formats.
class EventWriter {
 public:
  EventWriter(const SyntheticShop& shop, ShopFormat format, TextFileWriter& out) : shop_(shop), format_(format), out_(out) {
    if (format == ShopFormat::kCsv) out_.put("customer_id,item_id,time,value,price,basket_id\n");
    for (ItemIndex item = 0; item < shop.settings().items; ++item) item_ids_.push_back(shop.item_id(item));
  }

  void put(const ShopEvent& event) {
    if (event.customer != customer_) customer_id_ = shop_.customer_id(event.customer);
    customer_ = event.customer;
    const bool csv = format_ == ShopFormat::kCsv;
    out_.put(csv ? "" : "{\"customer_id\":\"");
    out_.put(customer_id_);
    out_.put(csv ? "," : "\",\"item_id\":\"");
    out_.put(item_ids_[static_cast<size_t>(event.item)]);
    out_.put(csv ? "," : "\",\"time\":\"");
    out_.put(time_.of(event.time));
    out_.put(csv ? "," : "\",\"value\":");
    out_.put(static_cast<int64_t>(event.value));
    out_.put(csv ? "," : ",\"price\":");
    put_price(out_, event.cents);
    out_.put(csv ? "," : ",\"basket_id\":\"");
    out_.put(event.basket + 1);
    out_.put(csv ? "\n" : "\"}\n");
  }

 private:
  const SyntheticShop& shop_;
  ShopFormat format_;
  TextFileWriter& out_;
  std::vector<std::string> item_ids_;
  CustomerIndex customer_ = kNone;
  std::string customer_id_;
  TimeText time_;
};

// Counts what goes by.
class Tally {
 public:
  Tally(const SyntheticShop& shop, ShopFiles& files, const std::function<void(int64_t)>& progress)
      : files_(files), progress_(progress), seen_by_(static_cast<size_t>(shop.settings().items), kNone) {}

  void count(std::span<const ShopEvent> life) {
    for (const ShopEvent& event : life) {
      CustomerIndex& last = seen_by_[static_cast<size_t>(event.item)];
      files_.pairs += last != event.customer;
      last = event.customer;
      files_.returns += event.value < 0;
    }
    files_.events += static_cast<int64_t>(life.size());
    if (!life.empty()) files_.baskets = std::max(files_.baskets, life.back().basket + 1);
    if (progress_ && files_.events >= next_report_) {
      progress_(files_.events);
      next_report_ = files_.events + kRowsBetweenReports;
    }
  }

 private:
  ShopFiles& files_;
  const std::function<void(int64_t)>& progress_;
  std::vector<CustomerIndex> seen_by_;
  int64_t next_report_ = kRowsBetweenReports;
};

absl::Status write_events(const SyntheticShop& shop, const std::string& path, ShopFormat format, ShopOrder order,
                          const std::function<void(int64_t)>& progress, ShopFiles& files) {
  absl::StatusOr<TextFileWriter> out = TextFileWriter::create(path);
  if (!out.ok()) return out.status();
  EventWriter writer(shop, format, *out);
  Tally tally(shop, files, progress);
  std::vector<ShopEvent> all;
  shop.for_each_customer([&](std::span<const ShopEvent> life) {
    tally.count(life);
    if (order == ShopOrder::kTime)
      all.insert(all.end(), life.begin(), life.end());
    else
      for (const ShopEvent& event : life) writer.put(event);
    return !out->failed();
  });
  std::stable_sort(all.begin(), all.end(), [](const ShopEvent& a, const ShopEvent& b) { return a.time < b.time; });
  for (const ShopEvent& event : all) writer.put(event);
  files.bytes = out->bytes();
  return out->finish();
}

// The rest of a row: planted attributes, if there are any.
void put_names(TextFileWriter& out, const PlantedSide* plant) {
  for (int32_t a = 0; plant != nullptr && a < plant->attributes(); ++a) out.put("," + plant->name(a));
  out.put('\n');
}

void put_values(TextFileWriter& out, const PlantedSide* plant, int64_t row) {
  for (int32_t a = 0; plant != nullptr && a < plant->attributes(); ++a) out.put("," + plant->value(row, a).text());
  out.put('\n');
}

absl::Status write_customers(const SyntheticShop& shop, const std::string& path) {
  absl::StatusOr<TextFileWriter> out = TextFileWriter::create(path);
  if (!out.ok()) return out.status();
  out->put("customer_id");
  put_names(*out, shop.customer_plant());
  for (CustomerIndex customer = 0; customer < shop.settings().customers; ++customer) {
    out->put(shop.customer_id(customer));
    put_values(*out, shop.customer_plant(), customer);
  }
  return out->finish();
}

// The types of the attributes, for `bouquet train --config`.
absl::Status write_types(const SyntheticShop& shop, const std::string& path) {
  absl::StatusOr<TextFileWriter> out = TextFileWriter::create(path);
  if (!out.ok()) return out.status();
  const auto put_side = [&](const std::string& side, const PlantedSide& plant) {
    for (int32_t a = 0; a < plant.attributes(); ++a) {
      out->put("[attributes." + side + "." + plant.name(a) + "]\ntype = \"");
      out->put(attribute_type_name(plant.type(a)));
      out->put("\"\n");
    }
  };
  put_side("customer", *shop.customer_plant());
  put_side("item", *shop.item_plant());
  return out->finish();
}

absl::Status write_items(const SyntheticShop& shop, const std::string& path) {
  absl::StatusOr<TextFileWriter> out = TextFileWriter::create(path);
  if (!out.ok()) return out.status();
  const PlantedSide* plant = shop.item_plant();  // then the category would give the taste away
  out->put(plant == nullptr ? "item_id,title,category,kind,price" : "item_id,title,kind,price");
  put_names(*out, plant);
  for (ItemIndex item = 0; item < shop.settings().items; ++item) {
    out->put(shop.item_id(item) + "," + shop.title(item) + ",");
    if (plant == nullptr) out->put(shop.category(item) + ",");
    out->put(item_kind_name(shop.kind(item)));
    out->put(',');
    put_price(*out, shop.cents(item));
    put_values(*out, plant, item);
  }
  return out->finish();
}

// The planted tastes of a customer from 1 in 1,000 on.
void put_shares(TextFileWriter& out, const SyntheticShop& shop, CustomerIndex customer) {
  const std::vector<double> tastes = shop.customer_plant()->tastes(customer);
  for (size_t k = 0; k < tastes.size(); ++k)
    if (tastes[k] >= 0.001)
      out.put(shop.customer_id(customer) + "," + shop.taste_name(static_cast<int32_t>(k)) + "," + std::to_string(tastes[k]) + "\n");
}

absl::Status write_truth(const SyntheticShop& shop, const std::string& path) {
  absl::StatusOr<TextFileWriter> out = TextFileWriter::create(path);
  if (!out.ok()) return out.status();
  out->put("customer_id,category,share\n");
  constexpr std::string_view kShares[kTastesPerCustomer] = {"0.6", "0.3", "0.1"};
  for (CustomerIndex customer = 0; customer < shop.settings().customers; ++customer) {
    if (shop.customer_plant() != nullptr) {
      put_shares(*out, shop, customer);
      continue;
    }
    const std::vector<int32_t> tastes = shop.tastes_of(customer);
    for (size_t i = 0; i < tastes.size(); ++i) {
      out->put(shop.customer_id(customer) + "," + shop.taste_name(tastes[i]) + ",");
      out->put(kShares[i]);
      out->put('\n');
    }
  }
  return out->finish();
}

}  // namespace

absl::StatusOr<ShopFiles> write_shop(const SyntheticShop& shop, const std::string& folder, ShopFormat format, ShopOrder order,
                                     const std::function<void(int64_t)>& progress) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return no_resource("cannot create " + folder + ": " + error.message());
  ShopFiles files;
  files.files = {folder + (format == ShopFormat::kCsv ? "/events.csv" : "/events.jsonl"), folder + "/items.csv", folder + "/truth.csv"};
  if (shop.customer_plant() != nullptr) {
    files.files.insert(files.files.end(), {folder + "/customers.csv", folder + "/bouquet.toml"});
    if (absl::Status s = write_customers(shop, files.files[3]); !s.ok()) return s;
    if (absl::Status s = write_types(shop, files.files[4]); !s.ok()) return s;
  }
  if (absl::Status s = write_items(shop, files.files[1]); !s.ok()) return s;
  if (absl::Status s = write_truth(shop, files.files[2]); !s.ok()) return s;
  if (absl::Status s = write_events(shop, files.files[0], format, order, progress, files); !s.ok()) return s;
  return files;
}

}  // namespace bouquet::training
