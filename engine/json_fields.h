// Typed, bounded access to a JSON object of unknown origin. The first complaint sticks, later reads give defaults, and nothing
// throws: a caller reads every field and then asks status() once.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/errors.h"

namespace bouquet {

class JsonFields {
 public:
  // `status` receives the first complaint and must outlive this, as must `object`. `path` says where the object stands.
  JsonFields(const nlohmann::ordered_json& object, std::string path, absl::Status& status)
      : object_(object), path_(std::move(path)), status_(status) {
    if (!object_.is_object()) complain("", "is not an object");
  }

  int64_t integer(const char* name, int64_t low, int64_t high) const {
    const auto* value = find(name);
    if (value == nullptr) return low;
    const bool fits = value->is_number_integer() && (!value->is_number_unsigned() || value->get<uint64_t>() <= uint64_t{INT64_MAX});
    const int64_t number = fits ? value->get<int64_t>() : 0;
    if (fits && low <= number && number <= high) return number;
    complain(name, "is not an integer from " + std::to_string(low) + " to " + std::to_string(high));
    return low;
  }
  uint64_t unsigned_integer(const char* name) const {
    const auto* value = find(name);
    if (value == nullptr) return 0;
    if (value->is_number_unsigned()) return value->get<uint64_t>();
    complain(name, "is not an integer of 0 or more");
    return 0;
  }
  // A number; null, which JSON has in place of NaN, only where `null_is_nan`.
  double number(const char* name, bool null_is_nan = false) const {
    const auto* value = find(name);
    if (value == nullptr) return 0;
    if (null_is_nan && value->is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (value->is_number()) return value->get<double>();
    complain(name, "is not a number");
    return 0;
  }
  bool boolean(const char* name) const {
    const auto* value = find(name);
    if (value == nullptr) return false;
    if (value->is_boolean()) return value->get<bool>();
    complain(name, "is neither true nor false");
    return false;
  }
  std::string text(const char* name) const {
    const auto* value = find(name);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get_ref<const std::string&>();
    complain(name, "is not a string");
    return {};
  }
  std::vector<std::string> texts(const char* name) const {
    std::vector<std::string> all;
    for (const auto& element : array(name)) {
      if (!element.is_string()) complain(name, "holds something that is not a string");
      if (element.is_string()) all.push_back(element.get_ref<const std::string&>());
    }
    return all;
  }
  JsonFields object(const char* name) const { return {find_or_empty(name, true), at(name), status_}; }
  const nlohmann::ordered_json& array(const char* name) const { return find_or_empty(name, false); }

  // Element `i` of array(name), as an object.
  JsonFields element(const char* name, size_t i) const { return {array(name)[i], at(name) + "[" + std::to_string(i) + "]", status_}; }

  void complain(const char* name, const std::string& what) const {
    if (status_.ok()) status_ = bad_input(at(name) + " " + what);
  }
  bool ok() const { return status_.ok(); }

 private:
  std::string at(const char* name) const { return *name == 0 ? path_ : path_.empty() ? name : path_ + "." + name; }
  const nlohmann::ordered_json* find(const char* name) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    if (found != object_.end()) return &*found;
    complain(name, "is missing");
    return nullptr;
  }
  const nlohmann::ordered_json& find_or_empty(const char* name, bool object) const {
    static const nlohmann::ordered_json kNoObject = nlohmann::ordered_json::object(), kNoArray = nlohmann::ordered_json::array();
    const auto* value = find(name);
    if (value != nullptr && (object ? value->is_object() : value->is_array())) return *value;
    if (value != nullptr) complain(name, object ? "is not an object" : "is not an array");
    return object ? kNoObject : kNoArray;
  }

  const nlohmann::ordered_json& object_;
  std::string path_;
  absl::Status& status_;
};

}  // namespace bouquet
