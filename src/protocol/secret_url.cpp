// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/secret_url.hpp"

#include "base/secret.hpp"
#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol::secret_url {

Intent read(const http::Request& request) {
    if (request.method != "GET") return MethodNotAllowed{};
    const std::size_t start = request.target.find_first_not_of('/');
    if (start == std::string_view::npos) return WhoAmI{};
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

http::Response who_am_i(const http::Request& request) { return {200, request.client.to_string()}; }
http::Response method_not_allowed() { return {405, "METHOD NOT ALLOWED", "GET"}; }
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
