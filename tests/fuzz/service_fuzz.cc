// Any bytes as the request of any method of a server that runs in this process, over its socket: libFuzzer chooses, every method that the
// services declare is called, and what must not happen ends the run: a crash, a hang, a status that docs/api.md does not know, a store that
// is not whole, somebody else's answer that fails.
//
// An input is the method's name, a line's end, and the request. The server is not instrumented (gRPC and all of it would have to be built
// again by clang), so libFuzzer goes by the answers instead: what has not been answered before is worth keeping. BOUQUET_FUZZ_METHODS names
// the methods to call, apart by commas; without it all are.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/stubs/logging.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "server/event_store/store_check.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/server/attributed_shop.h"
#include "tests/server/test_server.h"

// What libFuzzer takes for coverage.
__attribute__((section("__libfuzzer_extra_counters"))) uint8_t seen_answers[1 << 16];

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace bouquet::server {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using grpc::StatusCode;

constexpr std::array kServices = {"Recommendations", "Profiles", "Audiences", "Catalog", "Models", "Store"};
constexpr int kCallsOfAStore = 20000;  // before a new one takes its place, lest it grow without end
constexpr int kCallsBetweenBystanders = 50;

struct Method {
  std::string path;
  const Message* request = nullptr;  // its prototype
  bool is_admin = false;
  bool is_read_by_grpc = false;
};

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

std::map<std::string, Method> methods() {
  std::vector<std::string> wanted;
  if (const char* names = std::getenv("BOUQUET_FUZZ_METHODS")) wanted = absl::StrSplit(names, ',');
  std::map<std::string, Method> all;
  for (const std::string name : kServices) {
    const auto* service = DescriptorPool::generated_pool()->FindServiceByName("bouquet.v1." + name);
    if (service == nullptr) fail("there is no service " + name);
    for (int m = 0; m < service->method_count(); ++m) {
      const auto& method = *service->method(m);
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), method.name()) == wanted.end()) continue;
      all[method.name()] = {.path = "/bouquet.v1." + name + "/" + method.name(),
                            .request = MessageFactory::generated_factory()->GetPrototype(method.input_type()),
                            .is_admin = name == "Models" || name == "Store",
                            .is_read_by_grpc = name == "Models" || name == "Store" || name == "Catalog"};
    }
  }
  if (all.empty()) fail("BOUQUET_FUZZ_METHODS names no method");
  return all;
}

Artifact shop(unsigned seed) {
  Artifact artifact = random_shop(40, 8, 4, seed).artifact();
  add_customer_attributes(artifact);
  artifact.model.constants = {0.1, 0.5, 0.5, 40, 8};
  return artifact;
}

struct Answer {
  grpc::Status status;
  std::string bytes;  // of all messages
};

class Target : public TestServer {
 public:
  Target() {
    for (unsigned i = 0; i < 2; ++i) versions_.push_back(publish(shop(i)));
    open();
  }
  void TestBody() override {}

  const std::vector<std::string>& versions() const { return versions_; }
  void run(const Method& method, const std::string& bytes) {
    const Answer answer = call(method.is_admin ? admin_ : channel_, method.path, bytes);
    check(method, bytes, answer.status);
    remember(method, answer);
    if (++calls_ % kCallsBetweenBystanders == 0) ask_beside();
    if (calls_ % kCallsOfAStore == 0) begin_anew();
  }

 private:
  void open() {
    ServingOptions made = options();
    made.admin = "";
    made.store = store_;
    made.backups = folder_.path() + "/backups";
    start(made);
    if (serving_ == nullptr) fail("the server does not start");
    channel_ = channel_to(serving_->address());
    admin_ = channel_to(serving_->admin_grpc_address());
  }
  void begin_anew() {
    serving_.reset();
    const auto checked = check_store(store_);
    if (!checked.ok()) fail(checked.status().ToString());
    if (!checked->problems.empty()) fail("the store: " + checked->problems.front());
    std::filesystem::remove_all(store_);
    std::filesystem::remove_all(folder_.path() + "/backups");
    open();
  }

  static Answer call(const std::shared_ptr<grpc::Channel>& channel, const std::string& path, const std::string& bytes) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context.set_wait_for_ready(true);
    grpc::CompletionQueue queue;
    void* tag = nullptr;
    bool ok = false;
    const auto stream = stub.PrepareCall(&context, path, &queue);
    stream->StartCall(nullptr);
    queue.Next(&tag, &ok);
    const grpc::Slice slice(bytes);
    stream->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
    queue.Next(&tag, &ok);
    Answer answer;
    for (grpc::ByteBuffer message;;) {
      stream->Read(&message, nullptr);
      queue.Next(&tag, &ok);
      if (!ok) break;
      std::vector<grpc::Slice> slices;
      if (message.Dump(&slices).ok())
        for (const grpc::Slice& part : slices) answer.bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
    stream->Finish(&answer.status, nullptr);
    queue.Next(&tag, &ok);
    return answer;
  }

  // Where gRPC reads the messages, it answers INTERNAL or UNIMPLEMENTED to bytes that are none.
  static void check(const Method& method, const std::string& bytes, const grpc::Status& status) {
    switch (status.error_code()) {
      case StatusCode::OK:
      case StatusCode::INVALID_ARGUMENT:
      case StatusCode::NOT_FOUND:
      case StatusCode::FAILED_PRECONDITION:
      case StatusCode::ALREADY_EXISTS:
      case StatusCode::ABORTED:
      case StatusCode::RESOURCE_EXHAUSTED:
      case StatusCode::UNAVAILABLE: return;
      case StatusCode::INTERNAL:
      case StatusCode::UNIMPLEMENTED:
        if (const std::unique_ptr<Message> request(method.request->New()); method.is_read_by_grpc && !request->ParseFromString(bytes))
          return;
        break;
      default: break;
    }
    const std::unique_ptr<Message> request(method.request->New());
    (void)request->ParsePartialFromString(bytes);
    fail(method.path + ": status " + std::to_string(status.error_code()) + ": " + status.error_message() + "\n" +
         request->ShortDebugString());
  }

  void ask_beside() {
    v1::RecommendRequest request;
    request.set_customer_id("bystander");
    const Answer answer = call(channel_, "/bouquet.v1.Recommendations/Recommend", request.SerializeAsString());
    if (!answer.status.ok()) fail("somebody else's request: " + answer.status.error_message());
  }

  // A refusal is known by its words without what stands in quotes and without numbers, an answer by its size and its first fields.
  static void remember(const Method& method, const Answer& answer) {
    std::string kind = method.path + std::to_string(answer.status.error_code());
    bool quoted = false;
    for (const char c : answer.status.error_message()) {
      quoted = (c == '\'') != quoted;
      if (!quoted && (c < '0' || c > '9')) kind += c;
    }
    kind += std::to_string(std::bit_width(answer.bytes.size()));
    seen_answers[std::hash<std::string>()(kind) % sizeof seen_answers] = 1;
  }

  std::vector<std::string> versions_;
  std::shared_ptr<grpc::Channel> channel_, admin_;
  int64_t calls_ = 0;
};

struct Fuzzing {
  const std::map<std::string, Method> methods = server::methods();
  Target target;
  std::vector<std::string> words() const {
    std::vector<std::string> all = {"item3",  "item7", "item39",   "newitem", "customer1", "customer2", "visitor",   "purchase",
                                    "return", "title", "category", "age",     "country",   "DE",        "price > 3", "title != 'Title 3'"};
    all.insert(all.end(), target.versions().begin(), target.versions().end());
    return all;
  }
};

Fuzzing& fuzzing() {
  static Fuzzing all;
  return all;
}

struct Input {
  std::string method, bytes;
};

Input input_of(std::string_view text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return {};
  return {std::string(text.substr(0, end)), std::string(text.substr(end + 1))};
}

// Fields of the message, or bytes of it, or both; now and then another method.
std::string mutated(const std::string& text, size_t max_size, unsigned seed) {
  const auto& methods = fuzzing().methods;
  fuzz::MessageMutator mutator(seed, fuzzing().words());
  Input input = input_of(text);
  auto method = methods.find(input.method);
  if (method == methods.end() || mutator.below(50) == 0)
    method = std::next(methods.begin(), static_cast<ptrdiff_t>(mutator.below(methods.size())));
  const size_t way = mutator.below(4);
  if (way != 0) {
    const std::unique_ptr<Message> request(method->second.request->New());
    if (!request->ParsePartialFromString(input.bytes) || way == 1) request->Clear();
    if (way == 1)
      mutator.fill(*request);
    else
      for (size_t changes = 1 + mutator.below(3); changes > 0; --changes) mutator.change(*request);
    input.bytes = request->SerializePartialAsString();
  }
  const std::string name = method->first + "\n";
  if (way == 0 || way == 3) {
    const size_t most = max_size - std::min(max_size, name.size());
    const size_t size = std::min(input.bytes.size(), most);
    input.bytes.resize(most);
    input.bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(input.bytes.data()), size, most));
  }
  return name + input.bytes;
}

}  // namespace
}  // namespace bouquet::server

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);  // as the server does
  bouquet::server::fuzzing();
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  const std::string out = bouquet::server::mutated({reinterpret_cast<const char*>(data), size}, max_size, seed);
  const size_t length = std::min(out.size(), max_size);
  std::copy_n(out.begin(), length, data);
  return length;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bouquet::server;
  const Input input = input_of({reinterpret_cast<const char*>(data), size});
  const auto method = fuzzing().methods.find(input.method);
  if (method == fuzzing().methods.end()) return -1;  // of no use in the corpus
  fuzzing().target.run(method->second, input.bytes);
  return 0;
}
