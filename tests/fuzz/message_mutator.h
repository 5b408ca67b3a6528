// Requests that nobody would send on purpose: messages with fields at and past their limits, and bytes that are hardly messages at all.
// The same seed gives the same requests.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace bouquet::fuzz {

class MessageMutator {
 public:
  // `ids`: strings that mean something to whoever reads the messages.
  MessageMutator(unsigned seed, std::vector<std::string> ids) : random_(seed), ids_(std::move(ids)) {}

  // Sets some of the message's fields, and theirs, to values that are plausible, extreme or wrong.
  void fill(google::protobuf::Message& message, int depth = 0);

  // Changes one field, somewhere in the message: sets it, adds to it or takes it out.
  void change(google::protobuf::Message& message);

  // The message's bytes; two times in three a few of them were changed, moved, repeated or cut off.
  std::string bytes_of(const google::protobuf::Message& message);

  // A number from 0 to n - 1.
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

 private:
  void set_field(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field, int depth);
  void add_or_set(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field, int depth);
  int how_many();
  std::string text();
  int64_t integer();
  double real();
  void damage(std::string& bytes);

  std::mt19937 random_;
  const std::vector<std::string> ids_;
  std::string last_bytes_;  // of the message before, to splice with
};

}  // namespace bouquet::fuzz
