// The real server as a process of its own that can be killed.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/models_directory.h"

namespace bouquet::server {

// Publishes `artifact` as the current model of `models`.
inline void publish_current(const std::string& models, Artifact artifact) {
  auto directory = ModelsDirectory::open(models);
  ASSERT_TRUE(directory.ok()) << directory.status();
  artifact.version.clear();
  artifact.recipe.options.dimension = artifact.model.dimension;
  ASSERT_TRUE(directory->publish(std::move(artifact), true).ok());
}

class Program {
 public:
  Program(const std::string& models, const std::string& store, const std::string& folder) : address_("unix:" + folder + "/rpc") {
    std::vector<std::string> words = {BOUQUET_PROGRAM, "serve", "--models",     models, "--store",   store, "--listen",  address_,
                                      "--admin",       "",      "--admin-grpc", "",     "--backend", "cpu", "--threads", "1"};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, BOUQUET_PROGRAM, nullptr, nullptr, argv.data(), environ), 0);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
    channel_ = grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments);
    EXPECT_TRUE(channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(20)));
  }
  ~Program() { kill(); }
  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  const std::string address_;
  pid_t pid_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace bouquet::server
