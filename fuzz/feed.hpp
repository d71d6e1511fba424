// SPDX-License-Identifier: GPL-3.0-or-later
// What the targets that read requests share: octets fed in pieces, as they come from a network.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "fuzz.hpp"
#include "http/request_reader.hpp"

/// All that a request was understood as.
using Understood = std::tuple<std::string, std::string, std::string, std::string,
                              std::vector<std::string>, unsigned, bool>;

inline Understood understood(const sftdyn::http::RequestParser& request) {
    return {std::string(request.method()),
            std::string(request.target()),
            std::string(request.authorization()),
            std::string(request.body()),
            std::vector<std::string>(request.proxy_values().begin(), request.proxy_values().end()),
            request.version(),
            request.keep_alive()};
}

/// Sizes of pieces, all alike or each another.
class Pieces {
public:
    explicit Pieces(std::uint32_t seed) : state_(seed) {}
    std::size_t next() {
        if (state_ < 64) return state_ + 1;
        state_ = state_ * 1664525U + 1013904223U;
        return 1 + (state_ >> 16) % ((state_ >> 8) % 8 == 0 ? 5000U : 40U);
    }

private:
    std::uint32_t state_;
};

/// As a configuration without any has them.
inline sftdyn::http::Limits wide_limits() {
    sftdyn::http::Limits limits;
    limits.header_octets = 16 * 1024;
    limits.body_octets = 64 * 1024;
    return limits;
}

/// The requests in `octets`, as a connection reads them that receives `pieces`. What one takes has
/// a bound at all times.
inline std::vector<Understood> read_in_pieces(std::string_view octets,
                                              const sftdyn::http::Limits& limits,
                                              std::string_view proxy_field, Pieces pieces) {
    using Reader = sftdyn::http::RequestReader;
    std::vector<Understood> out;
    Reader reader(limits, proxy_field);
    while (true) {
        sftdyn::http::RequestState state = reader.read();
        while (state == sftdyn::http::RequestState::more) {
            if (octets.empty()) return out;
            const auto space = reader.space();
            HOLDS(space.size() > 0 &&
                  reader.capacity() <= limits.header_octets + Reader::read_size);
            const std::size_t size = std::min({space.size(), pieces.next(), octets.size()});
            std::memcpy(space.data(), octets.data(), size);
            octets.remove_prefix(size);
            reader.received(size);
            state = reader.read();
            HOLDS(reader.request().body_capacity() <= limits.body_octets);
            HOLDS(reader.request().proxy_values().size() <=
                  sftdyn::http::RequestParser::most_fields);
        }
        if (state == sftdyn::http::RequestState::refused) return out;
        out.push_back(understood(reader.request()));
        reader.next();
    }
}
