// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/secret_url.hpp"

#include <algorithm>

#include "base/secret.hpp"
#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol::secret_url {

namespace {

// The maximum length of a host name, with the final dot.
constexpr std::size_t most_name = 254;

// The client is not yet authenticated, and a search in a longer path would be expensive.
constexpr std::size_t most_path = 1024;

// Keys may contain slashes, but only a few.
constexpr unsigned most_slashes = 8;

bool is_host_of(const accounts::KeyEntry& entry, const accounts::AccountDirectory& directory,
                const update::HostTable& names, std::string_view text) {
    const auto name = dns::Name::parse_host(text);
    if (name.has_error()) return false;
    const accounts::Client client = directory.client(entry);
    return std::ranges::any_of(
        client.hosts, [&](const accounts::Host& host) { return names.name(host.host) == *name; });
}

}  // namespace

Intent read(const http::Request& request) {
    const std::size_t start = request.target.find_first_not_of('/');
    const bool has_key = start != std::string_view::npos;
    // HEAD is GET without a body (RFC 9110 §9.3.2), but must not change anything, so it is not
    // allowed for a key, and does not reveal whether the key is valid.
    if (request.method != "GET" && (has_key || request.method != "HEAD")) return MethodNotAllowed{};
    if (!has_key) return WhoAmI{};
    return PresentedKey{request.target.substr(start)};
}

const accounts::KeyEntry* find(const accounts::AccountDirectory& directory, std::string_view key) {
    const accounts::KeyEntry* entry = directory.find(key);
    if (entry != nullptr || key.find('%') == std::string_view::npos) return entry;
    std::string decoded = percent_decoded(key);
    entry = directory.find(decoded);
    base::zeroize(decoded);
    return entry;
}

std::optional<LongerTarget> find_longer(const accounts::AccountDirectory& directory,
                                        const update::HostTable& names, std::string_view target) {
    const std::size_t mark = std::min(target.find('?'), target.size());
    std::size_t end = mark;
    for (unsigned slashes = 0; end > 0 && slashes <= most_slashes; ++slashes) {
        const std::string_view key = target.substr(0, end);
        if (const auto* entry = end < target.size() ? find(directory, key) : nullptr) {
            auto behind = target.substr(end);
            while (behind.starts_with('/')) behind.remove_prefix(1);
            return LongerTarget{entry, key, behind};
        }
        const std::size_t slash = key.rfind('/');
        if (slash == std::string_view::npos) break;
        end = slash;
    }
    const std::string_view path = target.substr(0, mark);
    if (path.size() > most_path) return std::nullopt;
    for (std::size_t size = 1; size <= most_name && size < path.size(); ++size) {
        const auto key = path.substr(0, path.size() - size);
        const auto* entry = directory.find(key);
        if (entry == nullptr || !is_host_of(*entry, directory, names, path.substr(key.size())))
            continue;
        return LongerTarget{entry, key, target.substr(key.size())};
    }
    return std::nullopt;
}

bool is_asked_by_browsers(std::string_view target) {
    return target == "favicon.ico" || target == "robots.txt";
}

http::Response who_am_i(const http::Request& request) { return {200, request.client.to_string()}; }
http::Response method_not_allowed() { return {405, "METHOD NOT ALLOWED", "GET"}; }
http::Response no_page() { return {404, "NOT FOUND"}; }
http::Response answer(const update::UpdateOutcome& result, std::string_view uptodate) {
    switch (result.status) {
        case update::UpdateStatus::committed:
            return {200, "OK"};
        case update::UpdateStatus::unchanged:
            return {200, std::string(uptodate)};
        case update::UpdateStatus::failed:
            break;
        case update::UpdateStatus::over_budget:
            return {429, "ABUSE", {}, result.retry_after};
        case update::UpdateStatus::overloaded:
            return {503, "FAIL", {}, result.retry_after};
    }
    return {500, "FAIL"};
}

}  // namespace sftdyn::protocol::secret_url
