// Placements: the configuration that names them, and what requests get that ask for one, over gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "engine/catalog_columns_builder.h"
#include "engine/errors.h"
#include "server/placements_config.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Placements parsed(const std::string& text) {
  auto placements = parse_placements(text, "shop.toml");
  EXPECT_TRUE(placements.ok()) << placements.status();
  return placements.ok() ? *std::move(placements) : Placements();
}

std::string refusal(const std::string& text) {
  const auto placements = parse_placements(text, "shop.toml");
  EXPECT_EQ(placements.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(message_of(placements.status()));
}

TEST(PlacementsConfig, IsReadWithEverythingThatAPlacementCanSay) {
  const Placements placements = parsed(
      "[serve]\nworkers = 2\n[placements.home]\nkinds = [\"product\", \"content\"]\nfilter = 'price < 20'\nk = 12\n"
      "mix = {content = 1, product = 3.5}\n[placements.banner]\nmodel = \"content\"\n");
  ASSERT_EQ(placements.all().size(), 2u);
  const Placement& home = placements.all()[*placements.find("home")];
  EXPECT_EQ(home.kinds, 0b011);
  EXPECT_EQ(home.filter, "price < 20");
  EXPECT_EQ(home.k, 12);
  ASSERT_EQ(home.mix.size(), 2u);
  EXPECT_EQ(home.mix[0].kind, ItemKind::kProduct);
  EXPECT_EQ(home.mix[0].share, 3.5);
  EXPECT_EQ(home.place, "shop.toml:3");
  const Placement& banner = placements.all()[*placements.find("banner")];
  EXPECT_EQ(banner.kinds, kAllKinds);
  EXPECT_EQ(banner.k, 0);
  EXPECT_EQ(banner.model, "content");
  EXPECT_EQ(home.model, "");
  EXPECT_TRUE(placements.any_mixes());
  EXPECT_TRUE(parsed("").all().empty());
}

TEST(PlacementsConfig, AMixSaysTheKindsToo) {
  EXPECT_EQ(parsed("[placements.a]\nmix = {action = 1, content = 1}\n").all()[0].kinds, 0b110);
}

TEST(PlacementsConfig, RefusesWithFileLineAndKey) {
  EXPECT_THAT(refusal("placements = 3\n"), HasSubstr("shop.toml:1: [placements] must hold a table"));
  EXPECT_THAT(refusal("[placements]\nhome = 3\n"), HasSubstr("shop.toml:2: placements.home must be a table"));
  EXPECT_THAT(refusal("[placements.home]\n\nkindz = []\n"),
              HasSubstr("shop.toml:3: placements.home.kindz is not known; did you mean 'kinds'?"));
  EXPECT_THAT(refusal("[placements.home]\nkinds = [\"product\",\n\"food\"]\n"), HasSubstr("shop.toml:3: placements.home.kinds takes"));
  EXPECT_THAT(refusal("[placements.home]\nkinds = []\n"), HasSubstr("shop.toml:2: placements.home.kinds must be a list"));
  EXPECT_THAT(refusal("[placements.home]\nk = 0\n"), HasSubstr("shop.toml:2: placements.home.k must be a whole number from 1 to 1000"));
  EXPECT_THAT(refusal("[placements.home]\nk = 1001\n"), HasSubstr("placements.home.k"));
  EXPECT_THAT(refusal("[placements.home]\nk = \"5\"\n"), HasSubstr("placements.home.k"));
  EXPECT_THAT(refusal("[placements.home]\nfilter = 'price <'\n"), HasSubstr("shop.toml:2: placements.home.filter is no filter: column 8"));
  EXPECT_THAT(refusal("[placements.home]\nfilter = 3\n"), HasSubstr("placements.home.filter must be a text"));
  EXPECT_THAT(refusal("[placements.home]\nmix = {product = 0}\n"), HasSubstr("placements.home.mix.product must be a number above 0"));
  EXPECT_THAT(refusal("[placements.home]\nmix = {food = 1}\n"), HasSubstr("placements.home.mix.food is no kind"));
  EXPECT_THAT(refusal("[placements.home]\nmix = {}\n"), HasSubstr("placements.home.mix must be a table"));
  EXPECT_THAT(refusal("[placements.home]\nkinds = [\"product\"]\nmix = {product = 1, action = 1}\n"),
              HasSubstr("shop.toml:3: placements.home.mix must name the kinds"));
  EXPECT_THAT(refusal("[placements.home]\nmodel = 3\n"), HasSubstr("shop.toml:2: placements.home.model must be the path"));
  EXPECT_THAT(refusal("[placements.home\n"), HasSubstr("shop.toml:1: "));
}

class PlacementsTest : public TestServer {
 protected:
  // Items 0, 1, 2 .. are product, content, action, product .., and cost 0, 1, .. 9, 0 ..
  static TinyShop priced_shop() {
    TinyShop shop = random_shop(90, 4, 6, 5);
    std::vector<double> prices;
    for (int i = 0; i < 90; ++i) prices.push_back(i % 10);
    CatalogColumnsBuilder columns;
    columns.add_numbers("price", prices);
    shop.columns = columns.finish();
    return shop;
  }
  void start_with(const std::string& config) {
    ServingOptions with = options();
    with.placements = parsed(config);
    start(with);
  }
  grpc::Status recommend(const v1::RecommendRequest& request) {
    return call_method(&v1::Recommendations::Stub::Recommend, request, &response_);
  }
  std::vector<int> items() const {
    std::vector<int> out;
    for (const auto& row : response_.results()) out.push_back(std::stoi(row.item_id().substr(4)));
    return out;
  }
  std::vector<int> kinds() const {
    std::vector<int> out;
    for (const int item : items()) out.push_back(item % 3);
    return out;
  }
  std::string metrics() const { return httplib::Client("http://" + serving_->admin_address()).Get("/metrics")->body; }

  static v1::RecommendRequest at(const std::string& placement, const std::string& customer = "customer1") {
    v1::RecommendRequest request;
    request.set_customer_id(customer);
    request.set_placement(placement);
    return request;
  }
  v1::RecommendResponse response_;
};

TEST_F(PlacementsTest, ItsRowsCountUnlessTheRequestSaysHowMany) {
  publish(priced_shop());
  start_with("[placements.home]\nk = 3\n[placements.rest]\n");
  ASSERT_TRUE(recommend(at("home")).ok());
  EXPECT_EQ(response_.results_size(), 3);
  v1::RecommendRequest request = at("home");
  request.set_k(7);
  ASSERT_TRUE(recommend(request).ok());
  EXPECT_EQ(response_.results_size(), 7);
  ASSERT_TRUE(recommend(at("rest")).ok());
  EXPECT_EQ(response_.results_size(), 10);
}

TEST_F(PlacementsTest, KindsAndFiltersOfBothHold) {
  publish(priced_shop());
  start_with("[placements.home]\nkinds = [\"product\", \"content\"]\nfilter = 'price < 5 OR price > 8'\n");
  v1::RecommendRequest request = at("home");
  request.set_k(90);
  ASSERT_TRUE(recommend(request).ok());
  EXPECT_GT(response_.results_size(), 20);
  for (const int item : items()) EXPECT_TRUE(item % 3 != 2 && (item % 10 < 5 || item % 10 > 8)) << item;
  request.set_filter("price > 3 OR price = 0");
  request.add_kinds(v1::ITEM_KIND_CONTENT);
  request.add_kinds(v1::ITEM_KIND_ACTION);
  ASSERT_TRUE(recommend(request).ok());
  EXPECT_GT(response_.results_size(), 3);
  for (const int item : items()) EXPECT_TRUE(item % 3 == 1 && (item % 10 == 0 || item % 10 == 4 || item % 10 == 9)) << item;
  // The columns of an error are those of the request's own text.
  request.set_filter("prize > 3");
  grpc::Status status = recommend(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("filter: column 1: the items have no attribute 'prize'"));
  request.clear_filter();
  request.clear_kinds();
  request.add_kinds(v1::ITEM_KIND_ACTION);
  status = recommend(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("kinds: are none of those of placement 'home': PRODUCT, CONTENT"));
}

TEST_F(PlacementsTest, SimilarItemsAndCrossSellTakeThemToo) {
  TinyShop shop = priced_shop();
  for (int b = 0; b < 12; ++b) shop.baskets.push_back({0, 1 + b % 4});
  publish(shop);
  start_with("[placements.detail]\nkinds = [\"content\"]\nk = 2\n[placements.home]\nmix = {product = 1, content = 1}\n");
  v1::SimilarItemsRequest similar;
  similar.set_item_id("item0");
  similar.set_placement("detail");
  v1::SimilarItemsResponse similar_response;
  ASSERT_TRUE(call_method(&v1::Recommendations::Stub::SimilarItems, similar, &similar_response).ok());
  ASSERT_EQ(similar_response.results_size(), 2);
  for (const auto& row : similar_response.results()) EXPECT_EQ(row.kind(), v1::ITEM_KIND_CONTENT);
  v1::CrossSellRequest basket;
  basket.add_item_ids("item0");
  basket.set_placement("detail");
  v1::CrossSellResponse basket_response;
  ASSERT_TRUE(call_method(&v1::Recommendations::Stub::CrossSell, basket, &basket_response).ok());
  ASSERT_EQ(basket_response.results_size(), 2);
  EXPECT_EQ(basket_response.results(0).item().source(), v1::SOURCE_CO_PURCHASE);
  for (const auto& row : basket_response.results()) EXPECT_EQ(row.item().kind(), v1::ITEM_KIND_CONTENT);
  similar.set_placement("home");
  const grpc::Status status = call_method(&v1::Recommendations::Stub::SimilarItems, similar, &similar_response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("placement: 'home' mixes kinds"));
}

TEST_F(PlacementsTest, AMixGivesEachKindItsShareInEveryBeginning) {
  publish(priced_shop());
  start_with("[placements.home]\nmix = {product = 2, content = 1}\nk = 9\n");
  for (const char* customer : {"customer1", "a stranger"}) {
    ASSERT_TRUE(recommend(at("home", customer)).ok());
    EXPECT_THAT(kinds(), ElementsAre(0, 1, 0, 0, 1, 0, 0, 1, 0)) << customer;
    const std::vector<int> mixed = items();
    for (const int kind : {0, 1}) {
      v1::RecommendRequest alone = at("home", customer);
      alone.add_kinds(static_cast<v1::ItemKind>(kind + v1::ITEM_KIND_PRODUCT));
      ASSERT_TRUE(recommend(alone).ok());
      EXPECT_THAT(kinds(), Each(kind));  // the mix counts among the kinds that are left
      std::vector<int> of_kind;
      for (const int item : mixed)
        if (item % 3 == kind) of_kind.push_back(item);
      std::vector<int> best = items();
      best.resize(of_kind.size());
      EXPECT_EQ(of_kind, best) << customer;
    }
  }
}

TEST_F(PlacementsTest, AKindThatRunsOutLeavesItsPlacesToTheOthers) {
  publish(priced_shop());
  start_with("[placements.home]\nmix = {product = 1, content = 1}\nfilter = 'price > 7'\nk = 30\n");
  v1::RecommendRequest request = at("home", "a stranger");
  ASSERT_TRUE(recommend(request).ok());
  EXPECT_EQ(response_.results_size(), 12);  // of 18 items over 7 a third are actions
  EXPECT_THAT(response_.shortfall(), ::testing::Contains(v1::SHORTFALL_FILTERED));
  for (int i = 8; i < 90; i += 10)
    if (i % 3 == 1) request.add_exclude_item_ids("item" + std::to_string(i));
  for (int i = 9; i < 90; i += 10)
    if (i % 3 == 1 && i < 60) request.add_exclude_item_ids("item" + std::to_string(i));
  ASSERT_TRUE(recommend(request).ok());
  EXPECT_THAT(kinds(), ElementsAre(0, 1, 0, 0, 0, 0, 0));
}

TEST_F(PlacementsTest, MixedRowsAreExplainedAndRepurchasesMixed) {
  TinyShop shop = priced_shop();
  shop.repurchase_share = 0.5;
  publish(shop);
  start_with("[placements.home]\nmix = {product = 1, content = 1, action = 1}\nk = 12\n");
  v1::RecommendRequest request = at("home");
  request.set_explain(v1::EXPLAIN_TOP);
  request.set_include_purchased(true);
  ASSERT_TRUE(recommend(request).ok());
  EXPECT_THAT(kinds(), ElementsAre(0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2));
  int repurchases = 0;
  for (const auto& row : response_.results()) {
    EXPECT_FALSE(row.contributions().empty());
    if (row.source() == v1::SOURCE_REPURCHASE) ++repurchases;
  }
  EXPECT_GT(repurchases, 2);
}

TEST_F(PlacementsTest, AnUnknownOneIsNotFoundWithTheNearest) {
  publish(priced_shop());
  start_with("[placements.home]\nk = 3\n");
  grpc::Status status = recommend(at("hme"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("there is no placement 'hme'; did you mean 'home'?"));
  EXPECT_EQ(recommend(at(std::string(65, 'x'))).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(PlacementsTest, AFilterThatTheModelCannotAnswerIsFoundAtTheStart) {
  publish(priced_shop());
  ServingOptions with = options();
  with.placements = parsed("[placements.home]\nfilter = 'colour = \"red\"'\n");
  const absl::Status status = Serving::start(with, *backend_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(message_of(status)),
              HasSubstr("shop.toml:1: placements.home.filter: column 1: the items have no attribute 'colour'"));
}

TEST_F(PlacementsTest, AModelWithoutTheAttributeAnswersTheOtherPlacements) {
  publish(priced_shop());
  start_with("[placements.home]\nfilter = 'price < 3'\n[placements.rest]\n");
  ASSERT_TRUE(recommend(at("home")).ok());
  publish(random_shop(90, 4, 6, 5));  // without prices
  ASSERT_TRUE(serving_->models().refresh().ok());
  const grpc::Status status = recommend(at("home"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("placements.home.filter"));
  EXPECT_TRUE(recommend(at("rest")).ok());
}

TEST_F(PlacementsTest, OneWithAModelOfItsOwnIsAnsweredByThat) {
  const std::string own = publish(priced_shop());
  const std::string folder = folder_.path() + "/content";
  const auto publish_there = [&](int32_t items) { return publish_in(folder, random_shop(items, 4, 8, 6).artifact()); };
  const std::string other = publish_there(40);
  // The filter is of the server's own items alone.
  start_with("[placements.home]\nfilter = 'price < 3'\n[placements.blog]\nmodel = \"" + folder +
             "\"\n[placements.news]\nk = 2\nmodel = \"" + folder + "\"\n");
  const auto version_at = [&](const std::string& placement) {
    EXPECT_TRUE(recommend(at(placement)).ok()) << placement;
    return response_.model_version();
  };
  EXPECT_EQ(version_at("home"), own);
  EXPECT_EQ(version_at(""), own);
  EXPECT_EQ(version_at("blog"), other);
  EXPECT_EQ(version_at("news"), other);
  EXPECT_EQ(response_.results_size(), 2);
  // In one batch, each in its place.
  v1::BatchRecommendRequest together;
  for (const char* placement : {"blog", "home", "unheard of", "news", "home"}) *together.add_requests() = at(placement);
  grpc::ClientContext context;
  const auto reader = stub()->BatchRecommend(&context, together);
  std::vector<std::string> versions;
  for (v1::BatchRecommendResponse answer; reader->Read(&answer);) versions.push_back(answer.response().model_version());
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_THAT(versions, ElementsAre(other, own, "", other, own));
  // It comes and goes without the others.
  const std::string newer = publish_there(41);
  for (int i = 0; i < 2000 && version_at("blog") != newer; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(version_at("blog"), newer);
  EXPECT_EQ(version_at("home"), own);
}

class PlacementsOwnModel : public PlacementsTest {
 protected:
  void SetUp() override {
    own_ = publish(priced_shop());
    older_ = publish_in(content_, random_shop(41, 4, 8, 7).artifact());
    other_ = publish_in(content_, random_shop(40, 4, 8, 6).artifact());
    start_with("[placements.home]\n[placements.blog]\nmodel = \"" + content_ + "\"\nk = 3\n");
  }
  template <typename Request>
  static Request of_customer(const std::string& answer, const std::string& placement = {}) {
    Request request;
    request.set_customer_id("customer1");
    request.set_placement(placement);
    if (!answer.empty()) request.mutable_as_of()->set_recommendation_id(answer);
    if constexpr (requires { request.add_item_ids("item3"); }) request.add_item_ids("item3");
    return request;
  }
  grpc::Status explain(const std::string& answer, const std::string& placement = {}) {
    return call_method(&v1::Recommendations::Stub::Explain, of_customer<v1::ExplainRequest>(answer, placement), &why_);
  }
  grpc::Status profile(const std::string& answer, const std::string& placement = {}) {
    return call_method(&v1::Profiles::Stub::GetProfile, of_customer<v1::GetProfileRequest>(answer, placement), &profile_);
  }
  template <typename Request, typename Response>
  grpc::Status admin(grpc::Status (v1::Models::Stub::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request,
                     Response* response) {
    grpc::ClientContext context;
    v1::Models::Stub stub(channel_to(serving_->admin_grpc_address()));
    return (stub.*method)(&context, request, response);
  }

  const std::string content_ = folder_.path() + "/content";
  std::string own_, older_, other_;
  v1::ExplainResponse why_;
  v1::Profile profile_;
};

TEST_F(PlacementsOwnModel, MakesItsAnswersAgainByTheirNamesAlone) {
  ASSERT_TRUE(recommend(at("blog")).ok());
  const v1::RecommendResponse first = response_;
  ASSERT_EQ(first.model_version(), other_);
  const auto again = of_customer<v1::RecommendRequest>(first.recommendation_id());
  ASSERT_TRUE(recommend(again).ok());
  EXPECT_EQ(bytes_without_name(response_), bytes_without_name(first));
  v1::BatchRecommendRequest together;
  *together.add_requests() = at("home");
  *together.add_requests() = again;
  grpc::ClientContext context;
  const auto reader = stub()->BatchRecommend(&context, together);
  std::vector<std::string> versions;
  for (v1::BatchRecommendResponse answer; reader->Read(&answer);) versions.push_back(answer.response().model_version());
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_THAT(versions, ElementsAre(own_, other_));

  ASSERT_TRUE(explain(first.recommendation_id()).ok());
  EXPECT_EQ(why_.model_version(), other_);
  ASSERT_TRUE(profile(first.recommendation_id()).ok());
  EXPECT_EQ(profile_.model_version(), other_);
  // Another placement than the answer's is refused, by whichever model.
  const grpc::Status refused[] = {recommend(of_customer<v1::RecommendRequest>(first.recommendation_id(), "home")),
                                  explain(first.recommendation_id(), "home"), profile(first.recommendation_id(), "home")};
  for (const grpc::Status& status : refused) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr("placement: is not"));
  }
  // The controls: an answer of the server's own model, and a name that is none.
  ASSERT_TRUE(recommend(at("home")).ok());
  ASSERT_TRUE(explain(response_.recommendation_id()).ok());
  EXPECT_EQ(why_.model_version(), own_);
  ASSERT_TRUE(profile(response_.recommendation_id()).ok());
  EXPECT_EQ(profile_.model_version(), own_);
  EXPECT_EQ(explain("no name", "blog").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(PlacementsOwnModel, ExplainsAndShowsProfilesWhereAPlacementIsNamed) {
  const std::pair<const char*, std::string> wanted[] = {{"blog", other_}, {"home", own_}, {"", own_}};
  for (const auto& [placement, version] : wanted) {
    ASSERT_TRUE(explain({}, placement).ok()) << placement;
    EXPECT_EQ(why_.model_version(), version) << placement;
    ASSERT_TRUE(profile({}, placement).ok()) << placement;
    EXPECT_EQ(profile_.model_version(), version) << placement;
  }
  for (const grpc::Status& status : {explain({}, "blgo"), profile({}, "blgo")}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_THAT(status.error_message(), HasSubstr("did you mean 'blog'?"));
  }
  EXPECT_EQ(explain({}, std::string(65, 'x')).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(profile({}, std::string(65, 'x')).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(metrics(), HasSubstr("bouquet_offered_rows_total{kind=\"PRODUCT\",placement=\"blog\"} 0")) << "nothing was offered";
}

TEST_F(PlacementsOwnModel, HasVersionsOfItsOwnForTheAdmin) {
  const auto served = [&](const std::string& placement) {
    v1::GetModelRequest request;
    request.set_placement(placement);
    v1::Model model;
    const grpc::Status status = admin(&v1::Models::Stub::GetModel, request, &model);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return model.version();
  };
  v1::ListModelsRequest list;
  v1::ListModelsResponse listed;
  list.set_placement("blog");
  ASSERT_TRUE(admin(&v1::Models::Stub::ListModels, list, &listed).ok());
  ASSERT_EQ(listed.models_size(), 2);
  EXPECT_EQ(listed.models(0).version(), other_);
  EXPECT_TRUE(listed.models(0).serving());
  v1::RollBackRequest back;
  back.set_placement("blog");
  v1::RollBackResponse rolled;
  ASSERT_TRUE(admin(&v1::Models::Stub::RollBack, back, &rolled).ok());
  EXPECT_EQ(rolled.model().version(), older_);
  EXPECT_EQ(served("blog"), older_);
  EXPECT_EQ(served("home"), own_);
  EXPECT_EQ(served(""), own_);
  v1::ActivateModelRequest activate;
  v1::ActivateModelResponse activated;
  activate.set_version(other_);
  EXPECT_EQ(admin(&v1::Models::Stub::ActivateModel, activate, &activated).error_code(), grpc::StatusCode::NOT_FOUND)
      << "the server's own directory has no such version";
  activate.set_placement("blog");
  ASSERT_TRUE(admin(&v1::Models::Stub::ActivateModel, activate, &activated).ok());
  EXPECT_EQ(served("blog"), other_);
  list.set_placement("blgo");
  const grpc::Status unknown = admin(&v1::Models::Stub::ListModels, list, &listed);
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(unknown.error_message(), HasSubstr("did you mean 'blog'?"));
}

TEST_F(PlacementsTest, AModelThatIsNotThereIsFoundAtTheStart) {
  publish(priced_shop());
  ServingOptions with = options();
  with.placements = parsed("\n[placements.blog]\nmodel = \"" + folder_.path() + "/nowhere\"\n");
  const absl::Status status = Serving::start(with, *backend_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(message_of(status)), HasSubstr("shop.toml:2: placements.blog.model: "));
}

TEST_F(PlacementsTest, OfferedRowsAreCountedByKindAndPlacement) {
  publish(priced_shop());
  start_with("[placements.home]\nmix = {product = 2, content = 1}\nk = 9\n");
  ASSERT_TRUE(recommend(at("home")).ok());
  ASSERT_TRUE(recommend(at("home")).ok());
  EXPECT_FALSE(recommend(at("unknown")).ok());
  v1::RecommendRequest request = at("");
  request.add_kinds(v1::ITEM_KIND_ACTION);
  request.set_k(4);
  ASSERT_TRUE(recommend(request).ok());
  const std::string text = metrics();
  EXPECT_THAT(text, HasSubstr("bouquet_offered_rows_total{kind=\"PRODUCT\",placement=\"home\"} 12"));
  EXPECT_THAT(text, HasSubstr("bouquet_offered_rows_total{kind=\"CONTENT\",placement=\"home\"} 6"));
  EXPECT_THAT(text, HasSubstr("bouquet_offered_rows_total{kind=\"ACTION\",placement=\"home\"} 0"));
  EXPECT_THAT(text, HasSubstr("bouquet_offered_rows_total{kind=\"ACTION\",placement=\"\"} 4"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("placement=\"unknown\"")));
}

}  // namespace
}  // namespace bouquet::server
