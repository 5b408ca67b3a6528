#include "tests/fuzz/message_mutator.h"

#include <algorithm>
#include <array>
#include <limits>

namespace bouquet::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::array kIntegers = {int64_t{0},
                                  int64_t{1},
                                  int64_t{2},
                                  int64_t{10},
                                  int64_t{-1},
                                  int64_t{1000},
                                  int64_t{1001},
                                  int64_t{10001},
                                  int64_t{999999999},
                                  int64_t{1700000000},
                                  int64_t{-62135596800},
                                  int64_t{253402300799},
                                  int64_t{std::numeric_limits<int32_t>::max()},
                                  int64_t{std::numeric_limits<int32_t>::min()},
                                  std::numeric_limits<int64_t>::max(),
                                  std::numeric_limits<int64_t>::min()};
constexpr std::array kReals = {0.0,
                               1.0,
                               -1.0,
                               2.5,
                               1e-45,
                               1e-30,
                               1e5,
                               1e10,
                               -1e20,
                               3e38,
                               -3e38,
                               std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN()};
const std::array<std::string, 8> kTexts = {
    "", std::string(128, 'x'), std::string(129, 'x'), std::string("nul\0inside", 10), "../", "\xF0\x9F\x8C\xB7", "\n\"=", "\x7F"};

}  // namespace

void MessageMutator::fill(Message& message, int depth) {
  const auto& type = *message.GetDescriptor();
  for (int f = 0; f < type.field_count(); ++f)
    if (below(depth == 0 ? 2 : 3) != 0) set_field(message, *type.field(f), depth);
}

void MessageMutator::change(Message& message) {
  const auto& type = *message.GetDescriptor();
  if (type.field_count() == 0) return;
  const FieldDescriptor& field = *type.field(static_cast<int>(below(static_cast<size_t>(type.field_count()))));
  const auto& how = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && below(4) != 0) {
    if (!field.is_repeated()) return change(*how.MutableMessage(&message, &field));
    if (const int size = how.FieldSize(message, &field); size > 0)
      return change(*how.MutableRepeatedMessage(&message, &field, static_cast<int>(below(static_cast<size_t>(size)))));
  }
  if (below(4) == 0) return how.ClearField(&message, &field);
  if (field.is_repeated() && below(2) == 0) how.ClearField(&message, &field);
  set_field(message, field, 1);
}

void MessageMutator::set_field(Message& message, const FieldDescriptor& field, int depth) {
  const int count = field.is_repeated() ? how_many() : 1;
  for (int i = 0; i < count; ++i) add_or_set(message, field, depth);
}

// Mostly a few; now and then a limit, or one past it.
int MessageMutator::how_many() {
  switch (below(400)) {
    case 0: return 10000;
    case 1: return 10001;
    case 2:
    case 3: return 1001;
    case 4:
    case 5: return 100;
    case 6:
    case 7: return 101;
    default: return static_cast<int>(below(6));
  }
}

void MessageMutator::add_or_set(Message& message, const FieldDescriptor& field, int depth) {
  const auto& how = *message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = static_cast<int32_t>(integer());
      many ? how.AddInt32(&message, &field, value) : how.SetInt32(&message, &field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const int64_t value = integer();
      many ? how.AddInt64(&message, &field, value) : how.SetInt64(&message, &field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_FLOAT: {
      const auto value = static_cast<float>(real());
      many ? how.AddFloat(&message, &field, value) : how.SetFloat(&message, &field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const double value = real();
      many ? how.AddDouble(&message, &field, value) : how.SetDouble(&message, &field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto value = static_cast<uint32_t>(integer());
      many ? how.AddUInt32(&message, &field, value) : how.SetUInt32(&message, &field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_BOOL: how.SetBool(&message, &field, below(2) == 0); break;
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int value = below(8) == 0 ? static_cast<int>(static_cast<int32_t>(integer())) : static_cast<int>(below(5));
      many ? how.AddEnumValue(&message, &field, value) : how.SetEnumValue(&message, &field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_STRING: many ? how.AddString(&message, &field, text()) : how.SetString(&message, &field, text()); break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth < 4) fill(many ? *how.AddMessage(&message, &field) : *how.MutableMessage(&message, &field), depth + 1);
      break;
    default: break;  // no request has a field of another type
  }
}

std::string MessageMutator::text() {
  if (below(8) != 0) return ids_[below(ids_.size())];
  return kTexts[below(kTexts.size())];
}

int64_t MessageMutator::integer() { return below(2) == 0 ? static_cast<int64_t>(below(40)) : kIntegers[below(kIntegers.size())]; }

double MessageMutator::real() { return kReals[below(kReals.size())]; }

std::string MessageMutator::bytes_of(const Message& message) {
  std::string bytes = message.SerializeAsString();
  const std::string whole = bytes;
  if (below(3) != 0)
    for (size_t times = 1 + below(4); times > 0; --times) damage(bytes);
  last_bytes_ = whole;
  return bytes;
}

void MessageMutator::damage(std::string& bytes) {
  const size_t at = below(bytes.size() + 1);
  switch (below(7)) {
    case 0: bytes.resize(at); break;
    case 1: bytes.insert(at, 1, static_cast<char>(below(256))); break;
    case 2: bytes.insert(at, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"); break;             // a number past every field's range
    case 3: bytes.insert(at, bytes.substr(at / 2, std::min<size_t>(at, 64))); break;         // something twice
    case 4: bytes.replace(at, std::string::npos, last_bytes_, 0, std::string::npos); break;  // half of this, all of that
    default:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
  }
}

}  // namespace bouquet::fuzz
