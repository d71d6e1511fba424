// An address to listen on, as the conf and the command line write it: PORT, IP4:PORT or [IP6]:PORT.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "base/result.hpp"

namespace sftdyn::config {

struct Listen {
    std::optional<boost::asio::ip::address> address{};  ///< absent: every address of both families
    std::uint16_t port = 0;                             ///< 0: any free one
};

[[nodiscard]] base::Result<Listen> parse_listen(std::string_view text);

}  // namespace sftdyn::config
