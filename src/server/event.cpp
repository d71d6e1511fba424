// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/event.hpp"

#include <algorithm>
#include <cstring>

namespace sftdyn::server {
namespace {

namespace ip = boost::asio::ip;

// The offsets of the fields. Numbers are in host byte order, since both ends are the same program.
constexpr std::array<std::uint8_t, 4> mark{'S', 'F', 'E', '1'};
constexpr std::size_t kind_at = 4, family_at = 5, host_size_at = 6, has_at = 7, id_at = 8,
                      checked_in_at = 16, address_at = 24, old_address_at = 40, host_at = 56;
constexpr std::size_t address_size = 16, longest_host = 253, longest_label = 63;
constexpr std::uint8_t has_address = 1, has_old_address = 2;
constexpr std::int64_t latest = 253402300799;  // the end of the year 9999

constexpr std::size_t outcome_at = 8, detail_at = 12;

template <class Number>
void put(std::uint8_t* to, Number number) {
    std::memcpy(to, &number, sizeof number);
}

template <class Number>
Number get(const std::uint8_t* from) {
    Number number{};
    std::memcpy(&number, from, sizeof number);
    return number;
}

/// False: the address is not of that type.
bool put_address(std::uint8_t* to, const ip::address& address, dns::Type type) {
    if (address.is_v4() != (type == dns::Type::a)) return false;
    if (address.is_v4()) {
        const auto octets = address.to_v4().to_bytes();
        std::copy(octets.begin(), octets.end(), to);
    } else {
        const auto octets = address.to_v6().to_bytes();
        std::copy(octets.begin(), octets.end(), to);
    }
    return true;
}

ip::address get_address(const std::uint8_t* from, dns::Type type) {
    if (type == dns::Type::a) {
        ip::address_v4::bytes_type octets{};
        std::copy_n(from, octets.size(), octets.begin());
        return ip::address_v4(octets);
    }
    ip::address_v6::bytes_type octets{};
    std::copy_n(from, octets.size(), octets.begin());
    return ip::address_v6(octets);
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string shown(const ip::address& address) {
    return address.is_unspecified() ? std::string() : address.to_string();
}

}  // namespace

bool is_host_name(std::string_view text) {
    if (text.size() > longest_host) return false;
    if (text.starts_with("*.")) text.remove_prefix(2);
    std::size_t label = 0;
    for (const char c : text) {
        if (c == '.') {
            if (label == 0) return false;
            label = 0;
        } else if (!is_host_character(c) || ++label > longest_label) {
            return false;
        }
    }
    return label > 0;
}

std::optional<EventMessage::Octets> EventMessage::write() const {
    const bool type_known = event.type == dns::Type::a || event.type == dns::Type::aaaa;
    if (!type_known || !is_host_name(event.host) || event.checked_in < 0 ||
        event.checked_in > latest)
        return std::nullopt;
    Octets out{};
    std::copy(mark.begin(), mark.end(), out.begin());
    out[kind_at] = static_cast<std::uint8_t>(event.kind);
    out[family_at] = event.type == dns::Type::a ? 4 : 6;
    out[host_size_at] = static_cast<std::uint8_t>(event.host.size());
    put(&out[id_at], id);
    put(&out[checked_in_at], event.checked_in);
    if (!event.address.is_unspecified()) {
        out[has_at] |= has_address;
        if (!put_address(&out[address_at], event.address, event.type)) return std::nullopt;
    }
    if (!event.old_address.is_unspecified()) {
        out[has_at] |= has_old_address;
        if (!put_address(&out[old_address_at], event.old_address, event.type)) return std::nullopt;
    }
    std::copy(event.host.begin(), event.host.end(), &out[host_at]);
    return out;
}

std::optional<EventMessage> EventMessage::read(std::string_view octets) {
    if (octets.size() != size) return std::nullopt;
    Octets in{};
    std::copy(octets.begin(), octets.end(), in.begin());
    EventMessage out;
    out.event.kind = static_cast<EventKind>(in[kind_at]);
    if (out.event.kind < EventKind::change || out.event.kind > EventKind::failure)
        return std::nullopt;
    out.event.type = in[family_at] == 4 ? dns::Type::a : dns::Type::aaaa;
    out.id = get<std::uint64_t>(&in[id_at]);
    out.event.checked_in = get<std::int64_t>(&in[checked_in_at]);
    if ((in[has_at] & has_address) != 0)
        out.event.address = get_address(&in[address_at], out.event.type);
    if ((in[has_at] & has_old_address) != 0)
        out.event.old_address = get_address(&in[old_address_at], out.event.type);
    if (in[host_size_at] > longest_host) return std::nullopt;
    out.event.host.assign(reinterpret_cast<const char*>(&in[host_at]), in[host_size_at]);
    // Rejects any other difference from the output of `write`, such as unused octets that are not
    // 0.
    if (out.write() != in) return std::nullopt;
    return out;
}

EventAnswer::Octets EventAnswer::write() const {
    Octets out{};
    put(out.data(), id);
    out[outcome_at] = static_cast<std::uint8_t>(outcome);
    put(&out[detail_at], detail);
    return out;
}

std::optional<EventAnswer> EventAnswer::read(std::string_view octets) {
    if (octets.size() != size) return std::nullopt;
    const auto* in = reinterpret_cast<const std::uint8_t*>(octets.data());
    if (in[outcome_at] < static_cast<std::uint8_t>(EventOutcome::exited) ||
        in[outcome_at] > static_cast<std::uint8_t>(EventOutcome::not_run))
        return std::nullopt;
    return EventAnswer{get<std::uint64_t>(in), static_cast<EventOutcome>(in[outcome_at]),
                       get<std::int32_t>(in + detail_at)};
}

const char* text_of(EventKind kind) {
    switch (kind) {
        case EventKind::change:
            return "change";
        case EventKind::stale:
            return "stale";
        case EventKind::failure:
            return "failure";
    }
    return "";
}

std::vector<std::string> environment_of(const Event& event) {
    return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            std::string("SFTDYN_EVENT=") + text_of(event.kind),
            "SFTDYN_HOST=" + event.host,
            "SFTDYN_TYPE=" + dns::type_text(event.type),
            "SFTDYN_ADDRESS=" + shown(event.address),
            "SFTDYN_OLD_ADDRESS=" + shown(event.old_address),
            "SFTDYN_CHECKED_IN=" + std::to_string(event.checked_in)};
}

}  // namespace sftdyn::server
