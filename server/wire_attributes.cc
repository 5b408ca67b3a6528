#include "server/wire_attributes.h"

#include <bit>
#include <cstring>

#include "server/request_limits.h"

namespace bouquet::server {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as the wire has them");

using Kind = AttributeValue::Kind;

enum WireType : uint8_t { kVarint = 0, kEightBytes = 1, kSized = 2, kFourBytes = 5 };
constexpr char tag(int field, WireType type) { return static_cast<char>(field << 3 | type); }
constexpr char kAttributeTag = tag(WireAttributes::kField, kSized);

// Up to 2^28 - 1, which is more than a message may have bytes here.
bool take_long_number(std::string_view& from, uint32_t& out) {
  out = 0;
  for (size_t i = 0; i < 4 && i < from.size(); ++i) {
    const auto byte = static_cast<uint8_t>(from[i]);
    out |= uint32_t{byte & 0x7Fu} << (7 * i);
    if (byte >= 0x80) continue;
    from.remove_prefix(i + 1);
    return true;
  }
  return false;
}

inline bool take_number(std::string_view& from, uint32_t& out) {
  if (from.empty() || static_cast<uint8_t>(from.front()) >= 0x80) return take_long_number(from, out);
  out = static_cast<uint8_t>(from.front());
  from.remove_prefix(1);
  return true;
}

inline bool take(std::string_view& from, size_t size, std::string_view& out) {
  if (from.size() < size) return false;
  out = {from.data(), size};
  from.remove_prefix(size);
  return true;
}

inline bool take_sized(std::string_view& from, std::string_view& out) {
  uint32_t size = 0;
  return take_number(from, size) && take(from, size, out);
}

// A field that begins with `expected`.
inline bool take_sized(std::string_view& from, char expected, std::string_view& out) {
  if (from.empty() || from.front() != expected) return false;
  from.remove_prefix(1);
  return take_sized(from, out);
}

// A field of another kind than kAttributeTag.
bool skip_field(std::string_view& from) {
  uint32_t key = 0;
  std::string_view skipped;
  if (!take_number(from, key) || key >> 3 == 0 || key >> 3 == WireAttributes::kField) return false;
  switch (key & 7) {
    case kVarint:
      for (size_t i = 0; i < 10 && i < from.size(); ++i)
        if (static_cast<uint8_t>(from[i]) < 0x80) return take(from, i + 1, skipped);
      return false;
    case kEightBytes: return take(from, 8, skipped);
    case kSized: return take_sized(from, skipped);
    case kFourBytes: return take(from, 4, skipped);
    default: return false;
  }
}

inline bool read_value(std::string_view value, WireAttribute& out) {
  if (value.empty()) {
    out.kind = Kind::kMissing;
    return true;
  }
  const char first = value.front();
  if (first == tag(1, kEightBytes) && value.size() == 9) {
    out.kind = Kind::kNumber;
    std::memcpy(&out.number, value.data() + 1, sizeof out.number);
    return true;
  }
  if (first == tag(2, kVarint) && value.size() == 2 && (value[1] == 0 || value[1] == 1)) {
    out.kind = Kind::kFlag;
    out.number = value[1];
    return true;
  }
  out.kind = first == tag(3, kSized) ? Kind::kText : first == tag(4, kSized) ? Kind::kTexts : Kind::kVector;
  return take_sized(value, out.kind == Kind::kVector ? tag(5, kSized) : first, out.bytes) && value.empty();
}

inline bool read_entry(std::string_view entry, WireAttribute& out) {
  std::string_view value;
  return take_sized(entry, tag(1, kSized), out.name) && take_sized(entry, tag(2, kSized), value) && entry.empty() && read_value(value, out);
}

// Whether what an entry holds is as it must be.
bool is_well_formed(const WireAttribute& attribute) {
  if (!is_utf8(attribute.name)) return false;
  std::string_view bytes = attribute.bytes, element;
  switch (attribute.kind) {
    case Kind::kText: return is_utf8(bytes);
    case Kind::kTexts:
      while (!bytes.empty())
        if (!take_sized(bytes, tag(1, kSized), element) || !is_utf8(element)) return false;
      return true;
    case Kind::kVector: return bytes.empty() || (take_sized(bytes, tag(1, kSized), element) && bytes.empty() && element.size() % 4 == 0);
    default: return true;
  }
}

}  // namespace

std::optional<WireAttributes> WireAttributes::split(std::string_view request, int32_t most, std::string& rest) {
  WireAttributes out;
  out.request_ = request;
  rest.clear();
  std::string_view left = request, entry;
  const char* others = left.data();  // fields up to `left` that are not in `rest` yet
  while (!left.empty()) {
    if (left.front() != kAttributeTag) {
      if (!skip_field(left)) return std::nullopt;
      continue;
    }
    if (others != left.data()) rest.append(others, left.data());
    WireAttribute attribute;
    if (!take_sized(left, kAttributeTag, entry) || !read_entry(entry, attribute) || !is_well_formed(attribute)) return std::nullopt;
    if (++out.count_ > most) return std::nullopt;
    others = left.data();
  }
  if (!out.empty()) rest.append(others, left.data());
  return out;
}

void WireAttributes::append_to(std::string& request) const {
  std::string_view left = request_, entry;
  while (!left.empty()) {
    const char* const begin = left.data();
    if (left.front() != kAttributeTag)
      skip_field(left);
    else if (take_sized(left, kAttributeTag, entry))
      request.append(begin, left.data());
  }
}

bool WireAttributes::Cursor::next(WireAttribute& out) {
  while (!left_.empty() && left_.front() != kAttributeTag) skip_field(left_);
  if (left_.empty()) return false;
  std::string_view entry;
  return take_sized(left_, kAttributeTag, entry) && read_entry(entry, out);  // both true: split() has read them
}

std::optional<std::vector<std::string_view>> batched_requests(std::string_view message) {
  std::vector<std::string_view> requests;
  for (std::string_view request; !message.empty(); requests.push_back(request))
    if (!take_sized(message, tag(1, kSized), request)) return std::nullopt;
  return requests;
}

void read_texts(std::string_view bytes, std::vector<std::string_view>& out) {
  out.clear();
  for (std::string_view element; take_sized(bytes, tag(1, kSized), element);) out.push_back(element);
}

void read_vector(std::string_view bytes, std::vector<float>& out) {
  std::string_view numbers;
  if (!take_sized(bytes, tag(1, kSized), numbers)) numbers = {};
  out.resize(numbers.size() / sizeof(float));
  if (!out.empty()) std::memcpy(out.data(), numbers.data(), numbers.size());
}

}  // namespace bouquet::server
