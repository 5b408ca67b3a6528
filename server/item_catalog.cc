#include "server/item_catalog.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/attribute_elements.h"
#include "engine/errors.h"
#include "server/bad_request.h"
#include "server/catalog_limits.h"
#include "server/log.h"
#include "server/new_items.h"

namespace bouquet::server {
namespace {

absl::Status no_store() { return absl::FailedPreconditionError("the server keeps no items: it runs without --store DIR"); }

absl::Status violation(const std::string& field, const std::string& what) {
  FieldViolations violations;
  violations.add(field, what);
  return violations.status();
}

// Learns the types of names that have none yet. Errors: InvalidArgument, for a value that is none of its type.
absl::Status learn_types(const v1::Item& item, const std::string& field, AttributeTypes& types) {
  for (const auto& [name, value] : item.attributes()) {
    const auto own = own_type(value);
    if (!own) continue;
    if (types.size() >= kMaxCatalogColumns && !types.contains(name))
      return violation(field + ".attributes[\"" + name.substr(0, 64) + "\"]", "would be attribute 1001 of the catalog; it has 1000");
    const AttributeType type = types.emplace(name, *own).first->second;
    if (value_as(value, type)) continue;
    return violation(
        field + ".attributes[\"" + name.substr(0, 64) + "\"]",
        "is of type " + std::string(attribute_type_name(*own)) + "; the catalog has it as " + std::string(attribute_type_name(type)));
  }
  return absl::OkStatus();
}

// Where the model weighs a set's elements, `tea:3` is the word `tea`, as it is in item files.
void take_weights_off(const AttributeSchema& schema, const v1::Item& said, CatalogItem& item) {
  for (const auto& [name, value] : said.attributes()) {
    const int32_t a = schema.find(name);
    const auto* set = a == kNone ? nullptr : std::get_if<SetTransform>(&schema.attributes()[static_cast<size_t>(a)].transform);
    const auto at = item.attributes.find(name);
    if (set == nullptr || !set->weighted || at == item.attributes.end()) continue;
    auto* const words = std::get_if<std::vector<std::string>>(&at->second);
    if (words == nullptr) continue;
    for (std::string& word : *words) word.resize(std::min(word.size(), word.rfind(':')));
  }
}

// Whether a column shows a text, or texts, as they were said.
bool same_text(const v1::AttributeValue& said, const v1::AttributeValue& shown) {
  if (shown.has_text()) return said.has_text() && said.text() == shown.text();
  if (!shown.has_texts()) return false;
  const auto& texts = shown.texts().values();
  if (said.has_texts()) return std::ranges::equal(said.texts().values(), texts);
  SetElements set;
  if (!set.read(AttributeValue::of_text(said.text()), false).ok()) return false;
  return std::ranges::equal(set.elements(), texts, {}, &SetElements::Element::text);
}

// What the catalog has otherwise than it was said: vectors, which it has not, long texts, and sets without their weights.
void write_as_said(const v1::Item& said, v1::Item* out) {
  for (const auto& [name, value] : said.attributes()) {
    const bool is_text = value.has_text() || value.has_texts();
    if (!is_text && !value.has_vector()) continue;
    const auto shown = out->attributes().find(name);
    if (is_text && shown != out->attributes().end() && same_text(value, shown->second)) continue;
    (*out->mutable_attributes())[name] = value;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<ItemCatalog>> ItemCatalog::open(StoreDatabase* database, Clock clock) {
  std::unique_ptr<ItemCatalog> catalog(new ItemCatalog(std::move(clock)));
  if (database == nullptr) return catalog;
  auto store = CatalogStore::open(*database);
  if (!store.ok()) return store.status();
  catalog->store_ = *std::move(store);
  const absl::Status read = catalog->store_->after("", [&](const CatalogEntry& entry) {
    for (const auto& [name, value] : entry.item().attributes())
      if (const auto type = own_type(value)) catalog->types_.emplace(name, *type);
    return true;
  });
  if (!read.ok()) return read;
  return catalog;
}

ItemIndex ItemCatalog::row_of(const ServedModel& model, const CatalogEntry* entry, const std::string& id) {
  const ItemIndex row = model.artifact().item_ids.find(id);
  if (row >= model.trained_item_count()) return row;
  return entry != nullptr && entry->new_since() > model.artifact().created_at ? kNone : row;
}

void ItemCatalog::apply(const ServedModel& model, std::span<const CatalogEntry> entries) const {
  const Catalog& base = model.artifact().catalog;
  AttributeTypes types = types_;
  for (const CatalogColumn& column : base.columns.columns) types[column.name] = column.type;
  std::vector<ItemChange> changes;
  for (const CatalogEntry& entry : entries) {
    const std::string& id = entry.item().item_id();
    const ItemIndex old = model.artifact().item_ids.find(id);
    if (old == kNone) continue;
    const bool gone = entry.deleted() || row_of(model, &entry, id) == kNone;
    ItemChange& change = changes.emplace_back(ItemChange{old, {}});
    if (gone) continue;
    change.now = with_entry(item_at(base, model.item_count(), old), entry.item(), types);
    take_weights_off(model.artifact().item_attributes.schema, entry.item(), *change.now);
  }
  std::vector<CatalogColumn> added;
  for (const auto& [name, type] : types) added.push_back({name, type});
  model.catalog().apply(std::move(changes), added);
}

absl::StatusOr<std::shared_ptr<const ServedModel>> ItemCatalog::prepared(const std::shared_ptr<const ServedModel>& model, bool decides) {
  if (store_ == nullptr) return model;
  const std::lock_guard lock(changes_);
  const std::shared_ptr<const ServedModel>& trained = model->trained() == nullptr ? model : model->trained();
  for (const CatalogColumn& column : trained->artifact().catalog.columns.columns)
    if (decides || !types_.contains(column.name)) types_[column.name] = column.type;
  std::vector<CatalogEntry> of_the_model, others;
  const bool places = places_items(*trained);
  const absl::Status read = store_->after("", [&](const CatalogEntry& entry) {
    if (trained->artifact().item_ids.find(entry.item().item_id()) != kNone)
      of_the_model.push_back(entry);
    else if (places && !entry.deleted())
      others.push_back(entry);
    return true;
  });
  if (!read.ok()) return read;
  const std::shared_ptr<const ServedModel> ready = others.empty() ? nullptr : with_new_items(trained, others);
  const std::shared_ptr<const ServedModel>& result = ready == nullptr ? model : ready;
  if (std::ranges::any_of(models_, [&](const std::weak_ptr<const ServedModel>& known) { return known.lock() == result; })) return result;
  if (ready != nullptr) of_the_model.insert(of_the_model.end(), others.begin(), others.end());
  apply(*result, of_the_model);
  std::erase_if(models_, [](const std::weak_ptr<const ServedModel>& known) { return known.expired(); });
  models_.push_back(result);
  return result;
}

std::shared_ptr<const ServedModel> ItemCatalog::with_new_items(const std::shared_ptr<const ServedModel>& trained,
                                                               const std::vector<CatalogEntry>& entries) const {
  std::shared_ptr<const ServedModel> before;  // the newest with the same training
  for (const std::weak_ptr<const ServedModel>& known : models_)
    if (auto alive = known.lock(); alive != nullptr && alive->trained() == trained) before = std::move(alive);
  auto added = placed(*trained, entries, before == nullptr ? AddedItems() : before->added());
  const auto extended = added.ok() ? trained->with(*std::move(added)) : added.status();
  if (extended.ok()) return *extended;
  log_event(LogLevel::kWarning, "items.not_placed",
            {{"items", std::to_string(entries.size())}, {"why", std::string(message_of(extended.status()))}});
  return nullptr;
}

bool ItemCatalog::concerns_places(const v1::UpsertItemsRequest& request, const ServedModel& model) {
  if (!places_items(model)) return false;
  return std::ranges::any_of(request.items(), [&](const v1::Item& item) {
    const ItemIndex row = model.artifact().item_ids.find(item.item_id());
    if (row == kNone) return true;
    return row >= model.trained_item_count() && (item.new_generation() || concerns_place(model, item));
  });
}

absl::StatusOr<CatalogEntry> ItemCatalog::changed(const v1::Item& said, const std::string& field, AttributeTypes& types) const {
  auto known = store_->find(said.item_id());
  if (!known.ok()) return known.status();
  CatalogEntry entry = *known ? **std::move(known) : CatalogEntry();
  if (entry.deleted() && !said.new_generation())
    return violation(field + ".new_generation", "must be true: the item was deleted, and its id can only come back as another item");
  if (entry.deleted()) {
    entry.Clear();
    entry.set_new_since(absl::ToUnixMicros(clock_()));
  }
  if (absl::Status s = learn_types(said, field, types); !s.ok()) return s;
  merge(said, *entry.mutable_item());
  return entry;
}

absl::StatusOr<bool> ItemCatalog::write(const std::string& request_id, const std::vector<CatalogEntry>& entries, AttributeTypes types) {
  if (absl::Status s = store_->write(request_id, entries); !s.ok()) return s;
  types_ = std::move(types);
  for (const std::weak_ptr<const ServedModel>& model : models_)
    if (const auto alive = model.lock()) apply(*alive, entries);
  return false;
}

absl::StatusOr<bool> ItemCatalog::upsert(const v1::UpsertItemsRequest& request) {
  if (store_ == nullptr) return no_store();
  const std::lock_guard lock(changes_);
  const auto repeated = store_->knows(request.request_id());
  if (!repeated.ok() || *repeated) return repeated;
  AttributeTypes types = types_;
  std::vector<CatalogEntry> entries;
  for (int i = 0; i < request.items_size(); ++i) {
    auto entry = changed(request.items(i), "items[" + std::to_string(i) + "]", types);
    if (!entry.ok()) return entry.status();
    entries.push_back(*std::move(entry));
  }
  if (request.validate_only()) return false;
  return write(request.request_id(), entries, std::move(types));
}

absl::StatusOr<bool> ItemCatalog::remove(const v1::DeleteItemsRequest& request) {
  if (store_ == nullptr) return no_store();
  const std::lock_guard lock(changes_);
  const auto repeated = store_->knows(request.request_id());
  if (!repeated.ok() || *repeated) return repeated;
  if (request.validate_only()) return false;
  std::vector<CatalogEntry> entries;
  for (const std::string& id : request.item_ids()) {
    CatalogEntry& entry = entries.emplace_back();
    entry.mutable_item()->set_item_id(id);
    entry.set_deleted(true);
  }
  return write(request.request_id(), entries, types_);
}

bool ItemCatalog::describe(const std::string& id, const CatalogEntry* entry, const ServedModel* model, v1::Item* out) const {
  if (entry != nullptr && entry->deleted()) return false;
  const ItemIndex row = model == nullptr ? kNone : row_of(*model, entry, id);
  out->set_item_id(id);
  if (row != kNone) {
    const auto item = model->catalog().item(row);
    if (!item) return false;
    write_item(*item, out);
    out->set_in_model(true);
  } else {
    write_item(with_entry({}, entry->item(), types_), out);
  }
  return true;
}

absl::Status ItemCatalog::get(const v1::GetItemRequest& request, const ServedModel* model, v1::Item* out) const {
  const std::lock_guard lock(changes_);
  std::optional<CatalogEntry> entry;
  if (store_ != nullptr) {
    auto found = store_->find(request.item_id());
    if (!found.ok()) return found.status();
    entry = *std::move(found);
  }
  const bool known = entry || (model != nullptr && model->artifact().item_ids.find(request.item_id()) != kNone);
  if (known && describe(request.item_id(), entry ? &*entry : nullptr, model, out)) {
    if (entry) write_as_said(entry->item(), out);
    return absl::OkStatus();
  }
  out->Clear();
  return absl::NotFoundError("there is no such item");
}

std::shared_ptr<const std::vector<ItemIndex>> ItemCatalog::in_order(const std::shared_ptr<const ServedModel>& model) const {
  if (ordered_ != nullptr && ordered_model_.lock() == model) return ordered_;
  auto order = std::make_shared<std::vector<ItemIndex>>(static_cast<size_t>(model == nullptr ? 0 : model->item_count()));
  std::iota(order->begin(), order->end(), 0);
  if (model != nullptr) {
    const IdTable& ids = model->artifact().item_ids;
    std::sort(order->begin(), order->end(), [&](ItemIndex a, ItemIndex b) { return ids.id(a) < ids.id(b); });
  }
  ordered_model_ = model;
  ordered_ = order;
  return order;
}

absl::Status ItemCatalog::list(const v1::ListItemsRequest& request, const std::shared_ptr<const ServedModel>& model,
                               v1::ListItemsResponse* out) const {
  const std::lock_guard lock(changes_);
  const int size = request.page_size() == 0 ? kDefaultItemPage : request.page_size();
  const auto order = in_order(model);
  const auto id_of = [&](ItemIndex item) { return model->artifact().item_ids.id(item); };
  auto at = std::upper_bound(order->begin(), order->end(), request.page_token(),
                             [&](const std::string& token, ItemIndex item) { return std::string_view(token) < id_of(item); });
  // False once the page is full and there is another item.
  const auto add = [&](const std::string& id, const CatalogEntry* entry) {
    v1::Item item;
    if (!describe(id, entry, model.get(), &item)) return true;
    if (out->items_size() == size) {
      out->set_next_page_token(out->items(size - 1).item_id());
      return false;
    }
    *out->add_items() = std::move(item);
    return true;
  };
  bool more = true;
  const auto add_models_items_before = [&](const std::string* id) {
    for (; more && at != order->end() && (id == nullptr || id_of(*at) < *id); ++at) more = add(std::string(id_of(*at)), nullptr);
  };
  if (store_ != nullptr) {
    const absl::Status read = store_->after(request.page_token(), [&](const CatalogEntry& entry) {
      const std::string& id = entry.item().item_id();
      add_models_items_before(&id);
      if (more && at != order->end() && id_of(*at) == id) ++at;
      if (more) more = add(id, &entry);
      return more;
    });
    if (!read.ok()) return read;
  }
  add_models_items_before(nullptr);
  return absl::OkStatus();
}

}  // namespace bouquet::server
