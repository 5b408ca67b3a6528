// What a client does when a server goes away: proto/bouquet/v1/service_config.json, which clients of other languages read themselves.
#pragma once

namespace bouquet::server {

// JSON, for grpc::ChannelArguments::SetServiceConfigJSON.
extern const char* const kServiceConfig;

}  // namespace bouquet::server
