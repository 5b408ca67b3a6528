#include "engine/catalog.h"

namespace bouquet {

std::string_view item_kind_name(ItemKind kind) {
  switch (kind) {
    case ItemKind::kContent: return "CONTENT";
    case ItemKind::kAction: return "ACTION";
    default: return "PRODUCT";
  }
}

}  // namespace bouquet
